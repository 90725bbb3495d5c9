"""Show film of high dynamic range as sRGB: Hybrid Log-Gamma and PQ (ITU-R BT.2100).

Phones film so by default. Shown as it is stored, a face is pale and flat, unlike all that the
network and the detectors know.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .exr import display_referred

Floats = NDArray[np.float32]

#: Numbers of transfer characteristics in ITU-T H.273, with the names that people know.
NAMES = {16: "PQ", 18: "HLG"}
#: What a white sheet of paper has (ITU-R BT.2408), and the screen that HLG is made for, in cd/m2.
_WHITE, _SCREEN = 203.0, 1000.0
#: Above this share of white, lights are pressed together rather than clipped.
_KNEE = 0.7
#: From BT.2020's primaries to those of BT.709, in linear light (ITU-R BT.2087).
_NARROWER = np.array(
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    np.float32,
)
#: Steps that linear light is quantised to when it is bent to sRGB; fine enough in its darks.
_STEPS = 4096


class Shower:
    """Turns pictures (H, W, 3) uint8 RGB of one of `NAMES`, in BT.2020, into sRGB's."""

    def __init__(self, transfer: int) -> None:
        signal = np.arange(256, dtype=np.float32) / 255
        light = _hlg_light(signal) if NAMES[transfer] == "HLG" else _pq_light(signal)
        self._light = pressed(light / _WHITE)
        even = np.linspace(0, 1, _STEPS, dtype=np.float32) ** 2
        self._bent = (display_referred(even) * 255 + 0.5).astype(np.uint8)

    def __call__(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return a picture as sRGB."""
        import cv2

        light = cv2.transform(self._light[picture], _NARROWER)
        # A square root spreads the darks out, as eyes and sRGB do.
        steps = cv2.sqrt(np.clip(light, 0, 1)) * (_STEPS - 1) + 0.5
        return np.asarray(self._bent[steps.astype(np.uint16)])


def pressed(light: Floats) -> Floats:
    """Return light, 1 for white, as it fits on a screen: below the knee as it is, under 1 above."""
    room = np.float32(1 - _KNEE)
    above = _KNEE + room * (1 - np.exp(-np.maximum(light - _KNEE, 0) / room))
    return np.asarray(np.where(light < _KNEE, light, above), dtype=np.float32)


def _hlg_light(signal: Floats) -> Floats:
    """Return the screen's light in cd/m2 (BT.2100, table 5), each colour by a gamma of 1.2."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    return np.asarray(_SCREEN * scene**1.2, dtype=np.float32)


def _pq_light(signal: Floats) -> Floats:
    """Return the screen's light in cd/m2 (BT.2100, table 4)."""
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    power = signal ** (1 / m2)
    ratio = np.maximum(power - c1, 0) / (c2 - c3 * power)
    return np.asarray(10_000 * ratio ** (1 / m1), dtype=np.float32)
