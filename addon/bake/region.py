"""Where in the image a face moves at all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..generated import Generated

#: Motion in pixels at which a pixel begins to count as moving, and counts fully.
STILL_PIXELS, MOVING_PIXELS = 0.04, 0.2
#: Change in level (0..255) at which a pixel begins to count, and counts fully.
STILL_LEVELS, MOVING_LEVELS = 1.5, 5.0


def moving_region(generated: Generated) -> NDArray[np.float32]:
    """Return (T,H,W) float32 in 0..1: how much of each frame's change to take over.

    0 where neither motion nor picture changes; grown and feathered by a few pixels, so that a
    crease is taken whole and its border does not show.
    """
    size = generated.neutral.shape[0]
    radius = max(1, round(size / 170))
    neutral = generated.neutral.astype(np.int16)
    regions = np.empty((len(generated.frames), size, size), np.float32)
    for index, (frame, motion) in enumerate(zip(generated.frames, generated.motion, strict=True)):
        length = np.sqrt((motion.astype(np.float32) ** 2).sum(axis=2))
        level = np.abs(frame.astype(np.int16) - neutral).max(axis=2).astype(np.float32)
        moved = (length - STILL_PIXELS) / (MOVING_PIXELS - STILL_PIXELS)
        changed = (level - STILL_LEVELS) / (MOVING_LEVELS - STILL_LEVELS)
        # A change of level alone may be noise: it counts only beside some motion.
        near = grown(moved, 2 * radius) > 0
        share = np.clip(np.maximum(moved, np.where(near, changed, 0)), 0, 1)
        regions[index] = feathered(grown(share, radius), radius)
    return regions


def grown(values: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    """Return the maximum of (H,W) values over a square of 2 radius + 1 pixels."""
    for axis in (0, 1):
        padded = np.pad(values, [(radius, radius) if one == axis else (0, 0) for one in (0, 1)])
        length = values.shape[axis]
        values = np.maximum.reduce(
            [np.take(padded, range(k, k + length), axis) for k in range(2 * radius + 1)]
        )
    return values


def feathered(values: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    """Return the mean of (H,W) values over a square of 2 radius + 1 pixels, edges repeated."""
    width = 2 * radius + 1
    for axis in (0, 1):
        pad = [(radius + 1, radius) if one == axis else (0, 0) for one in (0, 1)]
        total = np.cumsum(np.pad(values, pad, mode="edge"), axis=axis, dtype=np.float64)
        length = values.shape[axis]
        upper = np.take(total, range(width, width + length), axis)
        lower = np.take(total, range(length), axis)
        values = ((upper - lower) / width).astype(np.float32)
    # Rounding must not leave traces where nothing is.
    return np.where(values > 1e-5, values, 0).astype(np.float32)
