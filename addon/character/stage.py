"""A scene of our own to look at a character in: the user's scene is never touched.

Everything is done to copies in a temporary scene, which is removed at the end, also after an
error: cameras, lights, render settings, animation and shape-key values of the user stay as they
were.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import bpy

from .atrest import at_rest
from .channel import Target, set_number
from .channels import Channel, face_channels
from .controls import rests
from .copies import Cast, cast_neutral
from .family import find_companions, has_keys, home_scene
from .outlines import outlines_off
from .shape_keys import values_kept
from .subdivision import limit_surfaces_off

__all__ = ["Stage", "find_companions", "home_scene", "remove_stage", "stage"]


@dataclass
class Stage:
    """A temporary scene holding one character.

    `obj` is the character in it (a copy when `neutral`) and `original` the user's own;
    `channels` what a bake may move of it (empty where it is not `neutral`), all of it at rest;
    `companions` are the other objects that belong to the picture (eyes, lashes, teeth, hair as
    objects of their own). `parts` are those of them that may move with the face, and `names` what
    the user calls `obj` and the `parts`.
    """

    scene: Any
    obj: Any
    original: Any
    channels: tuple[Channel, ...] = ()
    companions: list[Any] = field(default_factory=list)
    parts: list[Any] = field(default_factory=list)
    names: tuple[str, ...] = ()
    stand_ins: dict[Any, Any] = field(default_factory=dict)

    @property
    def depsgraph(self) -> Any:
        """The evaluated state of the temporary scene, up to date."""
        layer = self.scene.view_layers[0]
        layer.update()
        return layer.depsgraph

    def set(self, target: Target, value: float) -> None:
        """Set a target on the copy that stands in for its data block."""
        block = target.block()
        set_number(self.stand_ins.get(block, block), target.data_path, target.index, value)


@contextmanager
def stage(obj: Any, *, neutral: bool = True) -> Iterator[Stage]:
    """Set up the temporary scene at the user's current frame.

    With `neutral`, the character and its companions are copies whose shape keys have no
    animation and stand at their neutral, and the controls of its rig are held at rest; without,
    the objects themselves stand there as animated. Nested use is not supported. Raises
    `InputError` if the object is in no scene, or has nothing that could be moved.
    """
    home = home_scene(obj)
    originals = [obj, *find_companions(obj, home)]
    for one in originals:
        if one.mode != "OBJECT":
            one.update_from_editmode()  # what is being edited, as it is now
    channels = face_channels(obj) if neutral else ()
    cast = Cast(list(originals))
    scene = bpy.data.scenes.new("Microface stage")
    try:
        scene.render.fps, scene.render.fps_base = home.render.fps, home.render.fps_base
        scene.unit_settings.scale_length = home.unit_settings.scale_length
        scene.frame_start, scene.frame_end = home.frame_start, home.frame_end
        with ExitStack() as kept:
            kept.enter_context(outlines_off(originals))
            kept.enter_context(limit_surfaces_off(originals))
            for one in originals:
                if has_keys(one):
                    kept.enter_context(values_kept(one))
            if neutral:
                kept.enter_context(at_rest(rests(channels), home.view_layers[0]))
                cast = cast_neutral(originals)
            for one in cast.actors:
                scene.collection.objects.link(one)
            scene.frame_set(home.frame_current, subframe=home.frame_subframe)
            rigged = any(channel.kind == "control" for channel in channels)
            moving = [
                (str(original.name), actor)
                for original, actor in zip(originals[1:], cast.actors[1:], strict=True)
                if actor.type == "MESH" and (rigged or original in cast.stand_ins)
            ]
            yield Stage(
                scene,
                cast.actors[0],
                obj,
                channels,
                cast.actors[1:],
                [actor for _, actor in moving],
                (str(obj.name), *(name for name, _ in moving)),
                cast.stand_ins,
            )
    finally:
        remove_stage(scene)
        cast.remove()
        # The character's bounds were last worked out for another moment.
        home.view_layers[0].update()


def remove_stage(scene: Any) -> None:
    """Remove the temporary scene with the camera, light and world that were made for it."""
    own = [one for one in scene.collection.objects if one.type in {"CAMERA", "LIGHT"}]
    world = scene.world
    bpy.data.scenes.remove(scene)
    for one in own:
        data = one.data
        kind = bpy.data.cameras if one.type == "CAMERA" else bpy.data.lights
        bpy.data.objects.remove(one)
        kind.remove(data)
    if world is not None and world.users == 0:
        bpy.data.worlds.remove(world)
