"""What OpenEXR pictures need that other kinds do not: their size, and display values.

"OpenEXR File Layout", Academy Software Foundation: magic number, version, then attributes, each a
name, a type, a size and a value; `dataWindow` is a box2i (xMin, yMin, xMax, yMax), both ends in.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError

_MAGIC = b"\x76\x2f\x31\x01"
_MAX_ATTRIBUTES = 256


def is_exr(data: bytes) -> bool:
    """Whether a file's bytes begin as OpenEXR's do."""
    return data[:4] == _MAGIC


def exr_size(data: bytes, name: str) -> tuple[int, int]:
    """Return (width, height) in pixels from the header; raises InputError where it has none."""
    position = 8
    try:
        for _ in range(_MAX_ATTRIBUTES):
            attribute_end = data.index(b"\0", position, position + 256)
            attribute = data[position:attribute_end]
            if not attribute:
                break
            type_end = data.index(b"\0", attribute_end + 1, attribute_end + 257)
            (size,) = struct.unpack_from("<i", data, type_end + 1)
            if attribute == b"dataWindow":
                x_min, y_min, x_max, y_max = struct.unpack_from("<4i", data, type_end + 5)
                width, height = x_max - x_min + 1, y_max - y_min + 1
                if width > 0 and height > 0:
                    return width, height
                break
            if size < 0:
                break
            position = type_end + 5 + size
    except (ValueError, struct.error):
        pass  # cut off within the header: told below
    raise InputError(f"{name} is not a picture that can be read.", "Save it again as PNG or EXR.")


def display_referred(linear: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return linear light as sRGB values 0..1 (IEC 61966-2-1); what is over 1 is clipped.

    Samples that are no numbers become black, infinite ones white.
    """
    light = np.clip(np.nan_to_num(linear, nan=0.0, posinf=1.0, neginf=0.0), 0, 1)
    bent = 1.055 * np.power(light, 1 / 2.4, dtype=np.float32) - 0.055
    return np.asarray(np.where(light <= 0.0031308, 12.92 * light, bent), dtype=np.float32)
