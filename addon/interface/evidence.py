"""Evidence of what is baked in the window: kept in the open file with the bake itself."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

from ..bake.shape_keys import ShapeKeyBake
from ..bake.texture import TextureBake
from ..bake.time import TimeBase, scene_time
from ..character.stage import home_scene
from ..generated import Generated
from ..verify.prove import Proof, leave_evidence


def keep_evidence(
    obj: Any,
    generated: Generated,
    time_base: TimeBase | None,
    keys: ShapeKeyBake | None = None,
    textures: TextureBake | None = None,
    relative: Callable[[Path], str] = str,
) -> Proof:
    """Leave evidence of a bake in the open file; its pictures are rendered with the report."""
    settings = bpy.context.scene.microface
    if time_base is None:
        start = settings.start_frame
        time_base = keys.time_base if keys is not None else scene_time(home_scene(obj), start)
    return leave_evidence(
        obj,
        generated,
        time_base,
        keys=keys,
        textures=textures,
        relative=relative,
        settings={"strength": f"{settings.strength:g}", "object": str(obj.name)},
    )


def relative_to_file(path: Path) -> str:
    """Return a picture's path relative to the saved file, with slashes."""
    folder = Path(bpy.data.filepath).parent
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive of Windows
        return path.as_posix()
