"""The character's neutral surface in numbers, and what each channel does to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from .channel import Channel
from .crowd import facial
from .shape_keys import ShapeKeys
from .stage import Stage
from .surface import Surface, evaluate_surface, vertex_areas, vertex_normals, world_positions

__all__ = [
    "EvaluatedFace",
    "Part",
    "Surface",
    "evaluate_face",
    "evaluate_surface",
    "probe_weight",
    "vertex_areas",
    "vertex_normals",
]

#: Weight at which a shape key's displacement is measured: the size of a micro-expression.
PROBE_WEIGHT = 0.25
#: The same of a rig's control, as a share of its range.
PROBE_SHARE = 0.25
#: A key has those vertices in its middle that it moves by this share of what it moves most.
CORE_SHARE = 0.5


@dataclass(frozen=True)
class Part:
    """One mesh of a face: brows, lashes, eyes, teeth of their own.

    `name` of the user's object, its neutral `surface` and `displacement` as of `EvaluatedFace`.
    """

    name: str
    surface: Surface
    displacement: NDArray[np.float32]


@dataclass(frozen=True)
class EvaluatedFace:
    """A character's neutral surface and what each channel does to it.

    `name` and `surface` of the main mesh and `displacement` (S,V,3) float32: its world displacement
    per unit of each channel's weight (measured at the weight of a micro-expression, so that rigs
    which are not linear are met where they are used). `parts` are the other meshes that a channel
    may move. `keys` are the `channels` as columns. `axes` (3,3): the axes that the face was
    modelled in, as columns in the world (posed with it).
    """

    name: str
    surface: Surface
    channels: tuple[Channel, ...]
    displacement: NDArray[np.float32]
    parts: tuple[Part, ...]
    axes: NDArray[np.float64]

    @property
    def keys(self) -> ShapeKeys:
        """The channels as columns."""
        return ShapeKeys(
            tuple(channel.name for channel in self.channels),
            np.array([channel.lower for channel in self.channels]),
            np.array([channel.upper for channel in self.channels]),
        )

    @property
    def reach(self) -> NDArray[np.float32]:
        """How far the keys move each vertex at most, (V,) in scene units."""
        return np.asarray(np.sqrt((self.displacement**2).sum(axis=2)).max(axis=0))

    @property
    def votes(self) -> NDArray[np.float64]:
        """How many of the face's keys have each vertex (V,) in the middle of what they move.

        A key votes for the vertices that it moves at least half as far as any. Every key counts
        alike, a brow as much as a jaw that takes the neck along; keys of a body do not.
        """
        square = (self.displacement**2).sum(axis=2)
        most = square.max(axis=1, keepdims=True, initial=0)
        cores = square > CORE_SHARE**2 * np.maximum(most, 1e-24)
        with np.errstate(invalid="ignore"):
            middles = cores @ self.surface.positions / cores.sum(axis=1, keepdims=True)
        names = [channel.name for channel in self.channels]
        votes = cores[facial(names, middles)].sum(axis=0)
        return np.asarray(votes, np.float64)


def evaluate_face(on: Stage) -> EvaluatedFace:
    """Evaluate the neutral and every channel of the character on a neutral stage.

    Raises `InputError` for a mesh with invalid coordinates, without faces, or whose modifiers
    change the vertex count with the expression.
    """
    channels = on.channels
    actors = [on.obj, *on.parts]
    surfaces = [evaluate_surface(actor, on.depsgraph) for actor in actors]
    if len(surfaces[0].triangles) == 0:
        raise InputError(f"'{on.original.name}' has no faces.", "Choose the mesh of the face.")
    for name, surface in zip(on.names, surfaces, strict=True):
        if not np.isfinite(surface.positions).all():
            raise InputError(
                f"'{name}' has vertices at invalid (NaN) coordinates.",
                "Delete or mend these vertices (Mesh > Clean Up).",
            )
    moved = [np.zeros((len(channels), *one.positions.shape), np.float32) for one in surfaces]
    for index, channel in enumerate(channels):
        weight = probe_weight(channel)
        with _posed(on, channel, weight):
            for part, actor in enumerate(actors):
                positions = world_positions(actor, on.depsgraph)
                _check(on.names[part], channel, surfaces[part].positions, positions)
                moved[part][index] = (positions - surfaces[part].positions) / weight
    axes = np.array(on.obj.evaluated_get(on.depsgraph).matrix_world, np.float64)[:3, :3]
    parts = tuple(
        Part(name, surface, displacement)
        for name, surface, displacement in zip(on.names[1:], surfaces[1:], moved[1:], strict=True)
    )
    face = EvaluatedFace(on.names[0], surfaces[0], channels, moved[0], parts, axes)
    rest = _rest_positions(on.obj)
    core = face.votes > 0
    if len(rest) != len(face.surface.positions) or core.sum() < 3:
        return face
    mirrored = bool(np.linalg.det(axes) < 0)
    return replace(face, axes=_rotation(rest[core], face.surface.positions[core], mirrored))


@contextmanager
def _posed(on: Stage, channel: Channel, weight: float) -> Iterator[None]:
    for target in channel.targets:
        on.set(target, channel.neutral + weight)
    try:
        yield
    finally:
        for target in channel.targets:
            on.set(target, channel.neutral)


def _check(
    name: str, channel: Channel, neutral: NDArray[np.float32], posed: NDArray[np.float32]
) -> None:
    if posed.shape != neutral.shape:
        raise InputError(
            f"The modifiers of '{name}' change its vertex count with '{channel.name}'.",
            "While baking, turn off Decimate, Weld, Boolean, Merge of Mirror, and geometry nodes"
            " that scatter something over the face.",
        )
    if not np.isfinite(posed).all():
        raise InputError(
            f"'{channel.name}' moves vertices of '{name}' to invalid (NaN) coordinates.",
            "Delete or mend that shape key.",
        )


def probe_weight(channel: Channel) -> float:
    """Return the weight at which to measure a channel (never 0)."""
    reach = channel.upper if channel.upper >= -channel.lower else channel.lower
    if channel.kind == "control":
        return PROBE_SHARE * reach
    return min(max(reach, -PROBE_WEIGHT), PROBE_WEIGHT)


def _rest_positions(obj: Any) -> NDArray[np.float64]:
    flat = np.empty(len(obj.data.vertices) * 3, np.float32)
    obj.data.shape_keys.reference_key.data.foreach_get("co", flat)
    return flat.reshape(-1, 3).astype(np.float64)


def _rotation(
    source: NDArray[np.floating[Any]], posed: NDArray[np.floating[Any]], mirrored: bool
) -> NDArray[np.float64]:
    """Return the rotation (3,3) that best takes the points `source` to `posed` (Kabsch 1976).

    With `mirrored`, the best rotation with a reflection.
    """
    moment = (source - source.mean(axis=0)).T @ (posed - posed.mean(axis=0)).astype(np.float64)
    u, _, vt = np.linalg.svd(moment)
    handed = float(np.sign(np.linalg.det(vt.T @ u.T))) or 1.0
    flip = np.diag([1.0, 1.0, -handed if mirrored else handed])
    return np.asarray(vt.T @ flip @ u.T)
