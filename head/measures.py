"""The measures of a head in centimetres, worked out from its identity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import Floats
from .identity import Identity


@dataclass(frozen=True)
class Measures:
    """Where the parts of a face lie (centimetres; +x subject's left, +y up, +z forward).

    The origin is the middle between the eyeballs' centres. Values named after a paired part
    belong to the subject's left one.
    """

    identity: Identity
    eye_x: float
    eye_radius: float
    lid_gap: float
    canthus_inner: float
    canthus_outer: float
    canthus_tilt: float
    upper_opening: float
    lower_opening: float
    brow_y: float
    nose_tip: tuple[float, float, float]
    nose_wing: float
    mouth_y: float
    mouth_half: float
    upper_lip: float
    lower_lip: float
    chin_y: float
    jaw_pivot: tuple[float, float, float] = (0.0, -1.6, -7.2)

    @property
    def eye(self) -> Floats:
        """The left eyeball's centre, (3,)."""
        return np.array([self.eye_x, 0.0, 0.0])

    def mouth_line(self, x: Floats) -> Floats:
        """Height of the line where the lips meet, at each `x`."""
        s = np.abs(x) / self.mouth_half
        line = 0.05 * np.exp(-((s / 0.16) ** 2)) * -1.0 + 0.07 * np.exp(-(((s - 0.42) / 0.25) ** 2))
        return np.asarray(self.mouth_y + line + 0.10 * np.clip(s, 0.0, 1.2) ** 3)

    def lip_heights(self, x: Floats) -> tuple[Floats, Floats]:
        """Heights of the upper and of the lower vermilion above and below the mouth line."""
        s = np.clip(np.abs(x) / self.mouth_half, 0.0, 1.0)
        taper = np.sqrt(np.clip(1.0 - s**2.2, 0.0, 1.0))
        bow = 1.0 + 0.16 * np.exp(-(((s - 0.22) / 0.16) ** 2)) - 0.14 * np.exp(-((s / 0.10) ** 2))
        upper = self.upper_lip * (0.35 * taper + 0.65 * (1.0 - s**1.3)) * bow
        lower = self.lower_lip * taper**1.25
        return upper, lower


def measure(identity: Identity) -> Measures:
    """Return the measures of `identity`."""
    who = identity
    eye_x = 3.2 + 0.14 * who.face_width + 0.2 * who.eye_spacing
    radius = 1.40 * (1.0 + 0.06 * who.eye_size)
    half = 1.62 * (1.0 + 0.07 * who.eye_size)
    opening = 1.0 + 0.16 * who.eye_opening + 0.06 * who.eye_size - 0.06 * who.age
    mouth_y = -6.15 - 0.25 * who.nose_length - 0.12 * who.chin_length
    nose_y = -3.75 - 0.4 * who.nose_length
    return Measures(
        identity=who,
        eye_x=eye_x,
        eye_radius=radius,
        lid_gap=0.13,
        canthus_inner=eye_x - half * 0.98,
        canthus_outer=eye_x + half * 0.98,
        canthus_tilt=0.10 + 0.10 * who.eye_tilt,
        upper_opening=np.radians(31.0) * opening,
        lower_opening=np.radians(19.0) * opening,
        brow_y=1.98 + 0.28 * who.brow_height,
        nose_tip=(0.0, nose_y, 3.15 + 0.25 * who.nose_length),
        nose_wing=1.36 * (1.0 + 0.2 * who.nose_width),
        mouth_y=mouth_y,
        mouth_half=2.35 * (1.0 + 0.13 * who.mouth_width),
        upper_lip=0.66 * (1.0 + 0.38 * who.lips),
        lower_lip=0.88 * (1.0 + 0.32 * who.lips),
        chin_y=-9.9 - 0.6 * who.chin_length - 0.12 * who.nose_length,
    )
