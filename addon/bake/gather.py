"""Look-ups of image values between pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Gather:
    """Bilinear look-ups at fixed points of images of one width.

    `first` (N,) int32 flat index of the pixel above and left of each point, `x` and `y` (N,)
    float32 in 0..1 how far the point lies beyond it.
    """

    width: int
    first: NDArray[np.int32]
    x: NDArray[np.float32]
    y: NDArray[np.float32]

    def __call__(self, image: NDArray[Any], at: Any = slice(None)) -> NDArray[np.float32]:
        """Return the values (N,) or (N,C) of an image (H,W) or (H,W,C) at the points, or some."""
        flat = image.reshape(image.shape[0] * image.shape[1], -1)
        first, x, y = self.first[at], self.x[at, None], self.y[at, None]
        # A picture one pixel wide or high has no further pixel; its share is 0.
        right = 1 if image.shape[1] > 1 else 0
        below = self.width if image.shape[0] > 1 else 0
        upper = flat[first] * (1 - x) + flat[first + right] * x
        lower = flat[first + below] * (1 - x) + flat[first + below + right] * x
        result = np.asarray(upper * (1 - y) + lower * y, np.float32)
        return result[:, 0] if image.ndim == 2 else result


def bilinear(pixels: Floats, height: int, width: int) -> Gather:
    """Return the look-up at (N,2) array positions (x, y); points outside take the border."""
    x = np.clip(np.asarray(pixels[:, 0], np.float64), 0, width - 1)
    y = np.clip(np.asarray(pixels[:, 1], np.float64), 0, height - 1)
    left = np.minimum(x.astype(np.int32), max(width - 2, 0))
    top = np.minimum(y.astype(np.int32), max(height - 2, 0))
    return Gather(
        width,
        top * np.int32(width) + left,
        (x - left).astype(np.float32),
        (y - top).astype(np.float32),
    )


def cubic(image: NDArray[np.float32], places: Floats) -> NDArray[np.float32]:
    """Return an image (H,W,C) at array positions (...,2), by Catmull and Rom's cubic (1974).

    Exact at whole positions; positions outside take the border.
    """
    height, width = image.shape[:2]
    flat = image.reshape(height * width, -1)
    x = np.clip(np.asarray(places[..., 0], np.float64), 0, width - 1).ravel()
    y = np.clip(np.asarray(places[..., 1], np.float64), 0, height - 1).ravel()
    left, top = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    across, down = _kernel(x - left), _kernel(y - top)
    columns = [np.clip(left + step, 0, width - 1) for step in range(-1, 3)]
    total = np.zeros((len(x), flat.shape[1]), np.float32)
    for step, share in zip(range(-1, 3), down, strict=True):
        row = np.clip(top + step, 0, height - 1) * width
        for column, part in zip(columns, across, strict=True):
            total += flat[row + column] * (share * part)[:, None]
    return total.reshape(*places.shape[:-1], flat.shape[1])


def _kernel(t: NDArray[np.float64]) -> list[NDArray[np.float32]]:
    """Return the four taps at fractions t, which sum to 1."""
    taps = (
        ((2 - t) * t - 1) * t / 2,
        ((3 * t - 5) * t * t + 2) / 2,
        ((4 - 3 * t) * t + 1) * t / 2,
        (t - 1) * t * t / 2,
    )
    return [tap.astype(np.float32) for tap in taps]
