"""A mesh in numbers, as Blender evaluates it with its modifiers and rig."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Surface:
    """One mesh as evaluated, in the world.

    `positions` (V,3) and `normals` (V,3) float32, `triangles` (T,3) int32 vertex ids, `uv`
    (T,3,2) float32 of the active render UV layer (v up) or None, `material` (T,) int32 slots.
    """

    positions: NDArray[np.float32]
    normals: NDArray[np.float32]
    triangles: NDArray[np.int32]
    uv: NDArray[np.float32] | None
    material: NDArray[np.int32]


def evaluate_surface(obj: Any, depsgraph: Any) -> Surface:
    """Return the evaluated surface of a mesh-like object in the world."""
    evaluated = obj.evaluated_get(depsgraph)
    mesh = evaluated.to_mesh()
    try:
        mesh.calc_loop_triangles()
        count = len(mesh.loop_triangles)
        triangles = np.empty(count * 3, np.int32)
        mesh.loop_triangles.foreach_get("vertices", triangles)
        loops = np.empty(count * 3, np.int32)
        mesh.loop_triangles.foreach_get("loops", loops)
        material = np.empty(count, np.int32)
        mesh.loop_triangles.foreach_get("material_index", material)
        positions = _positions_in_world(mesh, evaluated.matrix_world)
        uv = None
        layer = next((one for one in mesh.uv_layers if one.active_render), None)
        if layer is not None and count:
            flat = np.empty(len(mesh.loops) * 2, np.float32)
            layer.uv.foreach_get("vector", flat)
            uv = flat.reshape(-1, 2)[loops].reshape(count, 3, 2)
    finally:
        evaluated.to_mesh_clear()
    triangles = triangles.reshape(count, 3)
    if np.linalg.det(np.array(evaluated.matrix_world, np.float64)[:3, :3]) < 0:
        # A mirrored object's faces would look inwards.
        triangles = np.ascontiguousarray(triangles[:, ::-1])
        uv = None if uv is None else np.ascontiguousarray(uv[:, ::-1])
    return Surface(positions, vertex_normals(positions, triangles), triangles, uv, material)


def vertex_normals(
    positions: NDArray[np.float32], triangles: NDArray[np.int32]
) -> NDArray[np.float32]:
    """Return area-weighted unit vertex normals (V,3); zero where a vertex has no face."""
    corner = positions[triangles]
    face = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    total = np.zeros_like(positions)
    for axis in range(3):
        for column in range(3):
            total[:, axis] += np.bincount(
                triangles[:, column], face[:, axis], minlength=len(positions)
            )
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return np.asarray(total / np.maximum(length, 1e-20), np.float32)


def vertex_areas(
    positions: NDArray[np.float32], triangles: NDArray[np.int32]
) -> NDArray[np.float64]:
    """Return each vertex's share (V,) of the surface: a third of the triangles around it."""
    corner = positions[triangles].astype(np.float64)
    face = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    third = np.linalg.norm(face, axis=1) / 6
    return np.asarray(
        sum(np.bincount(column, third, minlength=len(positions)) for column in triangles.T)
    )


def world_positions(obj: Any, depsgraph: Any) -> NDArray[np.float32]:
    evaluated = obj.evaluated_get(depsgraph)
    mesh = evaluated.to_mesh()
    try:
        return _positions_in_world(mesh, evaluated.matrix_world)
    finally:
        evaluated.to_mesh_clear()


def _positions_in_world(mesh: Any, matrix: Any) -> NDArray[np.float32]:
    flat = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", flat)
    world = np.array(matrix, np.float64)
    return np.asarray(flat.reshape(-1, 3) @ world[:3, :3].T + world[:3, 3], np.float32)
