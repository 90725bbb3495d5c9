"""Small pulls at the skin, alike on every head: motion that no family's expressions contain.

Expression shapes of a few families span little of what faces, rigs and sculptors do. A pull moves a
soft round patch of skin, placed by landmarks and measured in face units, so that it is the same
motion on a source and on a character; it teaches that motion goes from place to like place whatever
it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .families import Floats
from .keypoints import face_unit, keypoints_from_landmarks


@dataclass(frozen=True)
class Pull:
    """A patch centred `share` of the way from one landmark to another, `reach` face units wide
    (Gaussian sigma), moved by `length` face units at `angle` (radians from the subject's left,
    towards up) in the plane of the face."""

    start: int
    end: int
    share: float
    reach: float
    length: float
    angle: float


def random_pulls(rng: np.random.Generator) -> tuple[Pull, ...]:
    """Draw one to three pulls anywhere from brows to chin."""
    return tuple(
        Pull(
            start=int(rng.integers(17, 68)) if rng.random() < 0.8 else int(rng.integers(6, 11)),
            end=int(rng.integers(17, 68)),
            share=float(rng.uniform(0, 0.4)),
            reach=float(rng.uniform(0.1, 0.35)),
            length=float(np.exp(rng.uniform(np.log(0.006), np.log(0.06)))),
            angle=float(rng.uniform(0, 2 * np.pi)),
        )
        for _ in range(int(rng.integers(1, 4)))
    )


def pulled(
    vertices: Floats,
    soft: NDArray[np.bool_],
    landmarks: NDArray[np.int32],
    pulls: tuple[Pull, ...],
) -> Floats:
    """Return what pulls do to a head's vertices: displacements (V, 3) in its unit of length.

    Only `soft` (V,) vertices move: skin, brows and lashes, not eyes and teeth.
    """
    marks = vertices[landmarks]
    unit = face_unit(keypoints_from_landmarks(marks)[:, :2])
    moved = np.zeros_like(vertices)
    rows = np.flatnonzero(soft)
    places = vertices[rows]
    for pull in pulls:
        centre = marks[pull.start] + np.float32(pull.share) * (marks[pull.end] - marks[pull.start])
        away = places - centre
        squared = np.einsum("vk,vk->v", away, away) / np.float32((pull.reach * unit) ** 2)
        amount = np.exp(-squared / 2) * np.float32(pull.length * unit)
        # What a Gaussian leaves far away is less than a hundredth of a pixel; none is better.
        amount[squared > 12] = 0
        direction = np.array([np.cos(pull.angle), np.sin(pull.angle), 0], np.float32)
        moved[rows] += amount[:, None] * direction
    return moved
