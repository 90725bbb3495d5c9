"""Small rigid motion of a head in its crop: the model, and its robust fit to measured flow.

Scaled orthographic projection of the average face's surface: a head at rest shows a point at its
place in the crop; turned by a rotation vector, scaled and shifted it shows it elsewhere. Six
numbers, fitted by Gauss-Newton with Tukey's biweight (Holland and Welsch 1977), so that what the
expression moves falls out as outliers.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Rotation (x, y, z), logarithm of scale, shift (x, y).
PARAMETERS = 6
#: Residuals beyond this multiple of their robust spread count as expression, not as pose.
TUKEY = 4.0
#: The robust spread is never taken to be less than this, in crop pixels.
LEAST_SPREAD_PIXELS = 0.12
#: A turn out of the plane moves little of the picture; it must earn its place against noise. In
#: squared pixels per squared pixel that the parameter moves the face by.
RIDGE = np.array([2e-4, 2e-4, 2e-5, 2e-5, 1e-9, 1e-9])
#: A fit that changes by less than this has converged.
SETTLED_PIXELS = 2e-3


@dataclass(frozen=True)
class Surface:
    """Points of a face at rest: x, y (N,) and depth z (N,), in crop pixels from its middle."""

    x: Floats
    y: Floats
    z: Floats


def rotation(vector: Floats) -> Floats:
    """Return the rotation matrix (3, 3) of a rotation vector (Rodrigues)."""
    return np.asarray(cv2.Rodrigues(vector)[0], dtype=np.float64)


def project(pose: Floats, surface: Surface) -> Floats:
    """Return where a pose (6,) shows the surface's points: (N, 2) in pixels from the middle."""
    turn = rotation(pose[:3])[:2] * np.exp(pose[3])
    points = np.stack([surface.x, surface.y, surface.z])
    return np.asarray((turn @ points).T + pose[4:6])


def _turned(pose: Floats, surface: Surface) -> tuple[Floats, Floats]:
    """Return `project` and its derivative (N, 2, 6) by a further small turn, scale and shift."""
    points = np.stack([surface.x, surface.y, surface.z])
    x, y, z = rotation(pose[:3]) * np.exp(pose[3]) @ points
    nothing, one = np.zeros_like(x), np.ones_like(x)
    across = np.stack([nothing, z, -y, x, one, nothing], -1)
    down = np.stack([-z, nothing, x, y, nothing, one], -1)
    return np.stack([x, y], -1) + pose[4:6], np.stack([across, down], 1)


def _moved(pose: Floats, step: Floats) -> Floats:
    """Return the pose after a further small turn, scale and shift (6,)."""
    turn = rotation(step[:3]) @ rotation(pose[:3])
    vector = np.asarray(cv2.Rodrigues(turn)[0], dtype=np.float64).ravel()
    return np.concatenate([vector, pose[3:] + step[3:]])


def fit_pose(
    surface: Surface, seen: Floats, weights: Floats, start: Floats, rounds: int = 8
) -> Floats:
    """Return the pose (6,) that best shows the surface at `seen` (N, 2).

    `weights` (N,) >= 0 are what each point is worth beforehand; a point that moves unlike the head
    loses its say (Tukey's biweight).
    """
    pose = start.copy()
    total = float(weights.sum())
    if total <= 0:
        return pose
    extent = float(np.sqrt(np.mean(surface.x**2 + surface.y**2)))
    scale = np.array([extent] * 4 + [1.0, 1.0])
    for _ in range(rounds):
        shown, derivative = _turned(pose, surface)
        residual = seen - shown
        length = np.hypot(residual[:, 0], residual[:, 1])
        spread = max(LEAST_SPREAD_PIXELS, 1.2 * weighted_median(length, weights))
        pull = weights * np.clip(1 - (length / (TUKEY * spread)) ** 2, 0, None) ** 2
        columns = (derivative / scale).reshape(-1, PARAMETERS)
        pulled = columns * np.repeat(pull, 2)[:, None]
        normal = pulled.T @ columns + np.diag(RIDGE * total)
        right = pulled.T @ residual.ravel() - RIDGE * total * scale * pose
        step = np.linalg.solve(normal, right) / scale
        pose = _moved(pose, step)
        if np.abs(step * scale).max() < SETTLED_PIXELS:
            break
    return pose


def weighted_median(values: Floats, weights: Floats) -> float:
    """Return the value below which half of the weight lies."""
    order = np.argsort(values)
    heaped = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(heaped, heaped[-1] / 2)]])
