"""Hair as sculpted sheets: combed ridges over the scalp, with the ends tucked in."""

from __future__ import annotations

import numpy as np

from .arrays import Floats
from .atlas import place
from .measures import Measures
from .part import Part, join, sheet
from .sculpt import cast, gradient, head_form

CENTRE = np.array([0.0, 3.4, -6.6])
ROWS, COLUMNS = 26, 120


def hairline(p: Floats) -> Floats:
    """Signed height (cm) of head points (..., 3) above the edge of the hair."""
    z = p[..., 2]
    edge = np.interp(
        z,
        [-15.5, -12.0, -9.8, -8.6, -7.3, -6.6, -5.7, -4.9, -3.2, -1.6, 0.5],
        [-5.6, -5.4, -3.4, 0.8, 0.6, -1.2, -0.8, 3.2, 4.8, 5.9, 6.5],
    )
    return np.asarray(p[..., 1] - edge)


def hair(m: Measures) -> Part:
    """Return the hair in the identity's style: "bob", "bun" or "crop"."""
    style = m.identity.hair_style
    rng = np.random.default_rng(m.identity.seed + 2)
    if style == "bob":
        return _bob(m, rng)
    if style == "bun":
        pole = np.array([0.0, 0.50, -0.866])
        cap = _cap(m, rng, pole, 0.34, 0.0, 0.62)
        return join([cap, _bun(m, rng, pole)])
    return _cap(m, rng, np.array([0.0, 0.86, -0.51]), 0.55, 0.75, 1.0)


def _ridges(rng: np.random.Generator, columns: int, sizes: tuple[int, ...]) -> Floats:
    """Combed ridges round the head, (columns,), about zero mean and unit height."""
    t = np.arange(columns) / columns * 2 * np.pi
    total = np.zeros(columns)
    for k in sizes:
        total += np.sin(k * t + rng.uniform(0, 6.28) + 1.2 * np.sin(rng.integers(2, 5) * t))
    return total / len(sizes)


def _directions(pole: Floats, polar: Floats, turn: Floats) -> Floats:
    """Unit vectors at angles from the pole and round it, (rows, columns, 3)."""
    side = np.array([1.0, 0.0, 0.0])
    ahead = np.cross(side, pole)
    flat = np.cos(turn)[..., None] * ahead + np.sin(turn)[..., None] * side
    return np.asarray(np.cos(polar)[..., None] * pole + np.sin(polar)[..., None] * flat)


def _cap(
    m: Measures, rng: np.random.Generator, pole: Floats, thick: float, quiff: float, comb: float
) -> Part:
    """A sheet that starts at the pole and ends at the hairline."""
    form = head_form(m)
    turn = np.linspace(0.0, 2 * np.pi, COLUMNS, endpoint=False)
    steps = np.linspace(0.05, 2.75, 55)
    way = _directions(pole, *np.meshgrid(steps, turn, indexing="ij"))
    flat = way.reshape(-1, 3)
    base = cast(form, np.broadcast_to(CENTRE, flat.shape), flat).reshape(way.shape)
    over = hairline(base)
    ended = np.argmax(over < 0.0, axis=0)
    ended = np.where(ended == 0, len(steps) - 1, ended)
    before = np.maximum(ended - 1, 0)
    column = np.arange(COLUMNS)
    a, b = over[before, column], over[ended, column]
    share = np.clip(a / np.maximum(a - b, 1e-6), 0.0, 1.0)
    end = steps[before] + share * (steps[ended] - steps[before])
    end = np.convolve(np.concatenate([end[-2:], end, end[:2]]), np.full(5, 0.2), mode="valid")
    end = end * (1.0 + 0.012 * _ridges(rng, COLUMNS, (17, 29, 41)))
    t = np.linspace(0.0, 1.0, ROWS) ** 0.9
    polar = np.maximum(t[:, None] * end[None], 0.01)
    way = _directions(pole, polar, np.broadcast_to(turn, polar.shape)).reshape(-1, 3)
    base = cast(form, np.broadcast_to(CENTRE, way.shape), way)
    out = gradient(form, base)
    edge = np.clip((1.0 - t) / 0.16, 0.0, 1.0) ** 0.5
    body = thick * np.repeat(edge[:, None], COLUMNS, axis=1)
    front = np.clip((base[:, 2].reshape(ROWS, COLUMNS) + 4.0) / 5.0, 0.0, 1.0)
    body = body + quiff * front * edge[:, None]
    rough = _ridges(rng, COLUMNS, (13, 23, 37, 47))
    drift = np.stack([np.roll(rough, int(k)) for k in 3.0 * np.sin(2.2 * t) * comb])
    body = body + 0.13 * edge[:, None] * np.clip(3 * t, 0, 1)[:, None] * drift
    body[-1] = -0.12
    points = base + out * body.reshape(-1, 1)
    return _sheet_part(points, ROWS, COLUMNS, True, (0.0, 0.8))


