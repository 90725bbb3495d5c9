"""What of a picture travels: the box that is not as the ground it lies on.

Most of a generated frame is the neutral's, and most of its edges and motion is zero. A large box
travels in bands of rows, so that a slow connection is never silent for as long as all of it takes.
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
    if patch.shape[:2] == size and top == left == 0:
        return patch
    return _laid(patch, top, left, _copied(ground, size, patch))


class Gathering:
    """A picture of `size` (H, W) whose patch comes in bands, on a ground, without one on zeros."""

    def __init__(self, size: tuple[int, int], ground: NDArray[Any] | None) -> None:
        self._size, self._ground = size, ground
        self._whole: NDArray[Any] | None = None
        self._tops: set[int] = set()

    def add(self, band: NDArray[Any], top: int, left: int, bands: int) -> NDArray[Any] | None:
        """Lay a band on, in any order and maybe twice; return the whole once all `bands` are there.

        Raises ProtocolError where it does not fit.
        """
        if bands == 1:
            return pasted(band, top, left, self._size, self._ground)
        if self._whole is None:
            self._whole = _copied(self._ground, self._size, band)
        _laid(band, top, left, self._whole)
        self._tops.add(top)
        return self._whole if len(self._tops) == bands else None


def bands_of(patch: NDArray[Any], most_bytes: int) -> list[NDArray[Any]]:
    """Return a patch (h, w, ...) in bands of rows of so many bytes at most, or of a single row."""
    rows = max(1, most_bytes // patch[0].nbytes)
    return [patch[first : first + rows] for first in range(0, len(patch), rows)]


def _copied(
    ground: NDArray[Any] | None, size: tuple[int, int], patch: NDArray[Any]
) -> NDArray[Any]:
    """Return a ground of `size` (H, W) to be written on, zeros of the patch's type without one."""
    return np.zeros(size + patch.shape[2:], patch.dtype) if ground is None else ground.copy()


def _laid(patch: NDArray[Any], top: int, left: int, whole: NDArray[Any]) -> NDArray[Any]:
    """Write a patch into the whole and return that; ProtocolError where it does not fit."""
    height, width = patch.shape[:2]
    if top + height > whole.shape[0] or left + width > whole.shape[1]:
        raise ProtocolError("A part of a frame does not fit the frame.", "Try again.")
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
