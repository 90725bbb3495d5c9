"""Take pictures and fields apart at any positions; and what arrays are called here."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

#: Real numbers of any precision.
Reals = NDArray[np.floating[Any]]

T = TypeVar("T", np.uint8, np.float32)


def sample(
    values: NDArray[T], places: Reals, method: int, border: int = cv2.BORDER_REPLICATE
) -> NDArray[T]:
    """Return `values` (H, W, ...) at `places` (h, w, 2), columns and rows as arrays count them.

    `method` is one of OpenCV's INTER_ flags and `border` one of its BORDER_ flags (a constant
    border is 0). Positions are good to 1/32 of a pixel. The type stays.
    """
    # Both columns in one map: OpenCV takes it as it is.
    grid = np.ascontiguousarray(places, dtype=np.float32)
    taken: Any = cv2.remap(values, grid, None, method, borderMode=border)  # type: ignore[call-overload]
    return np.asarray(taken, dtype=values.dtype)


def grey_levels(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the grey levels (H, W) 0..255 of an RGB picture (H, W, 3) or of a grey one (H, W).

    They are not rounded: where skin has little texture, half a level is some hundredths of a pixel
    of motion.
    """
    levels = picture.astype(np.float32)
    return levels if levels.ndim == 2 else np.asarray(cv2.cvtColor(levels, cv2.COLOR_RGB2GRAY))


def rounded(levels: Reals) -> NDArray[np.uint8]:
    """Return grey levels as a picture of whole ones."""
    return np.clip(levels + np.float32(0.5), 0, 255).astype(np.uint8)


def own_places(width: int, height: int) -> NDArray[np.float32]:
    """Return each pixel's own column and row, (height, width, 2)."""
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    return np.asarray(np.stack([columns, rows], -1), dtype=np.float32)


@lru_cache(maxsize=4)
def square_places(side: int) -> NDArray[np.float32]:
    """Return `own_places` of a square, kept for the next call: not to be written to."""
    places = own_places(side, side)
    places.flags.writeable = False
    return places
