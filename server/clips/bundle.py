"""Find a face's depth and a head's poses together, from frames in which the head turns.

A bundle adjustment (Triggs, McLauchlan, Hartley and Fitzgibbon 1999) by Gauss-Newton: the face is
an average one with some amounts of what faces differ by (`depth.py`), a tilt, and the camera's
nearness; each frame has a pose. The poses are eliminated from the equations (Schur complement).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .depth import Depths, tilts
from .pose import PARAMETERS, Floats, Surface, moved, project, turned

#: Which points, by number.
Chosen = NDArray[np.intp]

#: One over the distance of the camera, in crop pixels: usual (about a metre), and its spread.
USUAL_NEARNESS, NEARNESS_SPREAD = 1 / 1600, 1 / 1600
LEAST_DISTANCE_PIXELS = 400
#: Standard deviation of a face's tilt from the average view, in pixels of depth a pixel.
TILT_SPREAD = 0.12
#: What a place of a frame is off by, in pixels. Light makes neighbours err alike, and all frames,
#: so that only one in so many places tells something new, and only so many frames.
NOISE_PIXELS, ALIKE, TELLING_FRAMES = 0.15, 8.0, 3.0
STEPS = 2
#: Holds what no place tells of a pose, as a share of one place's say.
_HELD = 1e-3


@dataclass(frozen=True)
class Face:
    """A face at `x`, `y` (N,): `average` depth (N,) and what it may differ by, `ways` (N, K) each
    for one standard deviation; by `amounts` (K + 1,) it does, the last being its nearness."""

    x: Floats
    y: Floats
    average: Floats
    ways: Floats
    amounts: Floats

    def surface(self, some: Chosen | None = None, deeper: Floats | float = 0.0) -> Surface:
        """Return it as a surface; of `some` points only, and `deeper` by so many pixels."""
        z = self.average + self.ways @ self.amounts[:-1] + deeper
        nearness = USUAL_NEARNESS + NEARNESS_SPREAD * float(self.amounts[-1])
        chosen = np.arange(len(z)) if some is None else some
        nearness = float(np.clip(nearness, 0, 1 / LEAST_DISTANCE_PIXELS))
        return Surface(self.x[chosen], self.y[chosen], z[chosen], nearness)


def usual_face(x: Floats, y: Floats, known: Depths) -> Face:
    """Return the average face at x, y (N,) in crop pixels."""
    ways = np.concatenate([known.components, TILT_SPREAD * tilts()[1:]])
    return Face(x, y, known.average, np.ascontiguousarray(ways.T), np.zeros(len(ways) + 1))


def adjusted(
    face: Face,
    some: Chosen,
    seen: Sequence[Floats],
    trust: Sequence[Floats],
    poses: Sequence[Floats],
) -> tuple[Face, list[Floats]]:
    """Return face and poses that explain better where points `some` (M,) of it are `seen` (M, 2).

    `trust` (M,) 0..1 is what each is worth in each frame.
    """
    poses = list(poses)
    sure = 1 / (NOISE_PIXELS**2 * ALIKE * max(1.0, len(seen) / TELLING_FRAMES))
    for _ in range(STEPS):
        count = len(face.amounts)
        normal, evidence = np.eye(count), -face.amounts
        parts = []
        for places, worth, pose in zip(seen, trust, poses, strict=True):
            by_pose, by_face, rest = _derivatives(face, some, places, pose)
            weights = np.repeat(worth * said(rest) * sure, 2)
            own = (by_pose.T * weights) @ by_pose + _HELD * sure * np.eye(PARAMETERS)
            mixed = (by_pose.T * weights) @ by_face
            right = (by_pose.T * weights) @ rest.ravel()
            solved = np.linalg.solve(own, np.column_stack([mixed, right]))
            normal += (by_face.T * weights) @ by_face - mixed.T @ solved[:, :count]
            evidence = evidence + (by_face.T * weights) @ rest.ravel() - mixed.T @ solved[:, count]
            parts.append(solved)
        step = np.linalg.solve(normal, evidence)
        face = Face(face.x, face.y, face.average, face.ways, face.amounts + step)
        for index, solved in enumerate(parts):
            poses[index] = moved(poses[index], solved[:, -1] - solved[:, :-1] @ step)
    return face, poses


def said(rest: Floats) -> Floats:
    """Return (N,) 0..1: what is left of a point's say when it is off by `rest` (N, 2)."""
    length = np.hypot(rest[:, 0], rest[:, 1])
    spread = max(0.1, 1.5 * float(np.median(length)))
    return np.asarray(1 / (1 + (length / (2.5 * spread)) ** 4))


def _derivatives(
    face: Face, some: Chosen, places: Floats, pose: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return how points' places change with the pose (2 M, 6) and with the face's amounts
    (2 M, K + 1), and by what (M, 2) they are off."""
    surface = face.surface(some)
    by_pose = np.zeros((len(some), 2, PARAMETERS))
    by_pose[:, 0, 4] = by_pose[:, 1, 5] = 1
    shown = turned(pose, surface.points, surface.nearness, 1.0, by_pose)
    x, y, z, nearness = surface.x, surface.y, surface.z, surface.nearness
    by_depth = project(pose, Surface(x, y, z + 1, nearness)) - shown
    step = 0.01 * NEARNESS_SPREAD
    by_nearness = (project(pose, Surface(x, y, z, nearness + step)) - shown) / 0.01
    by_face = np.concatenate(
        [by_depth[:, :, None] * face.ways[some][:, None, :], by_nearness[:, :, None]], axis=2
    )
    rows = 2 * len(some)
    return by_pose.reshape(rows, -1), by_face.reshape(rows, -1), places - shown
