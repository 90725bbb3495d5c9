"""Keep Blender's log and its way of telling errors out of what we tell."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import bpy


@contextmanager
def blender_log_hidden() -> Iterator[None]:
    """Send what Blender's C code prints to nowhere, when there is no window.

    Blender writes a line per render, file read and file written to the process's standard output,
    where a caller expects our own lines only. With a window the console is the user's, and nothing
    is changed.
    """
    if not bpy.app.background:
        yield
        return
    sys.stdout.flush()
    kept = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def reason(error: Exception) -> str:
    """Return why an operator of Blender's, or the system, failed, to stand within a sentence."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return " ".join(str(error).rpartition("Error: ")[2].split())
