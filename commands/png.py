"""Write the pictures of a series as PNG files (PNG specification, sections 5 to 10)."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .bands import LAST_BLOCK, Bands, joined_adler

SIGNATURE = b"\x89PNG\r\n\x1a\n"
#: Colour types by channels: grey and RGB.
COLOUR_TYPES = {1: 0, 3: 2}
#: Filters of a row: the difference from the pixel to the left, and from the one above.
SUB, UP = 1, 2
#: The head of a zlib stream: a window of 32 KiB, the quickest level.
ZLIB_HEAD = b"\x78\x01"


class PngSeries:
    """Writes pictures that come one after the other; what does not change is deflated once."""

    def __init__(self) -> None:
        self._bands = Bands(zlib.adler32, filtered)

    def write(self, path: Path, pixels: NDArray[np.uint8]) -> None:
        """Write a picture, RGB (H, W, 3) or grey (H, W), uint8; it must not be changed afterwards.

        Raises OSError where it cannot be written.
        """
        height, width = pixels.shape[:2]
        colour_type = COLOUR_TYPES[pixels[0, 0].size]
        header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
        adler = 1
        with path.open("wb") as file:
            file.write(SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", ZLIB_HEAD))
            for piece in self._bands.deflate(pixels):
                file.write(_chunk(b"IDAT", piece.data))
                adler = joined_adler(adler, piece.check, piece.length)
            last = LAST_BLOCK + struct.pack(">I", adler)
            file.write(_chunk(b"IDAT", last) + _chunk(b"IEND", b""))


def filtered(rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return some rows (h, w[, C]) filtered, a byte that names the filter before each; the first
    one's does not look at the row above, which is another band's."""
    channels = rows[0, 0].size
    flat = rows.reshape(len(rows), -1)
    made = np.empty((len(flat), 1 + flat.shape[1]), np.uint8)
    made[0, 0], made[1:, 0] = SUB, UP
    made[0, 1 : 1 + channels] = flat[0, :channels]
    np.subtract(flat[0, channels:], flat[0, :-channels], out=made[0, 1 + channels :])
    np.subtract(flat[1:], flat[:-1], out=made[1:, 1:])
    return made


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(data, zlib.crc32(kind))
    return b"".join((struct.pack(">I", len(data)), kind, data, struct.pack(">I", check)))
