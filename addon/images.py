"""Pixels in and out of Blender and of PNG files, by rows from the top."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..errors import InputError


def read_pixels(path: Path) -> NDArray[np.uint8]:
    """Return an 8-bit image file as (H,W,4) uint8, straight alpha, no colour conversion."""
    try:
        image = bpy.data.images.load(str(path))
    except RuntimeError as error:
        raise InputError(f"The picture {path} cannot be read.", "Give a PNG or JPEG.") from error
    try:
        return image_bytes(image)
    finally:
        bpy.data.images.remove(image)


def image_bytes(image: Any) -> NDArray[np.uint8]:
    """Return a Blender image as (H,W,4) uint8; exact for 8-bit images."""
    return np.asarray(np.rint(np.clip(image_floats(image), 0, 1) * 255), np.uint8)


def image_floats(image: Any) -> NDArray[np.float32]:
    """Return a Blender image's stored values as (H,W,C) float32, rows from the top."""
    width, height = image.size
    if width == 0 or height == 0:
        raise InputError(
            f"The image '{image.name}' holds no pixels.",
            "Check that its file exists (File > External Data > Find Missing Files).",
        )
    flat = np.empty(width * height * image.channels, np.float32)
    image.pixels.foreach_get(flat)
    pixels = flat.reshape(height, width, image.channels)[::-1]
    if image.channels == 4:
        return pixels
    full = np.ones((height, width, 4), np.float32)
    full[..., : image.channels] = pixels
    if image.channels == 1:
        full[..., 1:3] = pixels
    return full


def write_png(path: Path, pixels: NDArray[np.uint8] | NDArray[np.uint16], level: int = 2) -> None:
    """Write (H,W), (H,W,3) or (H,W,4) uint8 or uint16 values as a PNG file (ISO/IEC 15948).

    `level` is zlib's (0 fast to 9 small). The file appears whole or not at all.
    """
    if pixels.dtype not in (np.uint8, np.uint16):
        raise TypeError(f"PNG holds uint8 or uint16, not {pixels.dtype}")
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    colour_type = {1: 0, 3: 2, 4: 6}[channels]
    depth = pixels.dtype.itemsize * 8
    rows = np.ascontiguousarray(pixels.astype(pixels.dtype.newbyteorder(">"), copy=False))
    body = rows.view(np.uint8).reshape(height, -1)
    # Filter 2 (Up): each byte less the one above it, which suits smooth skins.
    filtered = np.empty((height, body.shape[1] + 1), np.uint8)
    filtered[:, 0] = 2
    filtered[0, 1:] = body[0]
    np.subtract(body[1:], body[:-1], out=filtered[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    parts = [
        b"\x89PNG\r\n\x1a\n",
        _chunk(b"IHDR", header),
        _chunk(b"IDAT", zlib.compress(filtered.tobytes(), level)),
        _chunk(b"IEND", b""),
    ]
    aside = path.with_name(f"{path.name}.part")
    aside.write_bytes(b"".join(parts))
    aside.replace(path)


def _chunk(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(body, zlib.crc32(kind))
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def to_linear(values: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return sRGB bytes as linear light in 0..1 (IEC 61966-2-1)."""
    return _LINEAR[values]


def from_linear(values: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Return linear light as sRGB values in 0..1, clipped."""
    light = np.clip(values, 0.0, 1.0)
    bent = 1.055 * np.power(light, 1 / 2.4) - 0.055
    return np.asarray(np.where(light <= 0.0031308, light * 12.92, bent), np.float32)


def _linear_table() -> NDArray[np.float32]:
    level = np.arange(256) / 255.0
    light = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    return light.astype(np.float32)


_LINEAR = _linear_table()
