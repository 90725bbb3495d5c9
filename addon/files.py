"""Opening a .blend for work without a window."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..errors import InputError
from .quiet import blender_log_hidden


def open_blend(path: Path) -> None:
    """Open the .blend at `path` in this Blender session, without running scripts in it.

    Raises `InputError` if it is no .blend file or a damaged one.
    """
    try:
        with blender_log_hidden():
            bpy.ops.wm.open_mainfile(filepath=str(path.resolve()), load_ui=False, use_scripts=False)
    except RuntimeError as error:
        raise InputError(
            f"{path} cannot be opened as a .blend file.", "Save it again from Blender."
        ) from error
