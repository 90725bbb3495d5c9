"""Drafts: folders beside an output to write into before it is moved into place in one step.

A draft's name holds its maker's process number, so that the next run can remove what a killed one
had to leave.
"""

from __future__ import annotations

import glob
import os
import shutil
import tempfile
from pathlib import Path


def make_draft(out: Path) -> Path:
    """Return a new folder beside `out`; drafts of `out` whose makers are gone are removed.

    Raises OSError where the folder that `out` lies in cannot be made or written.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{out.name}.draft-"
    for left in out.parent.glob(f"{glob.escape(prefix)}*"):
        maker = left.name.removeprefix(prefix).partition("-")[0]
        if maker.isdecimal() and not _is_alive(int(maker)):
            _remove(left)
    return Path(tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-", dir=out.parent))


def _remove(left: Path) -> None:
    if left.is_dir():
        shutil.rmtree(left, ignore_errors=True)
    else:
        left.unlink(missing_ok=True)


def _is_alive(process_id: int) -> bool:
    """Whether a process runs; when in doubt, yes."""
    if os.name != "posix":
        return True
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
