"""Where the skin's vertices lie: the form ray-cast, relaxed, then given lips, lids and nostrils."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import grid as g
from .arrays import Floats
from .measures import Measures
from .sculpt import Distance, cast, gradient, head_form

AXIS_Z = -7.0


@dataclass(frozen=True)
class Skin:
    """The neutral skin: `points` (V, 3), and `closed` (V, 3), the same with its lids shut.

    `side` (V,) is +1 on the upper lip and its inside, -1 on the lower, 0 elsewhere; `lid` (V,)
    likewise for lids; `depth` (V,) counts a pocket's rows inwards from the rim (0 outside).
    """

    grid: g.Grid
    points: Floats
    closed: Floats
    side: Floats
    lid: Floats
    depth: Floats


def build_skin(m: Measures) -> Skin:
    """Return the skin for these measures."""
    grid = g.build_grid()
    form = head_form(m)
    points = np.zeros((grid.count, 3))
    place = _cast_rows(m, form)
    points[grid.above.ravel()] = place.reshape(-1, 3)
    points[grid.below.ravel()] = place.reshape(-1, 3)
    points = _relax(grid, form, points)
    side, lid, depth = _parts(grid)
    _add_lips(m, points, side)
    rim = grid.slits["mouth"]
    points[rim.lower[0]] = points[rim.upper[0]]
    _fill_mouth(m, grid, points)
    _press_nostrils(m, points, grid)
    closed = points.copy()
    for name, sign in (("eye_left", 1.0), ("eye_right", -1.0)):
        _rim_lids(m, grid.slits[name], closed, sign)
    opened = turn_lids(m, grid, closed, lid, *neutral_travel(m, closed))
    return Skin(grid, opened, closed, side, lid, depth)


def _column_angles(m: Measures, form: Distance) -> Floats:
    """Azimuth of each column, so that the corners of eyes and mouth fall on their columns."""

    def angle(x: float, y: float) -> float:
        guess = 0.3
        for _ in range(4):
            way = np.array([[np.sin(guess), 0.0, np.cos(guess)]])
            hit = cast(form, np.array([[0.0, y, AXIS_Z]]), way)[0]
            guess += 0.8 * (np.arctan2(x, hit[2] - AXIS_Z) - guess)
        return float(guess)

    knots = [0, g.EYE_INNER, g.MOUTH_CORNER, g.EYE_OUTER, g.SIDE, g.BACK]
    values = [
        0.0,
        angle(m.canthus_inner, 0.0),
        angle(m.mouth_half, m.mouth_y),
        angle(m.canthus_outer, 0.0),
        np.pi / 2,
        np.pi,
    ]
    half = np.interp(np.arange(g.BACK + 1), knots, values)
    fixed = np.isin(np.arange(g.BACK + 1), knots)
    for _ in range(6):
        smooth = half.copy()
        smooth[1:-1] = 0.25 * (half[:-2] + 2.0 * half[1:-1] + half[2:])
        half = np.where(fixed, half, smooth)
    offsets = np.arange(g.COLUMNS) - g.MIDDLE
    return np.asarray(np.sign(offsets) * half[np.abs(offsets)])


def _cast_rows(m: Measures, form: Distance) -> Floats:
    """Positions (CROWN + 1, COLUMNS, 3): level rays up to the hairline, a fan above it."""
    angles = _column_angles(m, form)
    rows = np.arange(g.CROWN + 1)
    upper, lower = m.lip_heights(np.zeros(1))
    fan_y = 6.2
    knots = [0, g.CHIN, g.LIP_LOW, g.MOUTH, g.LIP_HIGH, g.NOSE_BASE, g.NOSE_TIP, g.EYE, g.BROW]
    heights = [
        -17.0,
        m.chin_y,
        m.mouth_y - float(lower[0]),
        m.mouth_y,
        m.mouth_y + float(upper[0]),
        m.nose_tip[1] - 0.85,
        m.nose_tip[1] + 0.3,
        0.0,
        m.brow_y,
    ]
    y = np.interp(rows, [*knots, g.HAIRLINE], [*heights, fan_y])
    soft = y.copy()
    soft[1:-1] = 0.25 * (y[:-2] + 2 * y[1:-1] + y[2:])
    keep = np.isin(rows, [0, g.MOUTH, g.EYE, g.LIP_LOW, g.LIP_HIGH])
    y = np.where(keep, y, soft)
    rise = np.clip((rows - g.HAIRLINE) / (g.CROWN - g.HAIRLINE), 0.0, 1.0) * np.pi / 2
    height = np.repeat(y[:, None], g.COLUMNS, axis=1)
    # Guess x to bend rows along the mouth's line and the eyes' tilt.
    x = 8.4 * np.sin(angles)
    near_mouth = np.exp(-(((y - m.mouth_y) / 1.2) ** 2))
    bend = m.mouth_line(np.clip(x, -1.25 * m.mouth_half, 1.25 * m.mouth_half)) - m.mouth_y
    height += near_mouth[:, None] * bend * np.exp(-((x / (2.2 * m.mouth_half)) ** 4))
    tilt = m.canthus_tilt * (np.abs(x) - m.eye_x) / (m.canthus_outer - m.eye_x)
    tilt *= np.exp(-(((np.abs(x) - m.eye_x) / 3.0) ** 4)) * (np.abs(angles) < 1.4)
    height += np.exp(-((y / 1.3) ** 2))[:, None] * tilt
    origin = np.zeros((g.CROWN + 1, g.COLUMNS, 3))
    origin[..., 1] = height
    origin[..., 2] = AXIS_Z
    flat = np.cos(rise)[:, None]
    way = np.stack(
        [
            flat * np.sin(angles),
            np.repeat(np.sin(rise)[:, None], g.COLUMNS, axis=1),
            flat * np.cos(angles),
        ],
        axis=2,
    )
    return cast(form, origin.reshape(-1, 3), way.reshape(-1, 3)).reshape(origin.shape)


def _relax(grid: g.Grid, form: Distance, points: Floats, rounds: int = 14) -> Floats:
    """Even out the face's quads, sliding on the form; rims, middle line and hem stay."""
    place = points[grid.above].copy()
    hold = np.zeros(grid.above.shape, dtype=bool)
    hold[[0, g.EYE, g.MOUTH]] = True
    hold[g.HAIRLINE :] = True
    for row in (g.EYE, g.MOUTH):
        hold[row - 1] = hold[row + 1] = True
    offset = np.abs(np.arange(g.COLUMNS) - g.MIDDLE)
    hold[:, offset > g.SIDE + 4] = True
    free = ~hold
    for turn in range(rounds):
        mean = 0.25 * (
            np.roll(place, 1, axis=0)
            + np.roll(place, -1, axis=0)
            + np.roll(place, 1, axis=1)
            + np.roll(place, -1, axis=1)
        )
        moved = place + 0.6 * (mean - place)
        moved[:, g.MIDDLE, 0] = 0.0
        place[free] = moved[free]
        if turn % 3 == 2 or turn == rounds - 1:
            flat = place[free]
            for _ in range(2):
                flat = flat - gradient(form, flat) * form(flat)[:, None]
            place[free] = flat
            place[:, g.MIDDLE, 0] = 0.0
    mirrored = place[:, g.mirror_columns()] * np.array([-1.0, 1.0, 1.0])
    place = 0.5 * (place + mirrored)
    points = points.copy()
    points[grid.above.ravel()] = place.reshape(-1, 3)
    points[grid.below.ravel()] = place.reshape(-1, 3)
    return points


