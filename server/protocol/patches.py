"""What of a picture travels: the box that is not as the ground it lies on.

Most of a generated frame is the neutral's, and most of its edges and motion is zero.
"""

from __future__ import annotations

from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .failures import ProtocolError

#: Rows that are compared at once, so that the comparison stays in the processor's cache.
BAND_ROWS = 64


def patch_of(
    whole: NDArray[Any], ground: NDArray[Any] | None = None
) -> tuple[int, int, NDArray[Any]]:
    """Return the top, the left and the pixels of the smallest box of `whole` (H, W, ...) that holds
    all that is not bit for bit as in the `ground` of its shape and type, without one all that is
    not zero; never less than a pixel."""
    rows = np.zeros(whole.shape[0], bool)
    columns = np.zeros_like(_words(whole[:1])[0])
    for top in range(0, len(rows), BAND_ROWS):
        band = slice(top, top + BAND_ROWS)
        other = _words(whole[band])
        if ground is not None:
            other = other ^ _words(ground[band])
        rows[band] = np.bitwise_or.reduce(other, axis=1) != 0
        columns |= np.bitwise_or.reduce(other, axis=0)
    across = columns.view(np.uint8).reshape(whole.shape[1], -1).any(axis=1)
    down, beside = _extent(rows), _extent(across)
    return down.start, beside.start, whole[down, beside]


def pasted(
    patch: NDArray[Any], top: int, left: int, size: tuple[int, int], ground: NDArray[Any] | None
) -> NDArray[Any]:
    """Return a patch (h, w, ...) on its ground, without one on zeros, of `size` (H, W); one that
    covers all comes back as it is. Raises ProtocolError where it does not fit."""
    height, width = patch.shape[:2]
    if (height, width) == size and top == left == 0:
        return patch
    if top + height > size[0] or left + width > size[1]:
        raise ProtocolError("A part of a frame does not fit the frame.", "Try again.")
    whole = np.zeros(size + patch.shape[2:], patch.dtype) if ground is None else ground.copy()
    whole[top : top + height, left : left + width] = patch
    return whole


def _words(rows: NDArray[Any]) -> NDArray[Any]:
    """Return rows of an array as whole numbers (h, n), the longest that fit: eight bytes are
    compared in the time of one."""
    flat = np.ascontiguousarray(rows).reshape(len(rows), -1).view(np.uint8)
    return flat.view(f"u{gcd(flat.shape[1], 8)}")


def _extent(marked: NDArray[np.bool_]) -> slice:
    """Return from the first to the last mark, or the first place where there is none."""
    places = np.flatnonzero(marked)
    return slice(int(places[0]), int(places[-1]) + 1) if len(places) else slice(0, 1)
