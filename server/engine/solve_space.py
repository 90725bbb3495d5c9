"""How motion at vertices is compared: evenly over the face, and no finer than a network sees.

Meshes are dense at lips and lids, so vertices are weighted to count by area of the picture. And
what comes from a network is softer than what a mesh does: compared point by point, a soft copy of
a sharp motion gets a weight that is too small. So motion is compared twice, as it is and smoothed
by a Gaussian on both sides alike, which a soft copy survives in full.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse

from ..clips.sampling import Reals

Floats = NDArray[np.float32]

#: Motion as it is counts for this much beside the smoothed one.
SHARP_SHARE = 0.3
#: Half waves along each side of the face that a network's smooth errors have at most.
MOST_WAVES = 2
#: Likewise of errors that are a share of the motion: at 5, keys take as much of such errors as of
#: those that networks make (a median of 2.8 to 3.0 times what they leave, 33 clips).
ERROR_WAVES = 5
#: Cells per Gaussian sigma.
_CELLS = 2.0


class Comparison:
    """A quadratic measure of motion at V vertices of one or several views.

    `sigma` is the Gaussian's in units of the vertices' RMS distance from their mean. Without
    `positions` (V, 2) there is nothing but the confidence.
    """

    def __init__(
        self, positions: Reals | None, confidence: Reals, views: Sequence[int], sigma: float
    ) -> None:
        self.weights: Floats = np.asarray(confidence, np.float32).copy()
        self._parts: list[_Smoothing] = []
        first = 0
        for count in views if positions is not None else ():
            rows = slice(first, first + count)
            first += count
            if positions is None or not self.weights[rows].any():
                continue
            part = _Smoothing(np.asarray(positions[rows], np.float64), self.weights[rows], sigma)
            self.weights[rows] = part.weights
            part.rows = rows
            self._parts.append(part)
        total = float(self.weights.sum())
        #: A motion of one pixel everywhere measures this much, squared.
        self.places = max(total, 1e-9) * (1 + SHARP_SHARE if self._parts else 1)

    def whitened(self, columns: Floats) -> Floats:
        """Return (M, K) from motions (V, 2, K): its inner products are the measure's."""
        vertices, _, count = columns.shape
        root = np.sqrt(self.weights)[:, None, None]
        sharp = (columns * root).reshape(2 * vertices, count)
        if not self._parts:
            return np.asarray(sharp, np.float32)
        soft = [
            part.soft(columns[part.rows].reshape(-1, 2 * count)).reshape(-1, count)
            for part in self._parts
        ]
        return np.concatenate([np.float32(np.sqrt(SHARP_SHARE)) * sharp, *soft])


class _Smoothing:
    """The Gaussian means of one view."""

    def __init__(self, positions: NDArray[np.float64], confidence: Floats, sigma: float) -> None:
        self.rows = slice(0, len(positions))
        away = positions - np.average(positions, axis=0, weights=confidence)
        spread = float(np.sqrt(np.average((away**2).sum(1), weights=confidence)))
        cell = max(sigma * spread / _CELLS, 1e-9)
        grid = np.floor((positions - positions.min(0)) / cell).astype(np.int64) + 1
        self._shape = tuple(int(v) for v in grid.max(0) + 2)
        coarse = (grid // 2) @ (self._shape[1], 1)
        _, of, count = np.unique(coarse, return_inverse=True, return_counts=True)
        self.weights: Floats = np.asarray(confidence / count[of], np.float32)
        flat = grid @ (self._shape[1], 1)
        shape = (self._shape[0] * self._shape[1], len(positions))
        own = np.arange(len(positions))
        self._sums = sparse.csr_array((self.weights, (flat, own)), shape=shape)
        mass = self._blurred(np.ones((len(positions), 1), np.float32))[:, 0]
        self._kept = np.flatnonzero(np.bincount(flat, self.weights, shape[0]) > 0)
        seen = np.maximum(mass[self._kept], 1e-12)
        # A motion alike everywhere measures the same as point by point.
        self._scale = np.sqrt(self.weights.sum() / seen.sum() / seen)[:, None]

    def soft(self, values: Floats) -> Floats:
        """Return the scaled Gaussian means (G, C) of values (V, C)."""
        return np.asarray(self._blurred(values)[self._kept] * self._scale, np.float32)

    def _blurred(self, values: Floats) -> Floats:
        field = np.asarray(self._sums @ values, np.float32).reshape(*self._shape, -1)
        for axis in (0, 1):
            field = ndimage.gaussian_filter1d(field, _CELLS, axis, mode="constant", truncate=3)
        return np.asarray(field.reshape(-1, values.shape[1]), np.float32)


def rigid_columns(positions: Reals | None, views: Sequence[int]) -> Floats:
    """Return the displacements (V, 2, R) of a head's shift and, where positions are known, of its
    in-plane turn and growth, for each view by itself; each of about one pixel."""
    each = 2 if positions is None else 4
    columns = np.zeros((sum(views), 2, each * len(views)), np.float32)
    first = 0
    for index, count in enumerate(views):
        rows = slice(first, first + count)
        first += count
        part = columns[rows, :, index * each : (index + 1) * each]
        part[:, 0, 0] = part[:, 1, 1] = 1
        if positions is not None and count:
            away = np.asarray(positions[rows], np.float32) - positions[rows].mean(0)
            away /= max(float(np.sqrt((away**2).sum(1).mean())), 1e-6)
            part[:, :, 2] = away
            part[:, 0, 3], part[:, 1, 3] = -away[:, 1], away[:, 0]
    return columns


def waves(positions: Reals, views: Sequence[int], most: int) -> Floats:
    """Return smooth patterns (V, N) of -1 to 1 all over the face: products of cosines of up to
    `most` half waves along and across, for each view by itself."""
    shapes = [(i, j) for i in range(most + 1) for j in range(most + 1) if i + j]
    made = np.zeros((sum(views), len(shapes) * len(views)), np.float32)
    first = number = 0
    for count in views:
        rows = slice(first, first + count)
        first += count
        places = np.asarray(positions[rows], np.float64)
        low, high = np.percentile(places, (2, 98), axis=0) if count else (np.zeros(2), np.ones(2))
        along = np.pi * np.clip((places - low) / np.maximum(high - low, 1e-9), 0, 1)
        for i, j in shapes:
            made[rows, number] = np.cos(i * along[:, 0]) * np.cos(j * along[:, 1])
            number += 1
    return made


def smooth_columns(positions: Reals | None, views: Sequence[int]) -> Floats:
    """Return smooth displacements (V, 2, N) all over the face, of up to one pixel; none where
    positions are not known."""
    if positions is None:
        return np.zeros((sum(views), 2, 0), np.float32)
    amounts = waves(positions, views, MOST_WAVES)
    columns = np.zeros((len(amounts), 2, 2 * amounts.shape[1]), np.float32)
    columns[:, 0, 0::2] = columns[:, 1, 1::2] = amounts
    return columns


def likely_errors(motion: Floats, positions: Reals, views: Sequence[int]) -> Floats:
    """Return what a network may get wrong of a motion (V, 2), as displacements (V, 2, N): too much
    of it here and too little there, or turned, by amounts that change smoothly over the face."""
    amounts = waves(positions, views, ERROR_WAVES)
    turned = np.stack([-motion[:, 1], motion[:, 0]], 1)
    return np.concatenate([way[:, :, None] * amounts[:, None] for way in (motion, turned)], 2)
