"""The built-in character as a Blender object with shape keys, texture and materials."""

from __future__ import annotations

import bpy
import numpy as np
import numpy.typing as npt

from ...errors import InputError
from ...head import IDENTITIES, Head, Identity, build_head
from .builtin_materials import head_materials

#: Blender units per centimetre: the head is made in metres.
METRES_PER_CENTIMETRE = 0.01


def named_identity(name: str) -> Identity:
    """Return the identity called `name`.

    Raises InputError for an unknown name, listing the known ones.
    """
    if name not in IDENTITIES:
        raise InputError(
            f'There is no identity called "{name}".', f"Choose one of: {', '.join(IDENTITIES)}."
        )
    return IDENTITIES[name]


def create_character(identity: Identity, name: str = "Ada") -> bpy.types.Object:
    """Make the built-in character and link it to the scene's collection.

    The object stands upright in metres, facing -Y, its origin between the eyeballs. Its mesh has
    one UV map, one packed image for all materials, and one shape key per name of the head.
    """
    head = build_head(identity)
    mesh = _mesh(head, name)
    character = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(character)
    _shape_keys(character, head)
    return character


def to_blender(points: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Turn head coordinates (..., 3) in centimetres into Blender's: metres, z up, facing -y."""
    turned = np.stack([points[..., 0], -points[..., 2], points[..., 1]], axis=-1)
    return np.ascontiguousarray(turned * np.float32(METRES_PER_CENTIMETRE))


def _mesh(head: Head, name: str) -> bpy.types.Mesh:
    mesh = bpy.data.meshes.new(name)
    corners = head.faces >= 0
    sizes = corners.sum(axis=1)
    mesh.vertices.add(len(head.vertices))
    mesh.vertices.foreach_set("co", to_blender(head.vertices).ravel())
    mesh.loops.add(int(sizes.sum()))
    mesh.loops.foreach_set("vertex_index", head.faces[corners])
    mesh.polygons.add(len(head.faces))
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32)
    mesh.polygons.foreach_set("loop_start", starts)
    mesh.polygons.foreach_set("loop_total", sizes.astype(np.int32))
    mesh.polygons.foreach_set("material_index", head.material.astype(np.int32))
    mesh.polygons.foreach_set("use_smooth", np.ones(len(head.faces), dtype=bool))
    layer = mesh.uv_layers.new(name="UVMap")
    layer.uv.foreach_set("vector", head.uv[head.uv_faces[corners]].ravel())
    mesh.update(calc_edges=True)
    for material in head_materials(name, head.material_names, head.texture):
        mesh.materials.append(material)
    return mesh


def _shape_keys(character: bpy.types.Object, head: Head) -> None:
    character.shape_key_add(name="Basis", from_mix=False)
    for name, movement in zip(head.shape_names, head.shapes, strict=True):
        key = character.shape_key_add(name=name, from_mix=False)
        key.data.foreach_set("co", to_blender(head.vertices + movement).ravel())
        key.slider_min, key.slider_max = 0.0, 1.0
        key.value = 0.0