def _sheet_part(
    points: Floats, rows: int, columns: int, around: bool, span: tuple[float, float]
) -> Part:
    faces = sheet(rows, columns, around)[:, [0, 3, 2, 1]]
    wide = columns + 1 if around else columns
    u, v = np.meshgrid(np.linspace(span[0], span[1], wide), np.linspace(0.99, 0.01, rows))
    uv = np.stack([u.ravel(), v.ravel()], axis=1)
    uv_faces = sheet(rows, wide)[:, [0, 3, 2, 1]]
    return Part("hair", points, faces, place("hair", uv), uv_faces)


def _bun(m: Measures, rng: np.random.Generator, pole: Floats) -> Part:
    """A wound ball of hair on the cap's pole."""
    form = head_form(m)
    seat = cast(form, CENTRE[None], pole[None])[0]
    rows, columns = 16, 48
    polar = np.linspace(0.03, np.pi - 0.3, rows)
    turn = np.linspace(0.0, 2 * np.pi, columns, endpoint=False)
    way = _directions(pole, *np.meshgrid(polar, turn, indexing="ij"))
    wind = np.sin(7 * (turn[None] + 1.6 * polar[:, None])) + 0.5 * np.sin(
        19 * (turn[None] + 1.6 * polar[:, None])
    )
    radius = 2.35 * (1.0 + 0.035 * wind)
    points = seat + pole * 1.5 + way * radius[..., None] * np.array([1.05, 0.95, 0.9])
    return _sheet_part(points.reshape(-1, 3), rows, columns, True, (0.82, 0.99))


def _bob(m: Measures, rng: np.random.Generator) -> Part:
    """Two curtains from a middle parting, framing the face and cut at the chin."""
    form = head_form(m)
    rows, columns = 36, COLUMNS + 1
    share = np.linspace(-1.0, 1.0, columns)
    # Column 0 and the last are the curtains' front edges; the middle one runs down the back.
    turn = np.pi * (1.0 - np.abs(share))
    side = np.where(share < 0, -1.0, 1.0)
    fall = np.linspace(0.0, 1.0, rows)
    polar = np.minimum(fall / 0.62, 1.0) * np.radians(93.0)
    drop = np.clip((fall - 0.62) / 0.38, 0.0, 1.0)
    open_at = np.radians(
        np.interp(np.degrees(polar), [0, 54, 63, 69, 76, 84, 93], [0, 2, 10, 30, 52, 66, 73])
    )
    spread = open_at[:, None] + (np.pi - open_at[:, None]) * (turn / np.pi)[None] ** 1.0
    way = _directions(
        np.array([0.0, 1.0, 0.0]), np.repeat(polar[:, None], columns, axis=1), spread * 1.0
    )
    way[..., 0] = np.abs(way[..., 0]) * side
    flat = way.reshape(-1, 3)
    base = cast(form, np.broadcast_to(CENTRE, flat.shape), flat)
    out = gradient(form, base)
    rough = _ridges(rng, columns, (15, 26, 39, 51))
    fine = _ridges(rng, columns, (31, 44, 58))
    lift = 0.15 + 0.95 * np.clip(fall / 0.22, 0, 1) ** 0.7
    front = np.clip(1.0 - (turn / 0.30), 0.0, 1.0)
    lift2 = np.repeat(lift[:, None], columns, axis=1)
    lift2 = lift2 + 0.17 * rough[None] * np.clip(fall * 4, 0, 1)[:, None]
    lift2 = lift2 * (1.0 - 0.85 * front[None] ** 3)
    points = (base + out * lift2.reshape(-1, 1)).reshape(rows, columns, 3)
    level = int(np.argmax(drop > 0)) - 1
    anchor = points[level]
    length = 9.6 * (1.0 + 0.012 * fine) - 1.2 * np.clip((turn - 1.2) / 1.9, 0, 1)
    for row in range(level + 1, rows):
        d = drop[row]
        inward = 1.0 - 0.05 * d - 0.13 * d**4 - 0.10 * front * np.sin(np.pi * d / 2)
        points[row, :, 0] = anchor[:, 0] * (inward + 0.05 * np.sin(np.pi * d))
        points[row, :, 2] = CENTRE[2] + (anchor[:, 2] - CENTRE[2]) * inward
        points[row, :, 1] = anchor[:, 1] - length * d
        points[row, :, 0] += 0.10 * rough * side * (1 - 0.4 * d)
    tuck = points[-1].copy()
    tuck[:, 0] *= 0.86
    tuck[:, 2] = CENTRE[2] + (tuck[:, 2] - CENTRE[2]) * 0.86
    tuck[:, 1] += 0.5
    hidden = tuck.copy()
    hidden[:, 1] += 5.0
    rows += 2
    points = np.concatenate([points, tuck[None], hidden[None]])
    return _sheet_part(points.reshape(-1, 3), rows, columns, False, (0.0, 0.99))