def _parts(grid: g.Grid) -> tuple[Floats, Floats, Floats]:
    """Mark upper and lower lips, upper and lower lids, and how deep in a pocket a vertex is."""
    side = np.zeros(grid.count)
    lid = np.zeros(grid.count)
    depth = np.zeros(grid.count)
    offset = np.abs(np.arange(g.COLUMNS) - g.MIDDLE)
    mouth = offset < g.MOUTH_CORNER
    side[grid.above[g.MOUTH : g.NOSE_BASE][:, mouth]] = 1.0
    side[grid.below[g.LIP_LOW - 4 : g.MOUTH + 1][:, mouth]] = -1.0
    eye = (offset > g.EYE_INNER) & (offset < g.EYE_OUTER)
    lid[grid.above[g.EYE : g.BROW][:, eye]] = 1.0
    lid[grid.below[g.EYE - 12 : g.EYE + 1][:, eye]] = -1.0
    for name, slit in grid.slits.items():
        mark = side if name == "mouth" else lid
        for step in range(1, len(slit.upper)):
            last = slit.closed and step == len(slit.upper) - 1
            mark[slit.upper[step, 1:-1]] = 0.0 if last else 1.0
            if not last:
                mark[slit.lower[step, 1:-1]] = -1.0
            depth[slit.upper[step]] = step
            depth[slit.lower[step]] = step
    return side, lid, depth


