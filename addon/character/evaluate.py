"""The character's surface in numbers, as Blender evaluates it with its modifiers and rig."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from .shape_keys import ShapeKeys, read_shape_keys
from .stage import Stage

#: Weight at which a shape key's displacement is measured: the size of a micro-expression.
PROBE_WEIGHT = 0.25
#: A key has those vertices in its middle that it moves by this share of what it moves most.
CORE_SHARE = 0.5


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


@dataclass(frozen=True)
class EvaluatedFace:
    """A character's neutral surface and what each shape key does to it.

    `displacement` (S,V,3) float32: world displacement per unit of weight (measured at the weight
    of a micro-expression, so that rigs which are not linear are met where they are used).
    `axes` (3,3): the axes that the face was modelled in, as columns in the world (posed with it).
    """

    surface: Surface
    keys: ShapeKeys
    displacement: NDArray[np.float32]
    axes: NDArray[np.float64]

    @property
    def reach(self) -> NDArray[np.float32]:
        """How far the keys move each vertex at most, (V,) in scene units."""
        return np.asarray(np.sqrt((self.displacement**2).sum(axis=2)).max(axis=0))

    @property
    def votes(self) -> NDArray[np.float64]:
        """How many keys have each vertex (V,) in the middle of what they move.

        A key votes for the vertices that it moves at least half as far as any. Every key counts
        alike, a brow as much as a jaw that takes the neck along.
        """
        votes = np.zeros(self.displacement.shape[1])
        for displacement in self.displacement:
            square = (displacement**2).sum(axis=1)
            votes += square > CORE_SHARE**2 * max(float(square.max()), 1e-24)
        return votes


def evaluate_face(on: Stage) -> EvaluatedFace:
    """Evaluate the neutral and every shape key of the character on a neutral stage.

    Raises `InputError` for a mesh with invalid coordinates, without faces, or whose modifiers
    change the vertex count with the expression.
    """
    keys = read_shape_keys(on.original)
    surface = evaluate_surface(on.obj, on.depsgraph)
    if len(surface.triangles) == 0:
        raise InputError(f"'{on.obj.name}' has no faces.", "Choose the mesh of the face.")
    if not np.isfinite(surface.positions).all():
        raise InputError(
            f"'{on.obj.name}' has vertices at invalid (NaN) coordinates.",
            "Delete or mend these vertices (Mesh > Clean Up).",
        )
    blocks = on.obj.data.shape_keys.key_blocks
    displacement = np.empty((len(keys.names), *surface.positions.shape), np.float32)
    for index, name in enumerate(keys.names):
        weight = probe_weight(float(keys.lower[index]), float(keys.upper[index]))
        blocks[name].value = weight
        positions = _positions(on.obj, on.depsgraph)
        blocks[name].value = 0.0
        if positions.shape != surface.positions.shape:
            raise InputError(
                f"The modifiers of '{on.obj.name}' change its vertex count with key '{name}'.",
                "Turn off modifiers such as Decimate, Weld or Boolean while baking.",
            )
        displacement[index] = (positions - surface.positions) / weight
    if not np.isfinite(displacement).all():
        raise InputError(
            f"A shape key of '{on.obj.name}' moves vertices to invalid (NaN) coordinates.",
            "Delete or mend that shape key.",
        )
    axes = np.array(on.obj.evaluated_get(on.depsgraph).matrix_world, np.float64)[:3, :3]
    face = EvaluatedFace(surface, keys, displacement, axes)
    rest = _rest_positions(on.obj)
    core = face.votes > 0
    if len(rest) != len(surface.positions) or core.sum() < 3:
        return face
    return replace(face, axes=_rotation(rest[core], surface.positions[core]))


def _rest_positions(obj: Any) -> NDArray[np.float64]:
    flat = np.empty(len(obj.data.vertices) * 3, np.float32)
    obj.data.shape_keys.reference_key.data.foreach_get("co", flat)
    return flat.reshape(-1, 3).astype(np.float64)


def _rotation(
    source: NDArray[np.floating[Any]], posed: NDArray[np.floating[Any]]
) -> NDArray[np.float64]:
    """Return the rotation (3,3) that best takes the points `source` to `posed` (Kabsch 1976)."""
    moment = (source - source.mean(axis=0)).T @ (posed - posed.mean(axis=0)).astype(np.float64)
    u, _, vt = np.linalg.svd(moment)
    flip = np.diag([1.0, 1.0, float(np.sign(np.linalg.det(vt.T @ u.T))) or 1.0])
    return np.asarray(vt.T @ flip @ u.T)


def probe_weight(lower: float, upper: float) -> float:
    """Return the weight at which to measure a key with this slider range (never 0)."""
    return min(PROBE_WEIGHT, upper) if upper >= -lower else max(-PROBE_WEIGHT, lower)


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
        positions = _world_positions(mesh, evaluated.matrix_world)
        uv = None
        layer = next((one for one in mesh.uv_layers if one.active_render), None)
        if layer is not None and count:
            flat = np.empty(len(mesh.loops) * 2, np.float32)
            layer.uv.foreach_get("vector", flat)
            uv = flat.reshape(-1, 2)[loops].reshape(count, 3, 2)
    finally:
        evaluated.to_mesh_clear()
    triangles = triangles.reshape(count, 3)
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


def _positions(obj: Any, depsgraph: Any) -> NDArray[np.float32]:
    evaluated = obj.evaluated_get(depsgraph)
    mesh = evaluated.to_mesh()
    try:
        return _world_positions(mesh, evaluated.matrix_world)
    finally:
        evaluated.to_mesh_clear()


def _world_positions(mesh: Any, matrix: Any) -> NDArray[np.float32]:
    flat = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", flat)
    world = np.array(matrix, np.float64)
    return np.asarray(flat.reshape(-1, 3) @ world[:3, :3].T + world[:3, 3], np.float32)
