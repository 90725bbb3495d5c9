"""Which objects make up one face: the main mesh, and brows, lashes, eyes, teeth of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ...errors import InputError

#: What can hide or complete a face in the picture.
RENDERED_TYPES = {"MESH", "CURVE", "CURVES", "SURFACE"}
#: A neighbour more than this many times the character's size is scenery.
SCENERY_FACTOR = 3.0
#: A mesh of the same shape keys that is so many times larger is the face, and this one a part.
PART_FACTOR = 1.5
#: Modifiers by which a skin follows another mesh.
BINDING_MODIFIERS = {"MESH_DEFORM", "SURFACE_DEFORM"}
#: It is at least this share of that mesh in size, which lashes are not.
SKIN_SHARE = 0.5


def family_of(obj: Any) -> list[Any]:
    """Return the meshes of the face that have shape keys, `obj` first.

    The others stand in the same place, and have a key of a name that `obj` has too, or hang on
    the same rig. Raises `InputError` if the object is in no scene.
    """
    names = set(obj.data.shape_keys.key_blocks.keys()[1:])
    roots = set(_ties(obj))
    family = [obj]
    for other in find_companions(obj, home_scene(obj)):
        if not has_keys(other) or not other.data.shape_keys.use_relative:
            continue
        if other.data.shape_keys.library is not None:
            continue  # it cannot be keyed
        shares = not names.isdisjoint(other.data.shape_keys.key_blocks.keys()[1:])
        if shares or not roots.isdisjoint(_ties(other)):
            family.append(other)
    return family


def face_about(obj: Any) -> Any:
    """Return the larger mesh about `obj` that has all its shape keys too, None where there is none.

    Of a face, teeth and eyes: the face, whichever of the others `obj` is.
    """
    names = set(obj.data.shape_keys.key_blocks.keys()[1:])
    low, high = _bounds(obj)
    middle, least = (low + high) / 2, PART_FACTOR * _size(obj)
    for other in home_scene(obj).objects:
        if other == obj or not has_keys(other) or _size(other) < least:
            continue
        from_corner, to_corner = _bounds(other)
        about = np.all((middle >= from_corner) & (middle <= to_corner))
        if about and names <= set(other.data.shape_keys.key_blocks.keys()):
            return other
    return None


def _ties(obj: Any) -> Iterator[str]:
    """Yield the names of the object itself, its ancestors, and the rigs that deform it."""
    one = obj
    while one is not None:
        yield str(one.name)
        for modifier in one.modifiers:
            if modifier.type == "ARMATURE" and modifier.object is not None:
                yield str(modifier.object.name)
        one = one.parent


def has_keys(obj: Any) -> bool:
    """Return whether an object is a mesh with at least one shape key beside its basis."""
    return (
        obj.type == "MESH"
        and obj.data.shape_keys is not None
        and len(obj.data.shape_keys.key_blocks) > 1
    )


def home_scene(obj: Any) -> Any:
    """Return the user's scene that `obj` is in: the current one if it can be."""
    import bpy

    current = bpy.context.scene
    scenes = list(obj.users_scene)
    if current in scenes:
        return current
    if not scenes:
        raise InputError(f"'{obj.name}' is in no scene.", "Link the object to a scene.")
    return scenes[0]


def find_companions(obj: Any, scene: Any) -> list[Any]:
    """Return the render-visible objects of `scene` that stand in the same place as `obj`.

    Eyes, lashes, teeth and hair are often meshes of their own. Scenery, much larger than the
    character, and whatever does not overlap it, is left out.
    """
    low, high = _bounds(obj)
    size = _size(obj)
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


def stands_behind(obj: Any, others: Iterable[Any]) -> bool:
    """Return whether a face is hidden from renders for another mesh as large, bound to it.

    Rigs whose skin is heavy have the shape keys on a light mesh, which the skin follows.
    """
    if not obj.hide_render:
        return False
    size = _size(obj)
    return any(
        modifier.type in BINDING_MODIFIERS
        and obj in (getattr(modifier, "target", None), getattr(modifier, "object", None))
        and _size(other) >= SKIN_SHARE * size
        for other in others
        for modifier in other.modifiers
    )


def _size(obj: Any) -> float:
    low, high = _bounds(obj)
    return float(np.linalg.norm(high - low))


def _bounds(obj: Any) -> tuple[Any, Any]:
    corners = np.array([[*list(corner), 1.0] for corner in obj.bound_box])
    world = corners @ np.array(obj.matrix_world).T
    return world[:, :3].min(axis=0), world[:, :3].max(axis=0)
