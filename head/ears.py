"""Ears: a rolled rim, a ridge inside it, a bowl and a lobe."""

from __future__ import annotations

import numpy as np

from .arrays import Floats
from .atlas import place
from .measures import Measures
from .part import Part, sheet, sheet_uv
from .sculpt import cast, head_form

SECTORS = 40
#: Rings from the bowl's middle over the rim to the back: radius, height above the ear's plane.
RINGS = (
    (0.02, -0.62),
    (0.16, -0.60),
    (0.30, -0.48),
    (0.42, -0.10),
    (0.52, 0.12),
    (0.62, 0.10),
    (0.72, -0.06),
    (0.82, -0.02),
    (0.89, 0.22),
    (0.96, 0.30),
    (1.00, 0.20),
    (0.98, 0.02),
    (0.84, -0.20),
    (0.62, -0.55),
    (0.50, -1.10),
)


def ears(m: Measures) -> list[Part]:
    """Return the left and the right ear."""
    return [_ear(m, 1.0, "left"), _ear(m, -1.0, "right")]


def ear_root(m: Measures) -> Floats:
    """The point of the head's side on which the left ear sits, (3,)."""
    root = np.array([[0.0, -1.5, -7.7]])
    return np.asarray(cast(head_form(m), root, np.array([[1.0, 0.0, 0.0]]))[0])


def _ear(m: Measures, sign: float, side: str) -> Part:
    size = 1.0 + 0.12 * m.identity.ears
    turn = np.linspace(0.0, 2 * np.pi, SECTORS, endpoint=False)
    # Outline, 0 to the back, a quarter turn up: wide above, a small lobe below.
    wide = np.where(np.cos(turn) > 0, 1.62, 1.25) * (1.0 + 0.16 * np.sin(turn))
    tall = np.where(np.sin(turn) > 0, 2.55, 2.65)
    wide = wide * np.where(np.sin(turn) < 0, 1.0 - 0.30 * np.abs(np.sin(turn)) ** 2, 1.0)
    front = np.clip(-np.cos(turn), 0.0, 1.0)
    lobe = np.clip(-np.sin(turn) - 0.55, 0.0, 1.0) / 0.45
    rings = []
    for radius, height in RINGS:
        back = radius * wide * np.cos(turn) * size
        up = radius * tall * np.sin(turn) * size
        # The bowl sits a little below and before the middle.
        shift = (1.0 - radius) * 0.28
        out = np.full(SECTORS, height)
        out = out * (1.0 - 0.75 * lobe * (radius > 0.5)) - 0.30 * front**1.5 * (radius > 0.45)
        out = out + 0.16 * np.exp(-(((turn - np.pi) / 0.35) ** 2)) * (0.3 < radius < 0.7)
        rings.append(np.stack([out, up - 0.9 * shift, -(back - shift)], axis=1))
    local = np.concatenate(rings)
    # Stand off the head: the back edge leans outwards, the top leans back.
    lean, tip = np.radians(40.0 + 8.0 * m.identity.ears), np.radians(-10.0)
    x = local[:, 0] * np.cos(lean) - local[:, 2] * np.sin(lean)
    z = local[:, 0] * np.sin(lean) + local[:, 2] * np.cos(lean)
    y = local[:, 1] * np.cos(tip) - z * np.sin(tip)
    z = local[:, 1] * np.sin(tip) + z * np.cos(tip)
    points = ear_root(m) + np.stack([x + 0.60, y, z - 0.30], axis=1)
    faces = sheet(len(RINGS), SECTORS, around=True)
    uv, uv_faces = sheet_uv(len(RINGS), SECTORS)
    if sign > 0:
        faces, uv_faces = faces[:, [0, 3, 2, 1]], uv_faces[:, [0, 3, 2, 1]]
    points = points * np.array([sign, 1.0, 1.0])
    return Part("skin", points, faces, place(f"ear_{side}", uv), uv_faces)
