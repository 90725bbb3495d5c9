"""Where in the image a face moves at all."""

from __future__ import annotations

from typing import Any

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
    return np.stack([frame_region(generated, index) for index in range(len(generated.frames))])


def frame_region(generated: Generated, index: int) -> NDArray[np.float32]:
    """Return the region (H,W) of one frame; see `moving_region`."""
    neutral, frame = generated.neutral, generated.frames[index]
    radius = max(1, round(neutral.shape[0] / 170))
    motion = generated.motion[index].astype(np.float32)
    moved = np.hypot(motion[..., 0], motion[..., 1])
    region = np.zeros(moved.shape, np.float32)
    # Only around what moves: the rest is zero.
    box = bounds(moved > STILL_PIXELS, 8 * radius)
    if box is None:
        return region
    moved = (moved[box] - STILL_PIXELS) / (MOVING_PIXELS - STILL_PIXELS)
    level = np.maximum(frame[box], neutral[box]) - np.minimum(frame[box], neutral[box])
    changed = (level.max(axis=2) - np.float32(STILL_LEVELS)) / (MOVING_LEVELS - STILL_LEVELS)
    # A change of level alone may be noise: it counts only beside some motion.
    near = grown(moved, 2 * radius) > 0
    share = np.clip(np.maximum(moved, np.where(near, changed, 0)), 0, 1)
    region[box] = feathered(grown(share, radius), radius)
    return region


def bounds(mask: NDArray[np.bool_], margin: int) -> tuple[slice, slice] | None:
    """Return the rows and columns that hold a mask (H,W) with a margin, None where it is empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if len(rows) == 0:
        return None
    return (
        slice(max(int(rows[0]) - margin, 0), int(rows[-1]) + margin + 1),
        slice(max(int(columns[0]) - margin, 0), int(columns[-1]) + margin + 1),
    )


def grown(values: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    """Return the maximum of (H,W) values over a square of 2 radius + 1 pixels, 0 outside."""
    return _extreme(values, radius, np.maximum, 0.0)


def shrunk(values: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    """Return the minimum of (H,W) values over a square of 2 radius + 1 pixels."""
    return _extreme(values, radius, np.minimum, np.inf)


def _extreme(
    values: NDArray[np.float32], radius: int, ufunc: np.ufunc, outside: float
) -> NDArray[np.float32]:
    width = 2 * radius + 1
    for axis in (0, 1):
        pad = [(radius, radius) if one == axis else (0, 0) for one in (0, 1)]
        whole: NDArray[Any] = np.moveaxis(np.pad(values, pad, constant_values=outside), axis, 0)
        length, reach = values.shape[axis], 1
        # Windows that double: the extreme over 2 n is that of two over n.
        while 2 * reach <= width:
            whole = ufunc(whole[:-reach], whole[reach:])
            reach *= 2
        rest = width - reach
        whole = ufunc(whole[: len(whole) - rest], whole[rest:]) if rest else whole
        values = np.moveaxis(whole[:length], 0, axis)
    return np.ascontiguousarray(values)


def feathered(values: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    """Return the mean of (H,W) values over a square of 2 radius + 1 pixels, edges repeated."""
    width = 2 * radius + 1
    for axis in (0, 1):
        pad = [(radius + 1, radius) if one == axis else (0, 0) for one in (0, 1)]
        total = np.cumsum(np.pad(values, pad, mode="edge"), axis=axis, dtype=np.float64)
        moved = np.moveaxis(total, axis, 0)
        mean = (moved[width:] - moved[: len(moved) - width]) / width
        values = np.moveaxis(mean, 0, axis).astype(np.float32)
    # Rounding must not leave traces where nothing is.
    return np.where(values > 1e-5, values, 0).astype(np.float32)