def lip_profile(r: Floats) -> Floats:
    """How far a lip stands out (1 at its fullest) at `r`, 0 where lips meet, 1 at the border."""
    fullness = np.clip(np.sin(np.pi * np.clip(r, 0.0, 1.35) ** 0.75 / 1.25), 0.0, 1.0)
    return np.asarray(fullness * (r < 1.3))


def _add_lips(m: Measures, points: Floats, side: Floats) -> None:
    """Push the lips out of the muzzle and the line between them in."""
    x, y = points[:, 0], points[:, 1]
    front = (points[:, 2] > -1.5) & (np.abs(x) < 1.3 * m.mouth_half)
    above = y - m.mouth_line(x)
    upper, lower = m.lip_heights(x)
    s = np.clip(np.abs(x) / m.mouth_half, 0.0, 1.0)
    swell = np.sqrt(np.clip(1.0 - s**2, 0.0, 1.0))
    height = np.where((above > 0) | (side > 0), upper, lower)
    r = np.abs(above) / np.maximum(height, 0.12)
    amount = np.where(above > 0, 0.26 + 0.07 * m.identity.lips, 0.34 + 0.09 * m.identity.lips)
    push = amount * swell * lip_profile(r)
    groove = (
        0.14 * np.exp(-((above / 0.12) ** 2)) * np.clip((1.25 - np.abs(x) / m.mouth_half) * 4, 0, 1)
    )
    dent = 0.12 * np.exp(-(((np.abs(x) - 1.03 * m.mouth_half) / 0.28) ** 2 + (above / 0.3) ** 2))
    points[:, 2] += np.where(front, push - groove - dent, 0.0)


def _fill_mouth(m: Measures, grid: g.Grid, points: Floats) -> None:
    """Lay the lips' inside and the mouth's hollow, row by row, behind the rim."""
    slit = grid.slits["mouth"]
    rim = points[slit.upper[0]].copy()
    count = len(slit.upper) - 1
    s = rim[:, 0] / m.mouth_half
    # The lower lip is backed by less: the groove above the chin comes close to the gum.
    above = [0.15, 0.32, 0.44, 0.50, 0.52, 1.6, 3.4, 5.0, 6.0]
    below = [0.15, 0.36, 0.58, 0.82, 1.15, 1.9, 3.4, 5.0, 6.0]
    spread = [0.05, 0.16, 0.40, 0.78, 1.25, 1.75, 1.7, 1.2, 0.0]
    for step in range(1, count + 1):
        gap = spread[step - 1]
        round_off = np.sqrt(np.clip(1.0 - s**2, 0.0, 1.0))
        narrow = 1.0 - 0.02 * step
        for row, sign, z_in in (
            (slit.upper[step], 1.0, above[step - 1]),
            (slit.lower[step], -1.0, below[step - 1]),
        ):
            points[row, 0] = rim[:, 0] * narrow
            points[row, 1] = rim[:, 1] + sign * gap * round_off
            points[row, 2] = rim[:, 2] - z_in * (0.35 + 0.65 * round_off)


