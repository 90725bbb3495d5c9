"""`python -m microface` and the `microface` console script."""

from __future__ import annotations

import atexit
import os
import sys
from typing import NoReturn

from .commands import main


def run() -> NoReturn:
    """Run one command and leave with its exit status."""
    status = 1

    def leave() -> None:
        # Blender's module, torn down with an object of its own still alive, waits for ever for its
        # sound thread. There is nothing left to tear down: this is the last of the exit handlers.
        if "bpy" in sys.modules:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    atexit.register(leave)
    try:
        status = main()
    except SystemExit as asked:
        status = asked.code if isinstance(asked.code, int) else int(asked.code is not None)
        raise
    sys.exit(status)


if __name__ == "__main__":
    run()
