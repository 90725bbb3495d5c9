"""A character seen from its framing: what is visible, and how shape keys move it in the image."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from .evaluate import EvaluatedFace, Part, evaluate_face, probe_weight
from .framing import Framing, frame_face
from .opacity import hiding
from .raster import rasterise
from .stage import Stage
from .surface import Surface, evaluate_surface, vertex_areas

#: A surface at a steeper angle to the view than this (cosine) is not trusted.
SQUARE_ENOUGH = 0.15
#: Depth slack for visibility, as a share of the view's width.
DEPTH_SLACK = 0.006
#: A vertex counts for the solve if a key moves it by this share of what moves most: some that
#: hardly move are wanted, to tell an expression from a shift of the head.
COUNTING_SHARE = 0.02
#: Fewer visible vertices than this say nothing.
FEWEST_VERTICES = 3
#: More vertices than this say nothing more about the weights.
MOST_VERTICES = 5000


@dataclass(frozen=True)
class FaceView:
    """A neutral face, its framing, and what lies nearest at each pixel.

    `nearest` (R,R) float32: distance of the first opaque surface, infinity off the character;
    `others`: the surfaces of companion objects.
    """

    face: EvaluatedFace
    framing: Framing
    nearest: NDArray[np.float32]
    others: tuple[Surface, ...]

    def visibility(
        self, pixels: NDArray[np.floating[Any]], depth: NDArray[np.floating[Any]]
    ) -> NDArray[np.bool_]:
        """Return for (N,2) pixel positions at (N,) depths whether nothing lies in front."""
        size = self.framing.resolution
        column = np.rint(pixels[:, 0]).astype(np.int64)
        row = np.rint(pixels[:, 1]).astype(np.int64)
        inside = (column >= 0) & (row >= 0) & (column < size) & (row < size)
        first = self.nearest[np.clip(row, 0, size - 1), np.clip(column, 0, size - 1)]
        return np.asarray(inside & (depth <= first + DEPTH_SLACK * self.framing.width))

    def facing(
        self, positions: NDArray[np.floating[Any]], normals: NDArray[np.floating[Any]]
    ) -> NDArray[np.float64]:
        """Return the cosine (N,) between the surface normals and the direction to the camera."""
        towards = self.framing.eye - positions
        towards = towards / np.linalg.norm(towards, axis=1, keepdims=True)
        return np.asarray((normals * towards).sum(axis=1))


@dataclass(frozen=True)
class Jacobian:
    """How the channels move the visible vertices of all meshes of the face in the image.

    `pixels` (V,2) float64 positions, `matrix` (V,2,S) float16 pixels per channel's `unit` (x
    right, y down), `confidence` (V,) float32 in 0..1 (how squarely the vertex is seen), `names` (S)
    of the channels. `meshes` are the face's objects; row v is vertex `vertex[v]` of the evaluated
    `meshes[mesh[v]]`.
    """

    pixels: NDArray[np.float64]
    matrix: NDArray[np.float16]
    confidence: NDArray[np.float32]
    names: tuple[str, ...]
    meshes: tuple[str, ...]
    mesh: NDArray[np.int32]
    vertex: NDArray[np.int32]


def view_face(
    on: Stage,
    resolution: int,
    framing: Framing | None = None,
    *,
    face: EvaluatedFace | None = None,
    turn_degrees: float = 0.0,
) -> FaceView:
    """Evaluate the character on a neutral stage and frame its face (or take a given framing).

    A `face` evaluated on this stage is taken as it is; `turn_degrees` as of `frame_face`.
    """
    face = face or evaluate_face(on)
    surface = face.surface
    votes = face.votes * vertex_areas(surface.positions, surface.triangles)
    core = votes > 0
    if framing is None:
        framing = frame_face(
            surface.positions[core],
            surface.normals[core],
            votes[core],
            face.axes,
            resolution,
            turn_degrees,
        )
    others = tuple(
        evaluate_surface(one, on.depsgraph) for one in on.companions if one.type == "MESH"
    )
    return FaceView(face, framing, nearest_depth(framing, surface, *_opaque(on, others)), others)


def _opaque(on: Stage, others: tuple[Surface, ...]) -> list[Surface]:
    """Return what of the companions' surfaces hides what lies behind it."""
    meshes = [one for one in on.companions if one.type == "MESH"]
    return [
        replace(surface, triangles=surface.triangles[hiding(one, surface)])
        for one, surface in zip(meshes, others, strict=True)
    ]


