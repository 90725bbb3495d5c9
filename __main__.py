"""`python -m microface` and the `microface` console script."""

from __future__ import annotations

import atexit
import io
import os
import sys
from typing import NoReturn

from .commands import main
from .threads import limit_threads


def leave(status: int) -> None:
    """End the process with an exit status if Blender's module is in it; the last thing to be done.

    Torn down with an object of its own still alive, that module waits for ever for its sound
    thread. There is nothing left to tear down.
    """
    if "bpy" in sys.modules:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def run() -> NoReturn:
    """Run one command and leave with its exit status."""
    limit_threads()
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        # A name that the terminal cannot show is no reason to fail.
        sys.stdout.reconfigure(errors="backslashreplace")
    status = 1
    atexit.register(lambda: leave(status))
    try:
        status = main()
    except SystemExit as asked:
        status = asked.code if isinstance(asked.code, int) else int(asked.code is not None)
        raise
    sys.exit(status)


if __name__ == "__main__":
    run()
