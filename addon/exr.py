"""OpenEXR files of half floats, scan lines, ZIP compression.

The layout is that of "OpenEXR File Layout" (openexr.com), single part, version 2. Blocks of 16
rows are compressed by themselves, so that unchanged ones can be used again.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .whole_file import write_whole

MAGIC = b"\x76\x2f\x31\x01\x02\x00\x00\x00"
#: Rows of a block of ZIP compression.
BLOCK_ROWS = 16
HALF = 1
#: Names of an array's channels by their number; a file holds them in the order of the alphabet.
NAMES = {1: "Y", 3: "RGB", 4: "RGBA"}

Half = NDArray[np.float16]


def encode_blocks(pixels: Half, level: int = 2) -> list[bytes]:
    """Return rows (h,W) or (h,W,C) as compressed blocks of 16 rows, the last may be shorter."""
    planes = pixels.reshape(*pixels.shape[:2], -1)
    names = NAMES[planes.shape[2]]
    order = [names.index(name) for name in sorted(names)]
    # By row, then by channel in alphabetical order, then by column.
    rows = np.ascontiguousarray(planes[..., order].transpose(0, 2, 1)).astype("<f2", copy=False)
    return [
        _packed(rows[top : top + BLOCK_ROWS].tobytes(), level)
        for top in range(0, len(rows), BLOCK_ROWS)
    ]


def assemble(
    blocks: Sequence[bytes],
    height: int,
    width: int,
    channels: int,
    attributes: Mapping[str, str | Fraction | Sequence[float]],
) -> list[bytes]:
    """Return the parts of an EXR file of blocks from the top.

    `attributes` are metadata: texts, fractions, or 8 floats (chromaticities, x and y of red,
    green, blue and white).
    """
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    table = b"".join(
        name.encode() + b"\0" + struct.pack("<iBBBBii", HALF, 0, 0, 0, 0, 1, 1)
        for name in sorted(NAMES[channels])
    )
    fields = {
        "channels": (b"chlist", table + b"\0"),
        "compression": (b"compression", b"\x03"),
        "dataWindow": (b"box2i", window),
        "displayWindow": (b"box2i", window),
        "lineOrder": (b"lineOrder", b"\0"),
        "pixelAspectRatio": (b"float", struct.pack("<f", 1.0)),
        "screenWindowCenter": (b"v2f", struct.pack("<2f", 0, 0)),
        "screenWindowWidth": (b"float", struct.pack("<f", 1.0)),
        **{name: _attribute(value) for name, value in attributes.items()},
    }
    header = MAGIC + b"".join(
        name.encode() + b"\0" + kind + b"\0" + struct.pack("<i", len(body)) + body
        for name, (kind, body) in fields.items()
    )
    header += b"\0"
    place = len(header) + 8 * len(blocks)
    places = []
    for block in blocks:
        places.append(place)
        place += 8 + len(block)
    parts = [header + struct.pack(f"<{len(places)}Q", *places)]
    for index, block in enumerate(blocks):
        parts += [struct.pack("<ii", index * BLOCK_ROWS, len(block)), block]
    return parts


def write_exr(
    path: Path,
    pixels: Half,
    attributes: Mapping[str, str | Fraction | Sequence[float]] | None = None,
) -> None:
    """Write (H,W), (H,W,3) or (H,W,4) float16 values as an EXR file, whole or not at all."""
    if pixels.dtype != np.float16:
        raise TypeError(f"these files hold float16, not {pixels.dtype}")
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    height, width = pixels.shape[:2]
    parts = assemble(encode_blocks(pixels), height, width, channels, attributes or {})
    write_whole(path, parts)


def read_own_exr(path: Path) -> tuple[Half, dict[str, str | Fraction]]:
    """Return the values (H,W) or (H,W,C) of a file that this module wrote, and its metadata."""
    data = path.read_bytes()
    if not data.startswith(MAGIC):
        raise ValueError(f"{path} was written by something else")
    place, fields = len(MAGIC), {}
    while data[place]:
        name, kind, rest = data[place : place + 600].split(b"\0", 2)
        (length,) = struct.unpack("<i", rest[:4])
        place += len(name) + len(kind) + 2 + 4
        fields[name.decode()] = (kind, data[place : place + length])
        place += length
    if fields["compression"][1] != b"\x03":
        raise ValueError(f"{path} was written by something else")
    _, _, right, bottom = struct.unpack("<4i", fields["dataWindow"][1])
    height, width = bottom + 1, right + 1
    count = -(-height // BLOCK_ROWS)
    channels = (len(fields["channels"][1]) - 1) // 18
    places = struct.unpack(f"<{count}Q", data[place + 1 : place + 1 + 8 * count])
    names = NAMES[channels]
    order = [sorted(names).index(name) for name in names]
    pixels = np.empty((height, width, channels), np.float16)
    for index, start in enumerate(places):
        top, size = struct.unpack("<ii", data[start : start + 8])
        rows = min(BLOCK_ROWS, height - index * BLOCK_ROWS)
        raw = _unpacked(data[start + 8 : start + 8 + size], rows * width * channels * 2)
        block = np.frombuffer(raw, "<f2").reshape(rows, channels, width)
        pixels[top : top + rows] = block.transpose(0, 2, 1)[..., order]
    said: dict[str, str | Fraction] = {}
    for field, (of_kind, body) in fields.items():
        if of_kind == b"string":
            said[field] = body.decode()
        elif of_kind == b"rational":
            said[field] = Fraction(*struct.unpack("<iI", body))
    return (pixels[..., 0] if channels == 1 else pixels), said


def _attribute(value: Any) -> tuple[bytes, bytes]:
    if isinstance(value, str):
        return b"string", value.encode()
    if isinstance(value, Fraction):
        return b"rational", struct.pack("<iI", value.numerator, value.denominator)
    return b"chromaticities", struct.pack("<8f", *value)


def _packed(raw: bytes, level: int) -> bytes:
    data = np.frombuffer(raw, np.uint8)
    # First every other byte, then the rest; then what each adds to the one before it.
    split = np.concatenate([data[::2], data[1::2]])
    steps = np.empty_like(split)
    steps[0] = split[0]
    np.subtract(split[1:], split[:-1], out=steps[1:])
    steps[1:] += 128
    packed = zlib.compress(steps.tobytes(), level)
    return packed if len(packed) < len(raw) else raw


def _unpacked(packed: bytes, length: int) -> bytes:
    if len(packed) == length:
        return packed
    steps = np.frombuffer(zlib.decompress(packed), np.uint8).copy()
    steps[1:] -= 128
    split = np.cumsum(steps, dtype=np.uint8)
    raw = np.empty(length, np.uint8)
    half = (length + 1) // 2
    raw[::2], raw[1::2] = split[:half], split[half:]
    return raw.tobytes()
