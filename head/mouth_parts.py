"""Teeth, gums and tongue."""

from __future__ import annotations

import numpy as np

from .arrays import Floats
from .atlas import place
from .measures import Measures
from .part import Part, sheet, sheet_uv
from .skin import Skin

TEETH, PER_TOOTH = 12, 4


def mouth_parts(m: Measures, skin: Skin) -> list[Part]:
    """Return upper and lower teeth, upper and lower gums, and the tongue."""
    rim = skin.points[skin.grid.slits["mouth"].upper[0]]
    front = float(rim[:, 2].max()) - 0.78
    return [
        _arch(m, front, True, "teeth"),
        _arch(m, front - 0.16, False, "teeth"),
        _arch(m, front, True, "gums"),
        _arch(m, front - 0.16, False, "gums"),
        _tongue(m, front),
    ]


def _arch(m: Measures, front: float, above: bool, material: str) -> Part:
    """A bow of teeth or the gum over it: a closed band bent along a parabola."""
    half = 2.55 if above else 2.35
    count = TEETH * PER_TOOTH + 1
    t = np.linspace(-1.0, 1.0, count)
    x = half * np.sin(t * 1.25) / np.sin(1.25)
    z = front - 3.2 * np.abs(t) ** 2.6
    tooth = np.abs(np.sin(np.pi * (t * TEETH / 2)))
    bulge = 0.10 * tooth**0.5
    sign = 1.0 if above else -1.0
    # The upper row overlaps the lower one and shows below the lip, also in its dip in the middle.
    edge = m.mouth_y + (-0.33 if above else -0.24)
    normal = np.stack([0.9 * t, np.zeros(count), np.ones(count)], axis=1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    long = 0.99 if above else 0.72
    size = (
        1.0
        - 0.28 * np.abs(t)
        - (0.10 * np.exp(-(((np.abs(t) - 0.25) / 0.08) ** 2)) if above else 0)
    )
    rows = []
    if material == "teeth":
        profile = [
            (1.0, -0.30),
            (0.75, -0.02),
            (0.35, 0.02),
            (0.05, -0.01),
            (0.0, -0.08),
            (0.05, -0.28),
            (1.0, -0.5),
        ]
        for high, out in profile:
            place_row = np.stack([x, np.full(count, edge), z], axis=1)
            # Teeth differ in length, and their corners are round.
            short = (1 - size) * 0.45 + 0.07 * (1 - tooth) ** 2
            place_row[:, 1] += sign * long * (high + short * (high < 0.2))
            rows.append(place_row + normal * (out + bulge * (high < 0.9))[:, None])
    else:
        profile = [(0.72, -0.05), (0.80, 0.05), (1.1, 0.10), (1.7, 0.0), (2.0, -0.5), (1.9, -1.2)]
        for high, out in profile:
            place_row = np.stack([x, np.full(count, edge), z], axis=1)
            place_row[:, 1] += sign * long * (high - (0.10 * (1 - tooth) if high < 0.9 else 0.0))
            rows.append(place_row + normal * (out + 0.03 * tooth)[:, None])
    points = np.concatenate(rows)
    faces = sheet(len(rows), count)
    flip = above if material == "teeth" else not above
    u, v = np.meshgrid(np.linspace(0, 1, count), np.linspace(0, 1, len(rows)))
    uv = np.stack([u.ravel(), 0.5 * v.ravel() * 0.96 + (0.51 if above else 0.01)], axis=1)
    if flip:
        faces = faces[:, [0, 3, 2, 1]]
    jaw: Floats = np.zeros(len(points)) if above else np.ones(len(points))
    return Part(material, points, faces, place(material, uv), faces.copy(), jaw=jaw)


def _tongue(m: Measures, front: float) -> Part:
    """A soft tongue lying behind the lower teeth."""
    rows, columns = 12, 16
    along = np.linspace(0.0, 1.0, rows) ** 1.8
    turn = np.linspace(0.0, 2 * np.pi, columns, endpoint=False)
    points = []
    for t in along:
        wide = 1.35 * np.sqrt(np.clip(1 - (1 - t) ** 2.5, 0.0005, 1)) * (1 - 0.1 * t)
        thick = 0.42 * np.sqrt(np.clip(1 - (1 - t) ** 2.2, 0.0005, 1))
        z = front - 0.85 - 5.4 * t
        y = m.mouth_y - 0.62 + 0.5 * np.sin(np.pi * t * 0.8)
        ring = np.stack(
            [wide * np.cos(turn), y + thick * np.sin(turn), np.full(columns, z)], axis=1
        )
        ring[:, 1] -= 0.16 * np.exp(-((ring[:, 0] / 0.3) ** 2)) * (np.sin(turn) > 0)
        points.append(ring)
    place_all = np.concatenate(points)
    faces = sheet(rows, columns, around=True)[:, [0, 3, 2, 1]]
    uv, uv_faces = sheet_uv(rows, columns)
    uv_faces = uv_faces[:, [0, 3, 2, 1]]
    share = np.repeat(np.clip((0.75 - along) / 0.75, 0, 1), columns)
    out = np.zeros_like(place_all)
    out[:, 2] = 2.9 * share
    out[:, 1] = 0.38 * share - 0.60 * share**4
    jaw = np.repeat(1.0 - 0.65 * along, columns)
    return Part(
        "tongue", place_all, faces, place("tongue", uv), uv_faces, moves={"tongueOut": out}, jaw=jaw
    )
