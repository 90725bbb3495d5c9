"""Write a clip's motion as an NPZ archive frame by frame, in the room that it takes at the end.

An NPZ archive is a ZIP file with an NPY file in it. How long both are is told at their beginning,
so room is left there and filled in at the end. `zipfile` takes nothing that is deflated already, so
the structures of a ZIP file of one entry are made here (APPNOTE 6.3.10, section 4.3).
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .bands import LAST_BLOCK, Bands, joined_crc

NAME = b"flow.npy"
#: Length of the NPY file's head, filled up with blanks.
NPY_HEAD_BYTES = 128
#: The head of a deflated block that is stored as it is, and not the last (RFC 1951, 3.2.4).
STORED = struct.pack("<BHH", 0, NPY_HEAD_BYTES, NPY_HEAD_BYTES ^ 0xFFFF)
#: What it takes to read an entry: version 4.5, no flags, deflated, of 1980-01-01.
HOW = (45, 0, 8, 0, 33)
#: Both sizes are in a field of their own, with 64 bits.
LARGE = 0xFFFFFFFF
SIZES = struct.Struct("<HHQQ")
LOCAL_HEAD = struct.Struct("<4sHHHHHIIIHH")
DIRECTORY = struct.Struct("<4sHHHHHHIIIHHHHHII")
LARGE_END, LARGE_END_AT, END = (
    struct.Struct(form) for form in ("<4sQHHIIQQQQ", "<4sIQI", "<4sHHHHIIH")
)
#: Where the deflated motion begins.
START = LOCAL_HEAD.size + len(NAME) + SIZES.size + len(STORED) + NPY_HEAD_BYTES


class MotionArchive:
    """An archive in the making: `flow` float16 (T, H, W, 2)."""

    def __init__(self, path: Path) -> None:
        """Open the file; raises OSError where that cannot be."""
        self._file = path.open("wb")
        self._file.seek(START)
        self._bands = Bands(zlib.crc32)
        self._shape: tuple[int, ...] = (0, 0, 2)
        self._count = self._crc = self._bytes = 0

    def add(self, flow: NDArray[np.float16]) -> None:
        """Write the next frame (H, W, 2), all of one size; it must not be changed afterwards."""
        self._shape = flow.shape
        self._count += 1
        for piece in self._bands.deflate(flow):
            self._file.write(piece.data)
            self._crc = joined_crc(self._crc, piece.check, piece.length)
            self._bytes += piece.length

    def finish(self) -> None:
        """Write what is known at the end, and close."""
        self._file.write(LAST_BLOCK)
        end = self._file.tell()
        head = npy_head((self._count, *self._shape))
        crc = joined_crc(zlib.crc32(head), self._crc, self._bytes)
        deflated = end - START + len(STORED) + len(head)
        lengths = (len(NAME), SIZES.size)
        sizes = NAME + SIZES.pack(1, 16, len(head) + self._bytes, deflated)
        entry = DIRECTORY.pack(
            b"PK\1\2", 45, *HOW, crc, LARGE, LARGE, *lengths, 0, 0, 0, 0, 0
        ) + sizes  # fmt: skip
        self._file.write(entry)
        self._file.write(
            LARGE_END.pack(b"PK\6\6", LARGE_END.size - 12, 45, 45, 0, 0, 1, 1, len(entry), end)
        )
        self._file.write(LARGE_END_AT.pack(b"PK\6\7", 0, end + len(entry), 1))
        self._file.write(END.pack(b"PK\5\6", 0, 0, 1, 1, len(entry), LARGE, 0))
        self._file.seek(0)
        local = LOCAL_HEAD.pack(b"PK\3\4", *HOW, crc, LARGE, LARGE, *lengths)
        self._file.write(local + sizes + STORED + head)
        self.close()

    def close(self) -> None:
        """Close the file, whole or not."""
        self._file.close()


def npy_head(shape: tuple[int, ...]) -> bytes:
    """Return the head of an NPY file (format 1.0) of float16."""
    about = repr({"descr": "<f2", "fortran_order": False, "shape": shape})
    room = NPY_HEAD_BYTES - 10
    text = about.encode().ljust(room - 1) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", room) + text
