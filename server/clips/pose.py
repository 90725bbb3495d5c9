"""Small rigid motion of a head in its crop: the model, and its robust fit to measured flow.

Projection of the face's surface: a head at rest shows a point at its place in the crop; turned by
a rotation vector, scaled and shifted it shows it elsewhere. Six numbers, fitted by Gauss-Newton
with Tukey's biweight (Holland and Welsch 1977). What action units are known to do is fitted beside
the pose, so that a wrinkled nose is not taken for a nod; what neither explains falls out as
outliers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Rotation (x, y, z), logarithm of scale, shift (x, y).
PARAMETERS = 6
#: Residuals beyond this multiple of their robust spread count as expression, not as pose.
TUKEY = 3.0
#: The robust spread is never taken to be less than this, in crop pixels.
LEAST_SPREAD_PIXELS = 0.12
#: A turn out of the plane moves little of the picture; it must earn its place against noise. In
#: squared pixels per squared pixel that the parameter moves the face by.
RIDGE = np.array([2e-4, 2e-4, 2e-5, 2e-5, 1e-9, 1e-9])
#: So must an action unit: squared pixels, summed over the cells, per squared full contraction.
EXPRESSION_RIDGE = 0.2
#: A fit that changes by less than this has converged.
SETTLED_PIXELS = 2e-3
SETTLED_AMOUNT = 2e-3


@dataclass(frozen=True)
class Surface:
    """Points of a face at rest: x, y (N,) and depth z (N,), in crop pixels from its middle.

    `nearness` is one over the camera's distance in crop pixels, 0 for a camera far away.
    """

    x: Floats
    y: Floats
    z: Floats
    nearness: float = 0.0

    @cached_property
    def points(self) -> Floats:
        """The points in space (3, N)."""
        shrink = 1 - self.nearness * self.z
        return np.stack([self.x * shrink, self.y * shrink, self.z])


def rotation(vector: Floats) -> Floats:
    """Return the rotation matrix (3, 3) of a rotation vector (Rodrigues)."""
    return np.asarray(cv2.Rodrigues(vector)[0], dtype=np.float64)


def project(pose: Floats, surface: Surface) -> Floats:
    """Return where a pose (6,) shows the surface's points: (N, 2) in pixels from the middle."""
    points = rotation(pose[:3]) @ surface.points
    seen = points[:2] * (np.exp(pose[3]) / (1 - surface.nearness * points[2]))
    return np.asarray(seen.T + pose[4:6])


def turned(
    pose: Floats, points: Floats, nearness: float, scale: float, derivative: Floats
) -> Floats:
    """Return `project` of points in space (3, N), and write its `derivative` (N, 2, 6) by a further
    small turn, growth (both times `scale`) and shift."""
    growth = float(np.exp(pose[3]))
    there = rotation(pose[:3]) @ points
    # The derivative is an orthographic camera's: it only steers the steps.
    x, y, z = there * (growth / scale)
    derivative[:, 0, 1], derivative[:, 0, 2], derivative[:, 0, 3] = z, -y, x
    derivative[:, 1, 0], derivative[:, 1, 2], derivative[:, 1, 3] = -z, x, y
    seen = there[:2] * (growth / (1 - nearness * there[2]))
    return np.asarray(seen.T + pose[4:6])


def moved(pose: Floats, step: Floats) -> Floats:
    """Return the pose after a further small turn, scale and shift (6,)."""
    turn = rotation(step[:3]) @ rotation(pose[:3])
    vector = np.asarray(cv2.Rodrigues(turn)[0], dtype=np.float64).ravel()
    return np.concatenate([vector, pose[3:] + step[3:]])


def fit_pose(
    surface: Surface,
    seen: Floats,
    weights: Floats,
    start: Floats,
    rounds: int = 8,
    expressions: Floats | None = None,
    begun: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Return the pose (6,) that best shows the surface at `seen` (N, 2), and the amounts (K,).

    `weights` (N,) >= 0 are what each point is worth beforehand; a point that moves unlike the head
    and unlike any of `expressions` (N, 2, K) loses its say (Tukey's biweight). Both are looked for
    from where they `start` and have `begun`, amounts otherwise from nothing.
    """
    pose = start.copy()
    total = float(weights.sum())
    if total <= 0:
        return pose, np.zeros(0 if expressions is None else expressions.shape[2])
    extent = float(np.sqrt(np.mean(surface.x**2 + surface.y**2)))
    scale = np.array([extent] * 4 + [1.0, 1.0])
    count = 0 if expressions is None else expressions.shape[2]
    columns = np.zeros((len(seen), 2, PARAMETERS + count))
    derivative = columns[:, :, :PARAMETERS]
    derivative[:, 0, 4] = derivative[:, 1, 5] = 1
    points = surface.points
    if expressions is not None:
        columns[:, :, PARAMETERS:] = expressions
    flat = columns.reshape(-1, PARAMETERS + count)
    ridge = np.diag(np.concatenate([RIDGE * total, np.full(count, EXPRESSION_RIDGE)]))
    amounts = np.zeros(count) if begun is None else begun
    for _ in range(rounds):
        shown = turned(pose, points, surface.nearness, extent, derivative)
        rest = residual = seen - shown
        if count:
            rest = residual - (flat[:, PARAMETERS:] @ amounts).reshape(-1, 2)
        length = np.hypot(rest[:, 0], rest[:, 1])
        spread = max(LEAST_SPREAD_PIXELS, 1.2 * weighted_median(length, weights))
        pull = weights * np.maximum(1 - (length / (TUKEY * spread)) ** 2, 0) ** 2
        pulled = (columns * pull[:, None, None]).reshape(flat.shape)
        right = pulled.T @ residual.ravel()
        right[:PARAMETERS] -= RIDGE * total * scale * pose
        solved = np.linalg.solve(pulled.T @ flat + ridge, right)
        step, before = solved[:PARAMETERS] / scale, amounts
        amounts = solved[PARAMETERS:]
        pose = moved(pose, step)
        settled = np.abs(step * scale).max() < SETTLED_PIXELS
        if settled and (not count or np.abs(amounts - before).max() < SETTLED_AMOUNT):
            break
    return pose, amounts


def weighted_median(values: Floats, weights: Floats) -> float:
    """Return the value below which half of the weight lies."""
    order = np.argsort(values)
    heaped = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(heaped, heaped[-1] / 2)]])
