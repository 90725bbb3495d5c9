"""Colour spaces of textures and renders: what a stored value means in linear light, and back.

Only the spaces that textures are painted in: a transfer curve and primaries. View transforms
(AgX, Filmic) and camera logs are no such spaces.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError

Floats = NDArray[np.floating[Any]]
Matrix = NDArray[np.float64]

#: Chromaticities of red, green, blue and white: ITU-R BT.709, BT.2020, SMPTE EG 432-1 (P3 with
#: D65), and the Academy's AP1 (S-2014-004) and AP0 (S-2008-001).
D65, ACES_WHITE = (0.3127, 0.3290), (0.32168, 0.33767)
PRIMARIES = {
    "Rec.709": ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06), D65),
    "Rec.2020": ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), D65),
    "P3": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), D65),
    "AP1": ((0.713, 0.293), (0.165, 0.830), (0.128, 0.044), ACES_WHITE),
    "AP0": ((0.7347, 0.2653), (0.0, 1.0), (0.0001, -0.077), ACES_WHITE),
}
#: Bradford's cone responses, for taking colours from one white to another.
BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


@dataclass(frozen=True)
class ColourSpace:
    """A space that textures are stored in.

    `name` as Blender has it; `curve` is "sRGB" (IEC 61966-2-1), "2.4" (ITU-R BT.1886) or "linear";
    `primaries` a key of `PRIMARIES`, or empty for data that is no colour.
    """

    name: str
    curve: str
    primaries: str

    @property
    def linear(self) -> bool:
        """Whether values are proportional to light."""
        return self.curve == "linear"

    def decode(self, values: Floats) -> NDArray[np.float32]:
        """Return stored values as linear light in the space's own primaries."""
        if self.curve == "sRGB":
            return decode_srgb(values)
        if self.curve == "2.4":
            return np.asarray(np.maximum(values, 0) ** 2.4, np.float32)
        return np.asarray(values, np.float32)

    def encode(self, light: Floats) -> NDArray[np.float32]:
        """Return linear light in the space's own primaries as stored values, not clipped."""
        if self.curve == "sRGB":
            return encode_srgb(light)
        if self.curve == "2.4":
            return np.asarray(np.maximum(light, 0) ** (1 / 2.4), np.float32)
        return np.asarray(light, np.float32)


SRGB = ColourSpace("sRGB", "sRGB", "Rec.709")
DATA = ColourSpace("Non-Color", "linear", "")

#: Spaces by Blender's names, and by those of the Academy's configurations that studios use.
_TABLE: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("sRGB", "Rec.709", ("sRGB", "sRGB - Texture", "Utility - sRGB - Texture", "srgb_texture",
                         "srgb_tx", "sRGB Encoded Rec.709 (sRGB)")),
    ("linear", "Rec.709", ("Linear Rec.709", "Linear", "Linear BT.709", "Linear Rec.709 (sRGB)",
                           "Utility - Linear - sRGB", "Utility - Linear - Rec.709", "lin_rec709",
                           "lin_srgb")),
    ("linear", "AP1", ("ACEScg", "ACES - ACEScg", "Linear ACEScg", "acescg", "lin_ap1")),
    ("linear", "AP0", ("ACES2065-1", "ACES - ACES2065-1", "Linear ACES", "lin_ap0")),
    ("linear", "Rec.2020", ("Linear Rec.2020", "Linear BT.2020", "lin_rec2020")),
    ("linear", "P3", ("Linear DCI-P3 D65", "Linear P3-D65", "lin_p3d65")),
    ("sRGB", "P3", ("Display P3", "sRGB Encoded P3-D65")),
    ("2.4", "Rec.709", ("Rec.1886",)),
    ("2.4", "Rec.2020", ("Rec.2020",)),
    ("linear", "", ("Non-Color", "Raw", "raw", "Utility - Raw", "data", "Generic Data")),
)  # fmt: skip
SPACES = {
    name: ColourSpace(name, curve, primaries)
    for curve, primaries, names in _TABLE
    for name in names
}


def colour_space(name: str, owner: str) -> ColourSpace:
    """Return the space called `name`, or raise `InputError` naming its `owner`."""
    if name not in SPACES:
        raise InputError(
            f"The colour space '{name}' of {owner} is none that textures are painted in.",
            "Set the image's colour space to sRGB, Linear Rec.709, ACEScg or Non-Color.",
        )
    return SPACES[name]


def between(source: str, target: str) -> Matrix | None:
    """Return the matrix (3,3) that takes linear light from one set of primaries to another.

    None where nothing is to be done: the same primaries, or data that is no colour.
    """
    if source == target or not source or not target:
        return None
    return np.linalg.inv(_to_xyz(target)) @ _to_xyz(source)


def turned(light: Floats, matrix: Matrix | None) -> NDArray[np.float32]:
    """Return colours (...,3) taken through a matrix of `between`."""
    if matrix is None:
        return np.asarray(light, np.float32)
    return np.asarray(light @ matrix.T.astype(np.float32), np.float32)


def chromaticities(primaries: str) -> tuple[float, ...]:
    """Return x and y of red, green, blue and white, as an EXR file names its primaries."""
    return tuple(value for pair in PRIMARIES[primaries] for value in pair)


def decode_srgb(values: Floats) -> NDArray[np.float32]:
    """Return sRGB values as linear light (IEC 61966-2-1), mirrored below 0."""
    size = np.abs(np.asarray(values, np.float32))
    light = np.where(size <= 0.04045, size / 12.92, ((size + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.copysign(light, values), np.float32)


def encode_srgb(light: Floats) -> NDArray[np.float32]:
    """Return linear light as sRGB values (IEC 61966-2-1), mirrored below 0."""
    size = np.abs(np.asarray(light, np.float32))
    bent = 1.055 * np.power(size, 1 / 2.4, dtype=np.float32) - 0.055
    return np.asarray(np.copysign(np.where(size <= 0.0031308, size * 12.92, bent), light))


def _to_xyz(primaries: str) -> Matrix:
    """Return the matrix from linear light to CIE XYZ, adapted to D65 (SMPTE RP 177; Bradford)."""
    *corners, white = PRIMARIES[primaries]
    columns = np.array([_xyz(corner) for corner in corners]).T
    matrix = columns * np.linalg.solve(columns, _xyz(white))
    gains = (BRADFORD @ _xyz(D65)) / (BRADFORD @ _xyz(white))
    return np.asarray(np.linalg.inv(BRADFORD) @ (gains[:, None] * BRADFORD) @ matrix)


def _xyz(chromaticity: tuple[float, float]) -> Matrix:
    x, y = chromaticity
    return np.array([x / y, 1.0, (1 - x - y) / y])