def nearest_depth(framing: Framing, *surfaces: Surface) -> NDArray[np.float32]:
    """Return the distance (R,R) of the nearest surface at each pixel, infinity where none is."""
    nearest = np.full((framing.resolution, framing.resolution), np.inf, np.float32)
    for surface in surfaces:
        if len(surface.triangles) == 0:
            continue
        pixels, depth = framing.project(surface.positions)
        _, _, here = rasterise(
            pixels[surface.triangles],
            depth[surface.triangles],
            framing.resolution,
            framing.resolution,
        )
        nearest = np.minimum(nearest, here)
    return nearest


def project_keys(view: FaceView) -> Jacobian:
    """Return the channels' motion in the image at the visible vertices of the face.

    At most `MOST_VERTICES` vertices, spread evenly over the image.
    """
    face, framing = view.face, view.framing
    main = Part("", face.surface, face.displacement)
    parts = (main, *face.parts)
    counting = COUNTING_SHARE * float(np.percentile(face.reach, 99.5))
    seen = [_seen(view, part, counting) for part in parts]
    mesh = np.repeat(np.arange(len(parts)), [len(vertices) for vertices, _, _ in seen])
    vertex, pixels, square = (np.concatenate(columns) for columns in zip(*seen, strict=True))
    chosen = _spread(pixels, square, framing.resolution)
    mesh, vertex, pixels, square = mesh[chosen], vertex[chosen], pixels[chosen], square[chosen]
    matrix = np.empty((len(chosen), 2, len(face.channels)), np.float16)
    for index, channel in enumerate(face.channels):
        step = probe_weight(channel)
        for number, part in enumerate(parts):
            rows = mesh == number
            at = part.surface.positions[vertex[rows]]
            moved, _ = framing.project(at + step * part.displacement[index, vertex[rows]])
            matrix[rows, :, index] = (moved - pixels[rows]) / (step / channel.unit)
    names = tuple(channel.name for channel in face.channels)
    return Jacobian(
        pixels,
        matrix,
        square.astype(np.float32),
        names,
        (face.name, *(part.name for part in face.parts)),
        mesh.astype(np.int32),
        vertex.astype(np.int32),
    )


def see_face(view: FaceView) -> Jacobian:
    """Return `project_keys` of a view; raises `InputError` if too little of the face is seen."""
    jacobian = project_keys(view)
    count = len(jacobian.pixels)
    if count < FEWEST_VERTICES:
        total = len(view.face.surface.positions)
        raise InputError(
            f"{count or 'None'} of the {total} vertices of '{view.face.name}' is seen and moves.",
            "Choose the mesh of the face, and hide from renders what stands before it.",
        )
    return jacobian


def _seen(
    view: FaceView, part: Part, counting: float
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return a mesh's vertices (N,) that are seen and move, their pixels (N,2) and facing (N,)."""
    positions = part.surface.positions
    pixels, depth = view.framing.project(positions)
    square = view.facing(positions, part.surface.normals)
    reach = np.sqrt((part.displacement**2).sum(axis=2)).max(axis=0)
    usable = (reach > counting) & view.visibility(pixels, depth) & (square > SQUARE_ENOUGH)
    chosen = np.flatnonzero(usable)
    return chosen, pixels[chosen], square[chosen]


def _spread(
    pixels: NDArray[np.float64], square: NDArray[np.float64], resolution: int
) -> NDArray[np.int64]:
    """Return indices of at most `MOST_VERTICES` points: the squarest of each image cell."""
    order = np.argsort(-square, kind="stable")
    cell = 1.0
    while len(order) > MOST_VERTICES:
        grid = np.floor(pixels[order] / cell).astype(np.int64)
        key = grid[:, 1] * (resolution * 4) + grid[:, 0]
        _, first = np.unique(key, return_index=True)
        if len(first) <= MOST_VERTICES:
            order = order[np.sort(first)]
        cell *= 1.25
    return np.sort(order)
