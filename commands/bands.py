"""Deflate a series of arrays, and no part of them twice.

Most of a generated frame is the frame before, or the neutral itself. A deflated stream may be made
of pieces that need nothing of each other (a full flush between them; RFC 1951), so a band of rows
that is as it was is taken over as it was deflated.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Rows in a band.
BAND_ROWS = 64
#: What ends a stream of pieces: a last block, an empty one.
LAST_BLOCK = b"\x03\x00"
#: The modulus of Adler-32 (RFC 1950), and the polynomial of CRC-32 (RFC 1952), its bits reversed.
ADLER_PRIME, CRC_POLYNOMIAL = 65521, 0xEDB88320
#: The polynomial 1, and x to the power of 8: what a byte more multiplies a CRC-32 by.
ONE, BYTE = 1 << 31, 1 << 23


@dataclass(frozen=True)
class Piece:
    """A band deflated: `data`, and the checksum and the length of what it inflates to."""

    data: bytes
    check: int
    length: int


class Bands:
    """Deflates arrays that come one after the other, in bands of rows.

    `check` is the checksum that their file has, and `filtered` turns the rows of a band into what
    is deflated; without it that is their own bytes.
    """

    def __init__(
        self,
        check: Callable[[memoryview], int],
        filtered: Callable[[NDArray[Any]], NDArray[Any]] = np.asarray,
    ) -> None:
        self._check = check
        self._filtered = filtered
        self._before: NDArray[Any] | None = None
        self._pieces: list[Piece] = []

    def deflate(self, array: NDArray[Any]) -> list[Piece]:
        """Return an array (H, ...) as pieces; it must not be changed afterwards."""
        before, kept = self._before, self._pieces
        if before is None or before.shape != array.shape:
            before, kept = None, []
        self._before, self._pieces = array, []
        for number, top in enumerate(range(0, len(array), BAND_ROWS)):
            rows = slice(top, top + BAND_ROWS)
            if before is not None and _same(before[rows], array[rows]):
                self._pieces.append(kept[number])
            else:
                self._pieces.append(self._deflated(self._filtered(array[rows])))
        return self._pieces

    def _deflated(self, values: NDArray[Any]) -> Piece:
        """Return an array's bytes as a piece of a deflated stream."""
        # What skin, hair and motion repeat is in runs: to look for more takes twice the time, and
        # is no smaller.
        deflate = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS, 9, zlib.Z_RLE)
        raw = np.ascontiguousarray(values).view(np.uint8).data
        data = deflate.compress(raw) + deflate.flush(zlib.Z_FULL_FLUSH)
        return Piece(data, self._check(raw), values.nbytes)


def _same(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether two arrays are the same bit for bit."""
    return np.array_equal(one.view(np.uint8), other.view(np.uint8))


def joined_adler(first: int, second: int, length: int) -> int:
    """Return the Adler-32 of two stretches, of which the second has `length` bytes."""
    low = (first & 0xFFFF) + (second & 0xFFFF) - 1
    high = (first >> 16) + (second >> 16) + length * ((first & 0xFFFF) - 1)
    return high % ADLER_PRIME << 16 | low % ADLER_PRIME


def joined_crc(first: int, second: int, length: int) -> int:
    """Return the CRC-32 of two stretches, of which the second has `length` bytes."""
    return _product(first, _factor(length)) ^ second


@lru_cache
def _factor(length: int) -> int:
    """Return what `length` bytes more multiply a CRC-32 by."""
    power, step = ONE, BYTE
    while length:
        if length & 1:
            power = _product(power, step)
        step = _product(step, step)
        length >>= 1
    return power


def _product(first: int, second: int) -> int:
    """Return the product of two polynomials over GF(2) modulo that of CRC-32, bits reversed."""
    total = 0
    while first:
        if first & ONE:
            total ^= second
        first = first << 1 & 0xFFFFFFFF
        second = second >> 1 ^ (CRC_POLYNOMIAL if second & 1 else 0)
    return total
