"""A scene of our own to look at a character in: the user's scene is never touched.

Everything is done to copies in a temporary scene, which is removed at the end, also after an
error: cameras, lights, render settings, animation and shape-key values of the user stay as they
were.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import bpy
import numpy as np

from ...errors import InputError
from .shape_keys import driven_keys, values_kept

#: What can hide or complete a face in the picture.
RENDERED_TYPES = {"MESH", "CURVE", "CURVES", "SURFACE"}
#: A neighbour more than this many times the character's size is scenery.
SCENERY_FACTOR = 3.0


@dataclass
class Stage:
    """A temporary scene holding one character.

    `obj` is the character in it (a copy when `neutral`) and `original` the user's own;
    `companions` are the other objects that belong to the picture (eyes, lashes, teeth, hair as
    objects of their own).
    """

    scene: Any
    obj: Any
    original: Any
    companions: list[Any] = field(default_factory=list)

    @property
    def depsgraph(self) -> Any:
        """The evaluated state of the temporary scene, up to date."""
        layer = self.scene.view_layers[0]
        layer.update()
        return layer.depsgraph


@contextmanager
def stage(obj: Any, *, neutral: bool = True) -> Iterator[Stage]:
    """Set up the temporary scene at the user's current frame.

    With `neutral`, the character and its companions are copies whose shape keys have no
    animation and stand at zero; without, the objects themselves stand there as animated. Nested
    use is not supported. Raises `InputError` if the object is in no scene.
    """
    home = home_scene(obj)
    companions = find_companions(obj, home)
    made: list[Any] = []
    scene = bpy.data.scenes.new("Microface stage")
    try:
        scene.render.fps, scene.render.fps_base = home.render.fps, home.render.fps_base
        scene.unit_settings.scale_length = home.unit_settings.scale_length
        scene.frame_start, scene.frame_end = home.frame_start, home.frame_end
        with values_kept(obj):
            cast = [obj, *companions]
            if neutral:
                cast = [_neutral_copy(one, made) if _has_keys(one) else one for one in cast]
            for one in cast:
                scene.collection.objects.link(one)
            scene.frame_set(home.frame_current, subframe=home.frame_subframe)
            yield Stage(scene, cast[0], obj, cast[1:])
    finally:
        remove_stage(scene, made)
        # The character's bounds were last worked out for another moment.
        home.view_layers[0].update()


def remove_stage(scene: Any, made: list[Any]) -> None:
    """Remove the temporary scene with all that was made for it."""
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
    for one in made:
        data = one.data
        bpy.data.objects.remove(one)
        bpy.data.meshes.remove(data)


def home_scene(obj: Any) -> Any:
    """Return the user's scene that `obj` is in: the current one if it can be."""
    current = bpy.context.scene
    if current is not None and current.objects.get(obj.name) == obj:
        return current
    scenes = list(obj.users_scene)
    if not scenes:
        raise InputError(f"'{obj.name}' is in no scene.", "Link the object to a scene.")
    return scenes[0]


def find_companions(obj: Any, scene: Any) -> list[Any]:
    """Return the render-visible objects of `scene` that stand in the same place as `obj`.

    Eyes, lashes, teeth and hair are often meshes of their own. Scenery, much larger than the
    character, and whatever does not overlap it, is left out.
    """
    low, high = _bounds(obj)
    size = float(np.linalg.norm(high - low))
    margin = 0.02 * size
    found = []
    for other in scene.objects:
        if other == obj or other.type not in RENDERED_TYPES or other.hide_render:
            continue
        other_low, other_high = _bounds(other)
        if float(np.linalg.norm(other_high - other_low)) > SCENERY_FACTOR * size:
            continue
        if np.all(other_low <= high + margin) and np.all(other_high >= low - margin):
            found.append(other)
    return found


def _bounds(obj: Any) -> tuple[Any, Any]:
    corners = np.array([[*list(corner), 1.0] for corner in obj.bound_box])
    world = corners @ np.array(obj.matrix_world).T
    return world[:, :3].min(axis=0), world[:, :3].max(axis=0)


def _has_keys(obj: Any) -> bool:
    return obj.type == "MESH" and obj.data.shape_keys is not None


def _neutral_copy(obj: Any, made: list[Any]) -> Any:
    copy = obj.copy()
    copy.data = obj.data.copy()
    made.append(copy)
    copy.hide_render = False
    copy.hide_viewport = False
    copy.show_only_shape_key = False
    keys = copy.data.shape_keys
    # What a rig drives (a corrective shape, say) belongs to the pose, and stays as it is.
    driven = driven_keys(keys)
    keys.animation_data_clear()
    for key in keys.key_blocks:
        if key.name not in driven:
            key.value = 0.0
    return copy
