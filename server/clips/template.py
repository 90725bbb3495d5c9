"""An average face in its crop: where it lies, and how deep.

Lengths are in face units (RMS distance of the 30 keypoints from their mean), x to the right of the
picture, y down, z towards the viewer, from the keypoints' mean. The numbers are rounded
proportions of an adult head; they only steer a robust fit, so people may well differ from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: How far the surface may stray from the points that carry it, in squared face units.
_SMOOTHING = 1e-3
#: Side of the crop in face units.
CROP_UNITS = 4.2

#: The keypoints of the right half and the midline, (x, y, z); order and names as the network's.
_RIGHT = {
    "brow_outer": (-1.23, -0.92, -0.43),
    "brow_middle": (-0.87, -1.07, -0.07),
    "brow_inner": (-0.30, -1.07, 0.12),
    "eye_outer": (-0.95, -0.53, -0.31),
    "eye_inner": (-0.38, -0.49, -0.18),
    "lid_upper": (-0.72, -0.62, -0.13),
    "lid_lower": (-0.69, -0.46, -0.16),
    "nostril": (-0.28, 0.44, 0.12),
    "lip_corner": (-0.54, 0.95, 0.0),
    "lip_peak": (-0.17, 0.74, 0.31),
    "lip_lower": (-0.18, 1.11, 0.25),
    "cheek": (-0.82, 0.17, -0.36),
}
_MIDDLE = {
    "nose_bridge": (0.0, -0.55, 0.10),
    "nose_tip": (0.0, 0.17, 0.56),
    "nose_base": (0.0, 0.50, 0.28),
    "lip_upper": (0.0, 0.75, 0.34),
    "lip_lower": (0.0, 1.15, 0.27),
    "chin": (0.0, 1.48, 0.14),
}

#: Further surface points (x >= 0; mirrored) that carry the depth beyond the keypoints.
_SURFACE = (
    (0.0, -0.30, 0.37),
    (0.0, -0.80, 0.11),
    (0.0, -1.50, 0.03),
    (0.0, -2.00, -0.20),
    (0.0, -2.40, -0.55),
    (0.0, 1.83, 0.0),
    (0.15, -0.20, 0.39),
    (0.30, 0.0, 0.36),
    (0.50, -1.50, -0.04),
    (0.80, -1.50, -0.17),
    (0.80, -2.00, -0.47),
    (1.20, -1.50, -0.53),
    (1.20, -2.00, -0.89),
    (0.60, -0.80, 0.0),
    (1.50, -1.0, -0.96),
    (1.40, -0.50, -0.69),
    (1.50, -0.10, -0.90),
    (1.10, -0.20, -0.30),
    (1.20, 0.30, -0.35),
    (1.00, 0.50, -0.18),
    (0.50, 0.20, 0.02),
    (0.50, 0.80, 0.15),
    (1.20, 0.80, -0.55),
    (0.90, 1.20, -0.35),
    (0.50, 1.40, 0.02),
    (0.65, 1.69, -0.30),
    (0.92, 1.54, -0.60),
)


@dataclass(frozen=True)
class Template:
    """Maps over a crop, each (cells, cells) float32 at cell centres.

    `x`, `y`, `depth` are positions in face units; `face` 0..1 fades out beyond the face's outline.
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    depth: NDArray[np.float32]
    face: NDArray[np.float32]


def template_points() -> NDArray[np.float32]:
    """Return the average face's 30 keypoints (30, 3) float32 in face units, the network's order."""
    from ...models.heads.keypoints import NAMES

    rows = []
    for name in NAMES:
        if name in _MIDDLE:
            rows.append(_MIDDLE[name])
            continue
        stem, _, side = name.rpartition("_")
        x, y, z = _RIGHT[stem]
        rows.append((x if side == "right" else -x, y, z))
    return np.asarray(rows, np.float32)


def points_in_crop() -> NDArray[np.float64]:
    """Return the average face's 30 keypoints (30, 2) in [-1, 1] of its crop."""
    return template_points()[:, :2].astype(float) / (CROP_UNITS / 2)


@cache
def template(cells: int) -> Template:
    """Return the average face's maps on a grid of `cells` a side over the crop."""
    axis = ((np.arange(cells) + 0.5) / cells - 0.5) * CROP_UNITS
    x, y = np.meshgrid(axis, axis)
    extra = np.asarray(_SURFACE)
    mirrored = extra[extra[:, 0] > 0] * [-1, 1, 1]
    known = np.concatenate([template_points(), extra, mirrored])
    depth = _spline(known, np.stack([x.ravel(), y.ravel()], 1)).reshape(cells, cells)
    depth = np.clip(depth, -1.5, 0.7)
    face = _face(x, y)
    return Template(*(a.astype(np.float32) for a in (x, y, depth, face)))


def _spline(known: NDArray[np.floating[Any]], places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the values (M,) at places (M, 2) of a thin-plate spline through known rows (x, y, z).

    By hand (Duchon 1977): the libraries that have it take a second and a half to import.
    """
    at, count = known[:, :2].astype(float), len(known)
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = _bending(at, at) + _SMOOTHING * np.eye(count)
    system[:count, count:] = _plane(at)
    system[count:, :count] = _plane(at).T
    solved = np.linalg.solve(system, np.concatenate([known[:, 2], np.zeros(3)]))
    return np.asarray(_bending(places, at) @ solved[:count] + _plane(places) @ solved[count:])


def _bending(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    squared = ((one[:, None] - other[None]) ** 2).sum(-1)
    return np.asarray(0.5 * squared * np.log(np.maximum(squared, 1e-300)))


def _plane(at: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack([np.ones(len(at)), at])


def beyond(x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.float64]:
    """Return how far out places (in face units) lie: 1 on the average face's outline, 0 inmost."""
    # An egg: wide at the cheekbones, narrow at the chin.
    half_width = np.where(y < 0, 1.48, 1.48 - 0.22 * np.clip(y, 0, None) ** 1.5)
    half_height = np.where(y < 0, 1.95, 1.9)
    return np.asarray(np.sqrt((x / half_width) ** 2 + (y / half_height) ** 2), dtype=np.float64)


def faded(share: NDArray[Any]) -> NDArray[np.float64]:
    """Return 1 within an outline and 0 outside, where places lie by `share` within it."""
    return np.asarray(np.clip((share + 0.08) / 0.16, 0, 1), dtype=np.float64)


def _face(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    return faded(1 - beyond(x, y))
