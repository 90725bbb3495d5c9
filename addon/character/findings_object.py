"""What is wrong with a character's object: linked, scaled, hidden, shared, without colour."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .family import face_about, find_companions, home_scene, stands_behind
from .findings import Finding, Severity, listed
from .shape_keys import ACTION_PREFIX
from .subdivision import subdivided_faces

#: An object scale that differs from 1 by more than this counts as not applied.
SCALE_SLACK = 1e-4
#: Modifiers that make other vertices of every expression.
RECOUNTING = {"BOOLEAN", "DECIMATE", "REMESH", "WELD"}
#: Geometry nodes that do, and those that do once they are realised.
_RECOUNTING_NODES = {"GeometryNodeMeshBoolean", "GeometryNodeMergeByDistance"}
_SCATTERING_NODES = {"GeometryNodeDistributePointsOnFaces", "GeometryNodeMeshToPoints"}
#: From this many faces on a subdivided mesh takes half a second a channel to measure.
MANY_FACES = 400_000


def _library(obj: Any, block: Any) -> Iterator[Finding]:
    if any(one.library is not None for one in (obj, obj.data, block)):
        yield Finding(
            Severity.ERROR,
            f"'{obj.name}' is linked from another file and cannot be keyed.",
            "Make a library override of it (Object > Library Override > Make).",
            "override",
        )


def _animated(obj: Any, block: Any) -> Iterator[Finding]:
    action = block.animation_data and block.animation_data.action
    if action and not action.name.startswith(ACTION_PREFIX):
        yield Finding(
            Severity.NOTE,
            f"The shape keys are already animated by '{action.name}'.",
            "A bake is laid over it and leaves it as it is.",
        )


def _texture_coordinates(obj: Any, block: Any) -> Iterator[Finding]:
    if not obj.data.uv_layers:
        yield Finding(
            Severity.WARNING,
            f"'{obj.name}' has no UVs, so textures cannot be baked.",
            "Unwrap the mesh (UV > Unwrap); shape keys can be baked without.",
            "unwrap",
        )


def _small_part(obj: Any, block: Any) -> Iterator[Finding]:
    """Tell of teeth, eyes, lashes that were chosen in place of the face whose keys they have."""
    face = face_about(obj) if obj.users_scene else None
    if face is not None:
        yield Finding(
            Severity.WARNING,
            f"'{face.name}' is larger than '{obj.name}' and has its shape keys too.",
            f"Choose '{face.name}' if it is the face; '{obj.name}' goes along.",
        )


def _scale(obj: Any, block: Any) -> Iterator[Finding]:
    scale = np.array(obj.matrix_world.to_scale())
    if np.abs(scale).min() < 1e-6:
        yield Finding(
            Severity.ERROR,
            f"'{obj.name}' is scaled to nothing.",
            "Set the object's scale to 1.",
            "unscale",
        )
    elif np.abs(scale - scale[0]).max() > SCALE_SLACK * abs(scale[0]) or scale.min() < 0:
        yield Finding(
            Severity.NOTE,
            f"'{obj.name}' has an uneven or mirrored scale.",
            "A bake takes it as it is; apply it (Object > Apply > Scale) if it was not meant.",
            "apply-scale",
        )


def _hidden(obj: Any, block: Any) -> Iterator[Finding]:
    if not obj.users_scene:
        yield Finding(
            Severity.ERROR, f"'{obj.name}' is in no scene.", "Link the object to a scene.", "link"
        )
        return
    if obj.hide_render and not stands_behind(obj, find_companions(obj, home_scene(obj))):
        yield Finding(
            Severity.NOTE,
            f"'{obj.name}' is hidden from renders.",
            "The neutral is rendered all the same; show it to see the bake in your own renders.",
            "show",
        )


def _shared(obj: Any, block: Any) -> Iterator[Finding]:
    if obj.data.users > 1:
        import bpy

        sharing = [one.name for one in bpy.data.objects if one.data == obj.data and one != obj]
        if sharing:
            yield Finding(
                Severity.WARNING,
                f"{listed(sharing)} shares the mesh of '{obj.name}' and would move with it.",
                "Give the character a mesh of its own (Object > Relations > Make Single User).",
                "single-user",
            )


def recounts(modifier: Any) -> bool:
    """Return whether a modifier may make other vertices of every expression."""
    if modifier.type != "NODES" or modifier.node_group is None:
        return modifier.type in RECOUNTING
    kinds = set(_node_kinds(modifier.node_group))
    scatters = "GeometryNodeRealizeInstances" in kinds and not kinds.isdisjoint(_SCATTERING_NODES)
    return scatters or not kinds.isdisjoint(_RECOUNTING_NODES)


def _node_kinds(tree: Any) -> Iterator[str]:
    for node in tree.nodes:
        yield str(node.bl_idname)
        if node.bl_idname == "GeometryNodeGroup" and node.node_tree is not None:
            yield from _node_kinds(node.node_tree)


def _modifiers(obj: Any, block: Any) -> Iterator[Finding]:
    found = [one.name for one in obj.modifiers if one.show_viewport and recounts(one)]
    if found:
        yield Finding(
            Severity.WARNING,
            f"{listed(found)} may make other vertices of every expression, which cannot be baked.",
            "Turn these modifiers off, or apply them.",
            "modifiers",
        )


def _subdivision(obj: Any, block: Any) -> Iterator[Finding]:
    found = [one for one in obj.modifiers if one.type == "SUBSURF" and one.show_viewport]
    levels = sum(int(one.levels) for one in found)
    faces = subdivided_faces(obj, levels)
    if levels and faces >= MANY_FACES:
        yield Finding(
            Severity.NOTE,
            f"{listed([one.name for one in found])} makes about {faces:,} faces, on which every"
            " channel is measured: that takes a while.",
            "A lower viewport level measures the same expressions sooner.",
        )


def _mode(obj: Any, block: Any) -> Iterator[Finding]:
    if obj.mode not in {"OBJECT", "POSE"}:
        yield Finding(
            Severity.NOTE,
            f"'{obj.name}' is in {obj.mode.lower().replace('_', ' ')} mode.",
            "It is taken as it is now; leave the mode if you are not done with it.",
            "object-mode",
        )


def _colour(obj: Any, block: Any) -> Iterator[Finding]:
    if not any(slot.material for slot in obj.material_slots):
        yield Finding(
            Severity.WARNING,
            f"'{obj.name}' has no material.",
            "Give it one with a skin texture; a plain grey face is hard to read.",
            "material",
        )


QUICK_OBJECT_CHECKS: tuple[Callable[[Any, Any], Iterator[Finding]], ...] = (
    _library,
    _animated,
    _small_part,
    _texture_coordinates,
    _scale,
    _hidden,
    _shared,
    _modifiers,
    _subdivision,
    _mode,
    _colour,
)
