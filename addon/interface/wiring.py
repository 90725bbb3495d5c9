"""Wire textures that a second Blender has baked, as one step to undo."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ..bake.materials import unwire_sequences, wire_sequence
from ..bake.shape_keys import ShapeKeyBake
from ..bake.targets import find_targets
from ..bake.texture import BakedTexture, TextureBake
from ..bake.time import scene_time
from ..character.stage import find_companions, home_scene
from ..generated import Generated
from .desk import desk
from .evidence import keep_evidence, relative_to_file
from .reporting import reporting


@dataclass
class Waiting:
    """Baked textures that are not wired yet; see `wire_later`."""

    name: str
    generated: Generated
    over: ShapeKeyBake | None
    folder: Path
    outcome: dict[str, Any]
    moving: list[NDArray[np.bool_]]
    size: int
    start_frame: float


def wire_later(
    name: str,
    generated: Generated,
    over: ShapeKeyBake | None,
    folder: Path,
    outcome: dict[str, Any],
    moving: list[NDArray[np.bool_]],
    size: int,
    start_frame: float,
) -> None:
    """Wire what was baked for the character `name`, from a timer, with an undo step."""
    waiting = Waiting(name, generated, over, folder, outcome, moving, size, start_frame)
    MICROFACE_OT_wire_textures.waiting = waiting
    window = bpy.context.window_manager.windows[0]
    try:
        with bpy.context.temp_override(window=window):
            bpy.ops.microface.wire_textures("EXEC_DEFAULT", True)
    except RuntimeError as error:  # what an operator's error report becomes in Python
        if not desk().remedy:
            raise InputError(str(error), "Bake again.") from error


class MICROFACE_OT_wire_textures(bpy.types.Operator):  # type: ignore[misc]
    """Play baked textures in the character's materials"""

    bl_idname = "microface.wire_textures"
    bl_label = "Bake to Texture"
    bl_options = {"INTERNAL", "UNDO"}

    waiting: Waiting | None = None

    @reporting
    def execute(self, context: Any) -> set[str]:
        """Wire what waits, and leave evidence."""
        cls = type(self)
        done, cls.waiting = cls.waiting, None
        if done is None:
            raise InputError("No textures wait to be wired.", "Press Bake to Texture.")
        obj = bpy.data.objects.get(done.name)
        if obj is None:
            raise InputError(f"'{done.name}' is gone.", "Choose the character and bake again.")
        base = scene_time(home_scene(obj), done.start_frame)
        companions = tuple(
            one for one in find_companions(obj, home_scene(obj)) if one.type == "MESH"
        )
        targets = {one.name: one for one in find_targets(obj, done.size, companions)}
        told = done.outcome["textures"]
        if any(one["name"] not in targets for one in told):
            raise InputError("The materials were changed while baking.", "Bake again.")
        unwire_sequences(obj, companions)
        baked = []
        for one, moving in zip(told, done.moving, strict=True):
            files = [Path(path) for path in one["files"]]
            label = f"Microface {done.generated.clip_name} {one['name']}"
            fps = float(done.generated.fps)
            image = wire_sequence(targets[one["name"]], files, label, one["space"], base, fps)
            baked.append(BakedTexture(one["name"], image, tuple(files), moving, one["space"]))
        bake = TextureBake(done.name, done.folder, tuple(baked), tuple(done.outcome["notes"]))
        keep_evidence(obj, done.generated, base, done.over, bake, relative_to_file)
        names = ", ".join(one.name for one in baked) or "no texture moves"
        desk().message = f"Textures baked: {names}"
        if bake.notes:
            desk().notes[done.name] = (*desk().notes.get(done.name, ()), *bake.notes)
        return {"FINISHED"}
