"""Pixels of Blender's images, by rows from the top, and light in sRGB bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .colour import DATA, decode_srgb, encode_srgb
from .ocio import set_space
from .png import write_png

__all__ = [
    "check_pixels",
    "from_linear",
    "image_bytes",
    "image_floats",
    "quantised",
    "raw_copy",
    "read_pixels",
    "to_linear",
    "write_png",
]

#: Rows converted at once; bounds the memory beside the picture itself.
ROWS = 64


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
    return quantised(image_floats(image), np.uint8)


def quantised(values: NDArray[np.floating[Any]], kind: type[Any]) -> NDArray[Any]:
    """Return values (H,W,C), clipped to 0..1, as the nearest whole levels of an integer type."""
    most = np.iinfo(kind).max
    levels = np.empty(values.shape, kind)
    for top in range(0, len(values), ROWS):
        part = slice(top, top + ROWS)
        levels[part] = np.rint(np.clip(values[part], 0, 1) * np.float32(most))
    return levels


def image_floats(image: Any) -> NDArray[np.float32]:
    """Return a Blender image's values as (H,W,4) float32, rows from the top.

    Stored values of an 8-bit image; the scene's linear light of any other (see `raw_copy`).
    """
    check_pixels(image)
    width, height = image.size
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


def check_pixels(image: Any) -> None:
    """Raise `InputError` for an image without pixels: its file is missing or unreadable."""
    if 0 in tuple(image.size):
        raise InputError(
            f"The image '{image.name}' holds no pixels.",
            "Check that its file exists (File > External Data > Find Missing Files).",
        )


def raw_copy(image: Any) -> Any:
    """Return a copy of a float image whose pixels are the values as its file stores them.

    The caller removes it.
    """
    copy = image.copy()
    set_space(copy, DATA)
    copy.alpha_mode = "CHANNEL_PACKED"
    return copy


def to_linear(values: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return sRGB bytes as linear light in 0..1 (IEC 61966-2-1)."""
    return _LINEAR[values]


def from_linear(values: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Return linear light as sRGB values in 0..1, clipped."""
    return encode_srgb(np.clip(values, 0.0, 1.0))


_LINEAR = decode_srgb(np.arange(256) / 255.0)
