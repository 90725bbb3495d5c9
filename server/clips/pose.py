"""Small rigid motion of a head in its crop: the model, and its robust fit to measured flow.

Scaled orthographic projection of the average face's surface: a head at rest shows a point at its
place in the crop; turned by a rotation vector, scaled and shifted it shows it elsewhere. Six
numbers, fitted by Gauss-Newton with Tukey's biweight (Holland and Welsch 1977), so that what the
expression moves falls out as outliers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Rotation (x, y, z), logarithm of scale, shift (x, y).
PARAMETERS = 6
#: Residuals beyond this multiple of their robust spread count as expression, not as pose.
TUKEY = 4.0
#: The robust spread is never taken to be less than this, in crop pixels.
LEAST_SPREAD_PIXELS = 0.12


@dataclass(frozen=True)
class Surface:
    """Points of a face at rest: x, y (N,) and depth z (N,), in crop pixels from its middle."""

    x: Floats
    y: Floats
    z: Floats


def rotation(vector: Floats) -> Floats:
    """Return the rotation matrix (3, 3) of a rotation vector (Rodrigues)."""
    angle = float(np.linalg.norm(vector))
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = vector / angle
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)


def project(pose: Floats, surface: Surface) -> Floats:
    """Return where a pose (6,) shows the surface's points: (N, 2) in pixels from the middle."""
    turn = rotation(pose[:3])[:2] * np.exp(pose[3])
    points = np.stack([surface.x, surface.y, surface.z])
    return np.asarray((turn @ points).T + pose[4:6])


def _jacobian(pose: Floats, surface: Surface) -> Floats:
    """Return the derivative (N, 2, 6) of `project`, by differences."""
    steps = np.array([1e-4, 1e-4, 1e-4, 1e-4, 1e-2, 1e-2])
    columns = []
    for index, step in enumerate(steps):
        moved = np.zeros(PARAMETERS)
        moved[index] = step
        columns.append(
            (project(pose + moved, surface) - project(pose - moved, surface)) / (2 * step)
        )
    return np.stack(columns, -1)


def fit_pose(
    surface: Surface, seen: Floats, weights: Floats, start: Floats, rounds: int = 8
) -> tuple[Floats, Floats]:
    """Return the pose (6,) that best shows the surface at `seen` (N, 2), and each point's say.

    `weights` (N,) >= 0 are what each point is worth beforehand; the say (N,) in 0..1 is Tukey's
    weight at the end: 0 where a point moves unlike the head.
    """
    pose = start.copy()
    # A turn by a degree moves less than a shift; it must earn its place against noise.
    ridge = np.array([2.0, 2.0, 0.2, 0.2, 0.0, 0.0]) * 1e-4
    extent = float(np.sqrt(np.mean(surface.x**2 + surface.y**2)))
    total = float(weights.sum())
    if total <= 0:
        return pose, np.zeros(len(weights))
    scale = np.array([extent] * 4 + [1.0, 1.0])
    say: Floats = np.ones(len(weights))
    for _ in range(rounds):
        residual = seen - project(pose, surface)
        length = np.hypot(residual[:, 0], residual[:, 1])
        spread = max(LEAST_SPREAD_PIXELS, 1.2 * weighted_median(length, weights))
        say = np.asarray(np.clip(1 - (length / (TUKEY * spread)) ** 2, 0, None) ** 2)
        derivative = _jacobian(pose, surface) / scale
        pull = weights * say
        normal = np.einsum("nai,n,naj->ij", derivative, pull, derivative)
        right = np.einsum("nai,n,na->i", derivative, pull, residual)
        right -= ridge * total * scale * pose
        step = np.linalg.solve(normal + np.diag(ridge * total + 1e-9 * total), right) / scale
        pose = pose + step
        if np.abs(step * scale).max() < 1e-3:
            break
    return pose, say


def weighted_median(values: Floats, weights: Floats) -> float:
    """Return the value below which half of the weight lies."""
    order = np.argsort(values)
    heaped = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(heaped, heaped[-1] / 2)]])
