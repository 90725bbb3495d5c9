"""Wire textures that a second Blender has baked, as one step to undo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
from numpy.typing import NDArray

from ...errors import InputError
from ..bake.materials import unwire_sequences, wire_sequence
from ..bake.shape_keys import ShapeKeyBake
from ..bake.targets import Target, find_targets
from ..bake.texture import BakedTexture, TextureBake
from ..bake.time import TimeBase, scene_time
from ..bake.wrinkle_nodes import wire_maps
from ..character.stage import find_companions, home_scene
from ..generated import Generated
from .desk import desk
from .evidence import keep_evidence, relative_to_file
from .parcel import read_maps
from .reporting import reporting


@dataclass
class Waiting:
    """What a second Blender has baked for the character `name`, and is not wired yet.

    `over` the shape keys that it goes over, `into` the folder with its pictures, `outcome` and
    `arrays` what the other Blender told, `size` of plain textures, `start_frame` on the timeline;
    `wire` is called with the character, the time base and this.
    """

    name: str
    generated: Generated
    over: ShapeKeyBake | None
    into: Path
    outcome: dict[str, Any]
    arrays: list[NDArray[Any]]
    size: int
    start_frame: float
    wire: Callable[[Any, TimeBase, Waiting], None]


def wire_later(waiting: Waiting) -> None:
    """Wire what was baked, from a timer, with an undo step."""
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
        done.wire(obj, scene_time(home_scene(obj), done.start_frame), done)
        return {"FINISHED"}


def show_textures(obj: Any, base: TimeBase, done: Waiting) -> None:
    """Play baked sequences, and leave evidence of them."""
    targets = _cleared(obj, done, "textures")
    baked = []
    for one, moving in zip(done.outcome["textures"], done.arrays, strict=True):
        files = [done.into / path for path in one["files"]]
        label = f"Microface {done.generated.clip_name} {one['name']}"
        fps = float(done.generated.fps)
        image = wire_sequence(targets[one["name"]], files, label, one["space"], base, fps)
        baked.append(BakedTexture(one["name"], image, tuple(files), moving, one["space"]))
    bake = TextureBake(done.name, done.into, tuple(baked), tuple(done.outcome["notes"]))
    keep_evidence(obj, done.generated, base, done.over, bake, relative_to_file)
    names = ", ".join(one.name for one in baked) or "no texture moves"
    desk().message = f"Textures baked: {names}"
    if bake.notes:
        desk().notes[done.name] = (*desk().notes.get(done.name, ()), *bake.notes)


def show_maps(obj: Any, base: TimeBase, done: Waiting) -> None:
    """Play wrinkle maps."""
    targets = _cleared(obj, done, "maps")
    found = read_maps(done.into, done.outcome["maps"], done.arrays)
    for maps in found:
        label = f"Microface {done.generated.clip_name} {maps.texture}"
        wire_maps(targets[maps.texture], maps, label, done.generated.times, base)
    desk().message = told_of_maps(len(found))


def told_of_maps(count: int) -> str:
    """Return what is said of a bake of wrinkle maps for so many textures."""
    if not count:
        return "No wrinkle maps: nothing is left over that would be seen"
    return f"Wrinkle maps baked for {count} textures"


def _cleared(obj: Any, done: Waiting, kind: str) -> dict[str, Target]:
    """Take what plays out of the materials; return what can be textured, by name."""
    companions = tuple(one for one in find_companions(obj, home_scene(obj)) if one.type == "MESH")
    targets = {one.name: one for one in find_targets(obj, done.size, companions)}
    if any(one["name"] not in targets for one in done.outcome[kind]):
        raise InputError("The materials were changed while baking.", "Bake again.")
    unwire_sequences(obj, companions)
    return targets
