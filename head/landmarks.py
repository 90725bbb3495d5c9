"""The 68 Multi-PIE landmarks as vertices of the skin."""

from __future__ import annotations

import numpy as np

from . import grid as g
from .arrays import Ints
from .hairs import brow_curve
from .measures import Measures
from .skin import Skin


def landmark_vertices(m: Measures, skin: Skin) -> Ints:
    """Return the landmarks' vertices (68,), the subject's right first as Multi-PIE counts them."""
    p = skin.points
    outer = skin.grid.outer
    front = outer[p[outer, 2] > -6.5]
    found: list[int] = []

    def nearest(x: float, y: float, z: float | None = None) -> int:
        base = p[front]
        away = (base[:, 0] - x) ** 2 + (base[:, 1] - y) ** 2
        if z is not None:
            away = away + (base[:, 2] - z) ** 2
        else:
            away = away + np.where(base[:, 2] < -3.0, 1.0, 0.0)
        return int(front[np.argmin(away)])

    found += [_contour(m, skin, t) for t in np.linspace(-1.0, 1.0, 17)]
    brow = brow_curve(m, np.linspace(0.03, 0.97, 5))
    found += [nearest(-x, y) for x, y in brow[::-1]]
    found += [nearest(x, y) for x, y in brow]
    tip = m.nose_tip
    bridge = np.linspace(0.15, tip[1] + 0.15, 4)
    middle = skin.grid.above[:, g.MIDDLE]
    found += [
        int(middle[np.argmin(np.abs(p[middle, 1] - y) + 5 * (p[middle, 2] < 0))]) for y in bridge
    ]
    base_y = tip[1] - 0.62
    found += [
        nearest(x, y, z)
        for x, y, z in (
            (-m.nose_wing + 0.1, base_y + 0.12, tip[2] - 1.7),
            (-0.62, base_y, tip[2] - 1.1),
            (0.0, base_y - 0.08, tip[2] - 0.95),
            (0.62, base_y, tip[2] - 1.1),
            (m.nose_wing - 0.1, base_y + 0.12, tip[2] - 1.7),
        )
    ]
    for name in ("eye_right", "eye_left"):
        slit = skin.grid.slits[name]
        order = np.argsort(p[slit.upper[0], 0])
        upper, lower = slit.upper[0][order], slit.lower[0][order]
        n = len(upper) - 1
        a, b = round(n * 0.33), round(n * 0.67)
        found += [upper[0], upper[a], upper[b], upper[n], lower[b], lower[a]]
    slit = skin.grid.slits["mouth"]
    order = np.argsort(p[slit.upper[0], 0])
    inner_top, inner_low = slit.upper[0][order], slit.lower[0][order]
    n = len(inner_top) - 1
    half = m.mouth_half
    xs = np.array([-0.62, -0.24, 0.0, 0.24, 0.62]) * half
    high, _ = m.lip_heights(xs)
    found.append(int(inner_top[0]))
    found += [nearest(x, m.mouth_line(np.array([x]))[0] + h) for x, h in zip(xs, high, strict=True)]
    found.append(int(inner_top[n]))
    xs = np.array([0.62, 0.27, 0.0, -0.27, -0.62]) * half
    _, low = m.lip_heights(xs)
    found += [nearest(x, m.mouth_line(np.array([x]))[0] - h) for x, h in zip(xs, low, strict=True)]
    a, b, c = round(n * 0.3), n // 2, round(n * 0.7)
    found += [inner_top[1], inner_top[a], inner_top[b], inner_top[c], inner_top[n - 1]]
    found += [inner_low[c], inner_low[b], inner_low[a]]
    return np.array([int(v) for v in found], dtype=np.int64)


def _contour(m: Measures, skin: Skin, t: float) -> int:
    """The jaw's contour: from before the right ear (t = -1) over the chin (0) to the left (1)."""
    p = skin.points
    angle = np.pi / 2 * abs(t)
    y = m.chin_y + 0.25 + (0.2 - m.chin_y - 0.25) * (1.0 - np.cos(angle)) ** 0.85
    # The most lateral point of the half at this height that still faces the front; beside and on
    # the chin, the points of its lower edge.
    outer = skin.grid.outer
    z_limit = -0.5 - 4.5 * abs(t)
    near = outer[(np.abs(p[outer, 1] - y) < 0.45) & (np.sign(t) * p[outer, 0] >= -0.05)]
    if abs(t) < 0.04:
        near = near[np.abs(p[near, 0]) < 0.05]
        low = np.abs(p[near, 1] - (m.chin_y - 0.2))
        return int(near[np.argmax(p[near, 2] - 4.0 * low)])
    if abs(t) < 0.2:
        away = np.hypot(p[outer, 0] - 14.5 * t, p[outer, 1] - (m.chin_y + 0.25))
        return int(outer[np.argmin(away + (p[outer, 2] < -2.0))])
    score = np.abs(p[near, 2] - z_limit) + 1.5 * np.abs(p[near, 1] - y) - 0.3 * np.abs(p[near, 0])
    return int(near[np.argmin(score)])