def _press_nostrils(m: Measures, points: Floats, grid: g.Grid) -> None:
    """Press the nostrils up into the nose's underside."""
    tip = m.nose_tip
    centre = np.array([0.62 * m.nose_wing - 0.22, tip[1] - 0.66, tip[2] - 1.12])
    q = points.copy()
    q[:, 0] = np.abs(q[:, 0])
    away = (q - centre) / np.array([0.34, 0.34, 0.5])
    dip = np.exp(-(np.sum(away**2, axis=1) ** 1.5))
    points[:, 1] += 0.35 * dip
    points[:, 2] -= 0.15 * dip


def _rim_lids(m: Measures, slit: g.Slit, closed: Floats, sign: float) -> None:
    """Give shut lids their thickness: rows from the outer edge back onto the eyeball."""
    centre = m.eye * np.array([sign, 1.0, 1.0])
    rim = closed[slit.upper[0]].copy()
    reach = [0.075, 0.03, 0.03]
    turn = [0.0, 0.06, 0.3]
    for step in range(1, len(slit.upper)):
        for rows, way in ((slit.upper[step], 1.0), (slit.lower[step], -1.0)):
            place = rotate_x(rim - centre, way * turn[step - 1])
            length = np.linalg.norm(place, axis=1, keepdims=True)
            want = np.minimum(length, np.maximum(m.eye_radius + reach[step - 1], 0.0))
            closed[rows] = centre + place / length * want


def rotate_x(offset: Floats, angle: Floats | float) -> Floats:
    """Turn offsets (N, 3) up (positive) about the x axis by `angle` radians."""
    c, s = np.cos(angle), np.sin(angle)
    out = offset.copy()
    out[:, 1] = c * offset[:, 1] + s * offset[:, 2]
    out[:, 2] = c * offset[:, 2] - s * offset[:, 1]
    return out


def lid_travel(m: Measures, x: Floats, eye_x: float) -> tuple[Floats, Floats]:
    """How far the upper and the lower lid open at each `x`, in radians about the eyeball.

    The upper lid is highest a little inside the pupil and the lower one lowest a little outside,
    which makes an almond and not a lens.
    """
    s = np.clip((x - eye_x) / (m.canthus_outer - m.eye_x), -1.0, 1.0)
    u = 0.5 * (s + 1.0)
    top = np.clip(np.sin(np.pi * u**0.86), 0.0, 1.0) ** 0.72
    low = np.clip(np.sin(np.pi * u**1.12), 0.0, 1.0) ** 0.80
    return m.upper_opening * top, m.lower_opening * low


def turn_lids(
    m: Measures, grid: g.Grid, closed: Floats, lid: Floats, top: Floats, low: Floats
) -> Floats:
    """Return the shut skin with its lids turned about the eyeballs.

    `top` (V,) turns the upper lids up and `low` (V,) the lower lids down, in radians at the rim;
    the skin above and below follows less and less, up to the brow and down to the cheek.
    """
    points = closed.copy()
    for name, sign in (("eye_left", 1.0), ("eye_right", -1.0)):
        slit = grid.slits[name]
        centre = m.eye * np.array([sign, 1.0, 1.0])
        rim = closed[slit.upper[0]] - centre
        order = np.argsort(rim[:, 0])
        offset = closed - centre
        rise = np.arctan2(offset[:, 1], offset[:, 2])
        line = np.interp(offset[:, 0], rim[order, 0], np.arctan2(rim[order, 1], rim[order, 2]))
        near = (np.abs(offset[:, 0]) < 2.6) & (offset[:, 2] > -0.4)
        for way, travel, reach, pocket in (
            (1.0, top, 68.0, slit.upper),
            (-1.0, -low, 62.0, slit.lower),
        ):
            t = np.clip(way * (rise - line) / np.radians(reach), 0.0, 1.0)
            t[pocket[1:].ravel()] = 0.0
            mine = near & (way * lid > 0)
            turned = rotate_x(offset[mine], travel[mine] * (1.0 - t[mine]) ** 1.6)
            points[mine] = centre + turned
    return points


def neutral_travel(m: Measures, closed: Floats) -> tuple[Floats, Floats]:
    """How far each vertex's upper and lower lid are open in the neutral face, (V,) radians."""
    return lid_travel(m, np.abs(closed[:, 0]), m.eye_x)
