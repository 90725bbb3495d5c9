"""Cubic interpolation along one axis, as a sparse matrix.

What OpenCV's `remap` does with a grid of places, made of two such matrices where the grid is
straight: several times faster, and not rounded to 1/32 of a pixel.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

#: A matrix (N, M) float32: rows are what is made, columns what it is made of.
Taps = Any

#: The slope of the kernel at 1, as in OpenCV.
SLOPE = -0.75


def cubic_taps(places: NDArray[np.float64], count: int) -> Taps:
    """Return the matrix (N, count) float32 that takes `count` values to their interpolation at
    `places` (N,), as array indices; beyond the values all is zero.

    The kernel is that of Keys (IEEE Transactions on Acoustics, Speech, and Signal Processing 29,
    1981).
    """
    base = np.floor(places)
    taps = base[:, None] + np.arange(-1, 3)
    away = np.abs(places[:, None] - taps)
    near = ((SLOPE + 2) * away - (SLOPE + 3)) * away**2 + 1
    far = SLOPE * (((away - 5) * away + 8) * away - 4)
    weights = np.where(away <= 1, near, far)
    rows = np.broadcast_to(np.arange(len(places))[:, None], taps.shape)
    inside = (taps >= 0) & (taps < count)
    entries = (rows[inside], taps[inside].astype(np.int32))
    return csr_array((weights[inside].astype(np.float32), entries), shape=(len(places), count))
