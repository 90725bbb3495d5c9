"""PNG files (ISO/IEC 15948), written strip by strip so that unchanged strips cost nothing.

A strip is some whole rows, compressed by themselves: the bytes of a strip that did not change
since the last picture are used again. The file is an ordinary PNG.
"""

from __future__ import annotations

import itertools
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .whole_file import write_whole

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPES = {1: 0, 3: 2, 4: 6}
CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}
#: zlib's largest prime below 2^16, of its Adler-32 checksum (RFC 1950).
ADLER = 65521

Levels = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True)
class Strip:
    """Some rows as a part of a PNG file: `chunk`, and length and checksum of what is in it."""

    chunk: bytes
    length: int
    adler: int


def encode_strip(pixels: Levels, level: int = 2) -> Strip:
    """Return rows (h,W), (h,W,3) or (h,W,4) of uint8 or uint16 as a strip.

    `level` is zlib's (0 fast to 9 small).
    """
    height = pixels.shape[0]
    step = pixels.dtype.itemsize * (1 if pixels.ndim == 2 else pixels.shape[2])
    rows = np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder(">"), copy=False))
    body = rows.view(np.uint8).reshape(height, -1)
    # Filter 2 (Up): each byte less the one above it, which suits smooth skins. The first row of a
    # strip does not look above: filter 1 (Sub).
    filtered = np.empty((height, body.shape[1] + 1), np.uint8)
    filtered[:, 0] = 2
    filtered[0, 0] = 1
    filtered[0, 1 : 1 + step] = body[0, :step]
    np.subtract(body[0, step:], body[0, :-step], out=filtered[0, 1 + step :])
    np.subtract(body[1:], body[:-1], out=filtered[1:, 1:])
    raw = filtered.tobytes()
    packer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(raw) + packer.flush(zlib.Z_FULL_FLUSH)
    return Strip(_chunk(b"IDAT", packed), len(raw), zlib.adler32(raw))


def assemble(
    strips: Sequence[Strip], height: int, width: int, channels: int, depth: int
) -> list[bytes]:
    """Return the parts of a PNG file of strips from the top, `depth` bits a channel."""
    header = struct.pack(">IIBBBBB", width, height, depth, COLOUR_TYPES[channels], 0, 0, 0)
    adler = 1
    for strip in strips:
        adler = _joined(adler, strip.adler, strip.length)
    # zlib's header; an empty last block and the checksum of all.
    head, tail = b"\x78\x01", b"\x03\x00" + struct.pack(">I", adler)
    return [
        SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", head),
        *(strip.chunk for strip in strips),
        _chunk(b"IDAT", tail) + _chunk(b"IEND", b""),
    ]


def write_png(path: Path, pixels: Levels, level: int = 2) -> None:
    """Write (H,W), (H,W,3) or (H,W,4) uint8 or uint16 values as a PNG file.

    `level` is zlib's (0 fast to 9 small). The file appears whole or not at all.
    """
    if pixels.dtype not in (np.uint8, np.uint16):
        raise TypeError(f"PNG holds uint8 or uint16, not {pixels.dtype}")
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    strip = encode_strip(pixels, level)
    write_whole(path, assemble([strip], height, width, channels, pixels.dtype.itemsize * 8))


def read_own_png(path: Path) -> NDArray[Any]:
    """Return the values of a PNG file that this module wrote, (H,W) or (H,W,C), in its depth.

    Other files may use filters that take long to undo in plain numpy: raises `ValueError`.
    """
    data = path.read_bytes()
    if not data.startswith(SIGNATURE):
        raise ValueError(f"{path} is no PNG")
    place, packed, header = len(SIGNATURE), [], b""
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        kind, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        header = body if kind == b"IHDR" else header
        packed += [body] if kind == b"IDAT" else []
        place += length + 12
    width, height, depth, colour = struct.unpack(">IIBB", header[:10])
    channels, size = CHANNELS[colour], depth // 8
    rows = np.frombuffer(zlib.decompress(b"".join(packed)), np.uint8).reshape(height, -1)
    filters, values = rows[:, 0], rows[:, 1:].copy()
    if not np.isin(filters, (1, 2)).all():
        raise ValueError(f"{path} was written by something else")
    starts = [*np.flatnonzero(filters == 1), height]
    for first, last in itertools.pairwise(starts):
        row = values[first].reshape(width, channels * size)
        np.cumsum(row, axis=0, dtype=np.uint8, out=row)
        np.cumsum(values[first:last], axis=0, dtype=np.uint8, out=values[first:last])
    shape = (height, width) if channels == 1 else (height, width, channels)
    kind_of = np.dtype(np.uint8 if size == 1 else np.uint16)
    return np.asarray(values.view(kind_of.newbyteorder(">")).reshape(shape), kind_of)


def _joined(first: int, second: int, length: int) -> int:
    """Return the Adler-32 of two runs of bytes from theirs, the second `length` bytes long."""
    low = (first & 0xFFFF) + (second & 0xFFFF) - 1
    high = (first >> 16) + (second >> 16) + length * ((first & 0xFFFF) - 1)
    return (high % ADLER) << 16 | low % ADLER


def _chunk(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(body, zlib.crc32(kind))
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)
