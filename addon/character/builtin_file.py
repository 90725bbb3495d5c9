"""Writing the built-in character, in its scene, as a .blend file."""

from __future__ import annotations

from pathlib import Path

import bpy

from ...errors import RunError
from ..files import make_blend_draft
from ..quiet import blender_log_hidden, reason
from .builtin import create_character, named_identity
from .builtin_scene import create_scene


def write_character(path: Path, identity: str) -> None:
    """Write the character called `identity`, with camera and lights, to the .blend at `path`.

    Replaces the file in one step, or leaves what was there as it was. It empties the Blender
    session that it runs in: for the command line, not for an open window.

    Raises InputError for an unknown identity or a path that cannot be written, RunError when
    Blender fails to save.
    """
    who = named_identity(identity)
    aside = make_blend_draft(path)
    draft = aside / path.name
    try:
        bpy.ops.wm.read_factory_settings(use_empty=True)
        create_scene(create_character(who, identity.capitalize()))
        with blender_log_hidden():
            bpy.ops.wm.save_as_mainfile(filepath=str(draft), compress=True, check_existing=False)
        draft.replace(path)
    except (OSError, RuntimeError) as error:
        raise RunError(
            f"{path} could not be saved ({reason(error)}).", "Check the disk's space."
        ) from error
    finally:
        for left in aside.iterdir():
            left.unlink()
        aside.rmdir()
