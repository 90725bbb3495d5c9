"""A process's folder for temporary files: private, named after the process, swept when left."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

PREFIX = "microface-server-"

#: Decoded clips lie in this folder below the server's, each in one of its own.
CLIPS = "clips"


def new_folder(prefix: str = PREFIX) -> Path:
    """Return a new folder that only this user can enter; remove those that killed processes left.

    They hold people's clips and characters, which must not lie about.
    """
    if sys.platform != "win32":  # os.kill with signal 0 asks on POSIX, and kills on Windows
        for left in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
            owner = left.name.removeprefix(prefix).partition("-")[0]
            if owner.isdecimal() and not _runs(int(owner)):
                shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-"))


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is somebody else's
        return True
    return True
