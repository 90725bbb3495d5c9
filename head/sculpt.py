"""The head's form as a signed distance: rounded volumes that melt into each other.

The form has closed lids and no lips; both are put on afterwards (`skin.py`). Smooth minima are
the quadratic ones of Quilez, "Smooth minimum".
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .arrays import Floats
from .measures import Measures

Distance = Callable[[Floats], Floats]


def smooth_union(a: Floats, b: Floats, reach: float) -> Floats:
    """Smooth minimum of two distances; `reach` (cm) is how far apart they still blend."""
    h = np.maximum(reach - np.abs(a - b), 0.0) / reach
    return np.asarray(np.minimum(a, b) - h * h * reach * 0.25)


def smooth_cut(a: Floats, b: Floats, reach: float) -> Floats:
    """The volume `a` with the volume `b` taken out of it, the edge rounded by `reach` (cm)."""
    return -smooth_union(-a, b, reach)


Columns = tuple[Floats, Floats, Floats]


def ellipsoid(p: Columns, centre: tuple[float, ...], radii: tuple[float, ...]) -> Floats:
    """Approximate signed distance of points (x, y, z) to an ellipsoid (first order at its skin)."""
    near: Floats | float = 0.0
    slope: Floats | float = 0.0
    for axis in range(3):
        away = (p[axis] - centre[axis]) / radii[axis]
        square = away * away
        near = near + square
        slope = slope + square / (radii[axis] * radii[axis])
    reach = np.sqrt(near)
    return np.asarray(reach * (reach - 1.0) / np.maximum(np.sqrt(slope), 1e-9))


def capsule(
    p: Columns, start: tuple[float, ...], end: tuple[float, ...], first: float, last: float
) -> Floats:
    """Signed distance of points (x, y, z) to a line whose radius runs from `first` to `last`."""
    line = [end[axis] - start[axis] for axis in range(3)]
    away = [p[axis] - start[axis] for axis in range(3)]
    length = sum(part * part for part in line)
    along = sum(part * way for part, way in zip(away, line, strict=True)) / length
    along = np.clip(along, 0.0, 1.0)
    square = sum((part - along * way) ** 2 for part, way in zip(away, line, strict=True))
    return np.asarray(np.sqrt(square) - (first + (last - first) * along))


def head_form(m: Measures) -> Distance:
    """Return the signed distance of the head without lips, lids closed (both sides alike)."""
    who = m.identity
    wide = 1.0 + 0.075 * who.face_width
    tip = m.nose_tip
    lid = m.eye_radius + m.lid_gap
    jaw = 1.0 + 0.13 * who.jaw_width + 0.05 * who.face_width
    chin = m.chin_y
    full = 0.45 * who.cheeks
    bridge = 0.38 * who.nose_bridge
    wing = m.nose_wing
    neck = 4.45 * (1.0 + 0.13 * who.neck_width)

    def distance(points: Floats) -> Floats:
        p = (np.abs(points[:, 0]), points[:, 1].copy(), points[:, 2].copy())
        d = ellipsoid(p, (0, 3.9, -6.6), (7.3 * wide, 7.6 + 0.4 * who.forehead, 8.6))
        d = smooth_union(
            d, ellipsoid(p, (0, 2.9, -3.6), (6.2 * wide, 5.4 + 0.4 * who.forehead, 5.2)), 2.0
        )
        d = smooth_union(d, ellipsoid(p, (0, -2.6, -4.5), (5.85 * wide, 6.4, 5.75)), 2.5)
        d = smooth_union(d, ellipsoid(p, (0, -5.6, -2.9), (4.6 * jaw, 4.4, 4.9)), 2.2)
        d = smooth_union(
            d,
            capsule(p, (4.7 * jaw, -5.8, -5.7), (1.3, chin + 1.3, -0.6), 0.7, 1.1),
            2.6,
        )
        d = smooth_union(d, ellipsoid(p, (0, chin + 1.15, 0.15), (1.5 * jaw, 1.2, 1.3)), 1.6)
        # Muzzle: the round of the teeth that carries the lips.
        d = smooth_union(d, ellipsoid(p, (0, m.mouth_y + 0.2, -0.9), (2.9, 2.3, 2.75)), 1.4)
        # Cheekbone and the soft cheek before it.
        d = smooth_union(d, ellipsoid(p, (4.45 * wide, -2.1, -1.8), (1.9, 1.35, 2.4)), 2.4)
        d = smooth_union(
            d, ellipsoid(p, (3.5, -3.6, -0.9), (1.9 + full, 1.9 + full, 1.9 + full)), 2.0
        )
        d = smooth_union(d, ellipsoid(p, (3.7 * jaw, -5.3, -2.6), (1.9, 2.1, 2.6)), 2.2)
        # Eye socket, then the ball of the lids in it.
        d = smooth_cut(d, ellipsoid(p, (m.eye_x - 0.1, -0.1, 2.1), (2.3, 1.5, 1.6)), 1.5)
        d = smooth_cut(d, ellipsoid(p, (1.75, 0.2, 2.6), (0.75, 1.1, 1.3)), 1.0)
        d = smooth_union(d, ellipsoid(p, (5.0 * wide, 0.6, -3.4), (1.5, 2.6, 2.4)), 1.6)
        brow = capsule(p, (1.0, m.brow_y - 0.35, 0.65), (4.6, m.brow_y - 0.15, -1.1), 0.8, 0.75)
        d = smooth_union(d, brow, 1.3)
        d = smooth_union(d, ellipsoid(p, (m.eye_x, 0.0, 0.0), (lid * 1.06, lid, lid)), 0.55)
        # Nose: bridge, ball of the tip, wings; the underside is flattened a little.
        d = smooth_union(
            d,
            capsule(p, (0, 0.5, 0.85 + bridge), (0, tip[1] + 0.45, tip[2] - 0.85), 0.5, 0.72),
            0.85,
        )
        d = smooth_union(d, ellipsoid(p, (0, tip[1], tip[2] - 0.78), (0.82, 0.70, 0.78)), 0.6)
        d = smooth_union(
            d,
            ellipsoid(p, (wing - 0.46, tip[1] - 0.22, tip[2] - 1.62), (0.5, 0.58, 0.85)),
            0.5,
        )
        # Philtrum, and the groove under the lower lip.
        d = smooth_cut(
            d, capsule(p, (0, tip[1] - 0.9, 2.35), (0, m.mouth_y + 0.6, 2.55), 0.18, 0.28), 0.5
        )
        d = smooth_cut(d, ellipsoid(p, (0, m.mouth_y - 1.75, 2.6), (1.5, 0.42, 0.9)), 1.0)
        throat = capsule(p, (0, -4.0, -7.4), (0, -18.0, -8.2), neck, neck * 1.04)
        return smooth_union(d, throat, 1.6)

    return distance


def gradient(distance: Distance, points: Floats, step: float = 0.02) -> Floats:
    """Unit gradient (N, 3) of `distance` by four samples on a tetrahedron."""
    corners = np.array([[1.0, -1, -1], [-1, -1, 1], [-1, 1, -1], [1, 1, 1]])
    slope = np.zeros_like(points)
    for corner in corners:
        slope += corner * distance(points + step * corner)[:, None]
    length = np.linalg.norm(slope, axis=1, keepdims=True)
    return np.asarray(slope / np.maximum(length, 1e-12))


def cast(distance: Distance, origin: Floats, direction: Floats, reach: float = 16.0) -> Floats:
    """Return where rays (N, 3), walked from `reach` cm back towards `origin`, meet the form."""
    t = np.full(len(origin), reach)
    busy = np.arange(len(origin))
    for _ in range(60):
        step = distance(origin[busy] + t[busy, None] * direction[busy])
        t[busy] = np.clip(t[busy] - 0.9 * step, 0.0, reach)
        busy = busy[np.abs(step) > 1e-4]
        if len(busy) == 0:
            break
    return np.asarray(origin + t[:, None] * direction)
