"""Painting the one texture of the head."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from . import grid as g
from .atlas import ISLANDS, island_coordinates
from .eyes import ATLAS_RADIANS, IRIS_RADIANS
from .hairdo import hairline
from .hairs import brow_curve, brow_taper
from .measures import Measures
from .skin import Skin

Floats = npt.NDArray[np.float64]


def noise(rng: np.random.Generator, shape: tuple[int, int], cell: float) -> Floats:
    """Smooth noise of zero mean and about unit spread, with features `cell` texels wide."""
    h, w = shape
    coarse = rng.normal(0.0, 1.0, (int(h / cell) + 3, int(w / cell) + 3))

    def axis(n: int) -> tuple[npt.NDArray[np.int64], Floats]:
        t = np.arange(n) / cell
        low = t.astype(np.int64)
        f = t - low
        return low, f * f * (3 - 2 * f)

    r, fr = axis(h)
    c, fc = axis(w)
    rows = coarse[r] * (1 - fr)[:, None] + coarse[r + 1] * fr[:, None]
    return np.asarray(1.5 * (rows[:, c] * (1 - fc) + rows[:, c + 1] * fc))


def skin_positions(
    skin: Skin, u_of: Floats, v_of: Floats, size: int
) -> tuple[slice, slice, Floats]:
    """Texels of the skin's island and where on the neutral skin each lies, (h, w, 3)."""
    rows, columns, u, v = island_coordinates("skin", size)
    col = np.interp(u[0], u_of, np.arange(len(u_of)))
    row = np.interp(v[:, 0], v_of, np.arange(len(v_of)))
    c0 = np.clip(col.astype(int), 0, g.COLUMNS - 1)
    fc = (col - c0)[None, :, None]
    r0 = np.clip(row.astype(int), 0, g.CROWN - 1)
    fr = (row - r0)[:, None, None]
    c1 = (c0 + 1) % g.COLUMNS
    low = skin.points[skin.grid.above[r0]]
    high = skin.points[skin.grid.below[r0 + 1]]
    bottom = low[:, c0] * (1 - fc) + low[:, c1] * fc
    top = high[:, c0] * (1 - fc) + high[:, c1] * fc
    return rows, columns, bottom * (1 - fr) + top * fr


def _blob(
    p: Floats, centre: tuple[float, float, float], radii: tuple[float, float, float]
) -> Floats:
    q = p.copy()
    q[..., 0] = np.abs(q[..., 0])
    away = (q - np.array(centre)) / np.array(radii)
    return np.asarray(np.exp(-np.sum(away**2, axis=-1)))


def _mix(base: Floats, colour: Floats | tuple[float, ...], amount: Floats) -> Floats:
    return np.asarray(base + (np.asarray(colour) - base) * np.clip(amount, 0, 1)[..., None])


def skin_tone(tone: float) -> Floats:
    """Base sRGB of skin for a tone from 0 (pale) to 1 (deep brown)."""
    stops = np.array(
        [
            [0.93, 0.76, 0.68],
            [0.88, 0.67, 0.55],
            [0.72, 0.49, 0.36],
            [0.50, 0.32, 0.22],
            [0.33, 0.20, 0.14],
        ]
    )
    return np.array([np.interp(tone, np.linspace(0, 1, 5), stops[:, k]) for k in range(3)])


def paint(m: Measures, skin: Skin, u_of: Floats, v_of: Floats, size: int) -> npt.NDArray[np.uint8]:
    """Return the atlas, (size, size, 3) uint8 sRGB; `u_of` and `v_of` are the skin's columns' and
    rows' own coordinates in its island."""
    rng = np.random.default_rng(m.identity.seed)
    image = np.zeros((size, size, 3))
    image[:] = skin_tone(m.identity.skin_tone)
    rows, columns, place = skin_positions(skin, u_of, v_of, size)
    image[rows, columns] = paint_skin(m, place, rng, size)
    for side in ("left", "right"):
        rows, columns, u, v = island_coordinates(f"eye_{side}", size)
        image[rows, columns] = paint_eye(m, u, v, rng)
    paint_rest(m, image, rng, size)
    return np.asarray(np.clip(np.round(image * 255.0), 0, 255).astype(np.uint8))


def paint_skin(m: Measures, p: Floats, rng: np.random.Generator, size: int) -> Floats:
    """Colour (h, w, 3) of the skin at positions `p` (h, w, 3)."""
    who = m.identity
    shape = p.shape[:2]
    scale = size / 1024
    base = skin_tone(who.skin_tone)
    dark = who.skin_tone
    colour = np.broadcast_to(base, (*shape, 3)).copy()
    x, y, z = p[..., 0], p[..., 1], p[..., 2]
    ax = np.abs(x)
    tip = m.nose_tip
    red = base * np.array([1.02, 0.74, 0.70])
    warm = base * np.array([1.03, 0.98, 0.88])
    shade = base * np.array([0.72, 0.62, 0.60])
    colour = _mix(colour, warm, 0.6 * _blob(p, (0, 4.5, 0), (6, 2.6, 6)))
    blush = _blob(p, (4.0, -2.9, 0), (1.9, 1.3, 4)) + 0.5 * _blob(
        p, (0, tip[1], tip[2]), (1.1, 1.0, 1.6)
    )
    colour = _mix(colour, red, (0.25 + 0.4 * who.blush) * blush)
    colour = _mix(colour, red, 0.25 * _blob(p, (0, m.chin_y + 1.2, 1.5), (1.3, 0.9, 2)))
    # Big soft mottling, then blotches, then pores: all of it moves with the skin.
    colour *= (
        1.0
        + (0.010 * noise(rng, shape, 38 * scale) + 0.012 * noise(rng, shape, 13 * scale))[..., None]
    )
    colour *= 1.0 + 0.010 * noise(rng, shape, 30 * scale)[..., None] * np.array([-0.4, 0.8, 1.0])
    colour *= 1.0 + 0.020 * noise(rng, shape, 5 * scale)[..., None]
    colour *= 1.0 + 0.020 * noise(rng, shape, max(2.0 * scale, 1.0))[..., None]
    # Freckles over cheeks and nose, a few elsewhere.
    spots = noise(rng, shape, max(3.6 * scale, 1.5))
    gate = (
        0.25 + _blob(p, (2.2, -2.4, 0), (3.2, 1.7, 9)) + 0.4 * _blob(p, (0, 3.8, 0), (4.5, 2.0, 9))
    )
    front = np.clip((z + 5.0) / 3.0, 0, 1)
    freckle = np.clip((spots - 2.25 + 0.75 * who.freckles * gate) * 1.6, 0, 1) * gate * front
    colour = _mix(colour, base * np.array([0.72, 0.56, 0.46]), 0.75 * who.freckles * freckle)
    moles = [(rng.uniform(-5, 5), rng.uniform(-9, 5), rng.uniform(0.05, 0.09)) for _ in range(7)]
    for mx, my, mr in moles:
        away = np.hypot(x - mx, y - my) / mr
        colour = _mix(colour, base * 0.45, 0.75 * np.clip(1.6 - away, 0, 1) * (z > -3.5))
    # Lids, under-eye, crease beside the nose's wing, mouth's corners, nostrils.
    eye = np.hypot((ax - m.eye_x) / 1.9, (y - 0.1) / 1.25)
    colour = _mix(colour, shade, (0.28 + 0.1 * who.age) * np.clip(1.45 - eye, 0, 1) * (z > -3))
    top_rim, low_rim = _rim_heights(m, skin_x=ax)
    line = np.exp(-(((y - top_rim) / 0.09) ** 2)) * (np.abs(ax - m.eye_x) < 1.63) * (z > -2)
    colour = _mix(colour, shade * 0.35, 0.85 * line)
    under = np.exp(-(((y - low_rim) / 0.07) ** 2)) * (np.abs(ax - m.eye_x) < 1.6) * (z > -2)
    colour = _mix(colour, red * 0.72, 0.6 * under)
    wing = np.exp(
        -(((np.hypot((ax - m.nose_wing + 0.55), (y - tip[1] + 0.25) * 0.95) - 0.72) / 0.14) ** 2)
    )
    wing *= (ax > m.nose_wing - 0.4) & (z > 0)
    colour = _mix(colour, shade, 0.5 * wing)
    nostril = _blob(
        p, (0.62 * m.nose_wing - 0.22, tip[1] - 0.52, tip[2] - 1.14), (0.30, 0.36, 0.42)
    )
    colour = _mix(colour, shade * 0.3, np.clip(nostril * 2.4 - 0.75, 0, 1))
    colour = paint_lips(m, colour, p, rng)
    # Shadow under the brow's hairs, stubble of the scalp.
    t = np.clip((ax - m.canthus_inner + 0.35) / (m.canthus_outer - m.canthus_inner + 0.9), 0, 1)
    middle = brow_curve(m, t.ravel())[:, 1].reshape(shape)
    thick = 0.23 * (1 + 0.45 * who.brow_thickness) * brow_taper(t)
    edge = np.clip(1.5 - np.abs(y - middle) / np.maximum(thick, 0.02), 0, 1) * (
        (t > 0.005) & (t < 0.995)
    )
    colour = _mix(colour, who.brow, 0.45 * edge * (z > -3.5))
    scalp = np.clip((hairline(p) + 0.25 * noise(rng, shape, 4 * scale)) * 1.4 + 0.3, 0, 1)
    colour = _mix(colour, np.asarray(who.hair) * 0.8, scalp)
    return colour


def _rim_heights(m: Measures, skin_x: Floats) -> tuple[Floats, Floats]:
    """Rough heights of the neutral upper and lower rims at each |x|."""
    from .skin import lid_travel

    top, low = lid_travel(m, skin_x, m.eye_x)
    tilt = m.canthus_tilt * np.clip((skin_x - m.eye_x) / (m.canthus_outer - m.eye_x), -1, 1)
    radius = np.sqrt(np.clip((m.eye_radius + m.lid_gap) ** 2 - (skin_x - m.eye_x) ** 2, 0.05, None))
    return tilt + radius * np.sin(top), tilt - radius * np.sin(low)


def paint_lips(m: Measures, colour: Floats, p: Floats, rng: np.random.Generator) -> Floats:
    """Lay the red of the lips over `colour` (h, w, 3)."""
    x, y, z = p[..., 0], p[..., 1], p[..., 2]
    over = y - m.mouth_line(x)
    upper, lower = m.lip_heights(x)
    height = np.where(over > 0, upper, lower)
    r = np.abs(over) / np.maximum(height, 0.02)
    inside = (np.abs(x) < m.mouth_half * 1.0) & (z > -1.5)
    red = np.clip((1.06 - r) * 5.0, 0, 1) * inside
    lines = np.sin(x * 17 + 1.5 * noise(rng, x.shape, 9)) * 0.5 + 0.5
    lip = (
        np.asarray(m.identity.lip)
        * (0.90 + 0.12 * r[..., None].clip(0, 1))
        * (1 - 0.09 * lines[..., None])
    )
    colour = colour + (lip - colour) * (0.88 * red)[..., None]
    seam = np.exp(-((over / 0.05) ** 2)) * (np.abs(x) < 1.06 * m.mouth_half) * (z > -1.5)
    return _mix(colour, np.asarray(m.identity.lip) * 0.35, 0.8 * seam)


def paint_eye(m: Measures, u: Floats, v: Floats, rng: np.random.Generator) -> Floats:
    """Colour (h, w, 3) of an eyeball at its own coordinates."""
    dx, dy = (u - 0.5) * 2, (v - 0.5) * 2
    polar = np.hypot(dx, dy) * ATLAS_RADIANS
    turn = np.arctan2(dy, dx)
    white = np.array([0.93, 0.915, 0.90])
    colour = np.broadcast_to(white, (*u.shape, 3)).copy()
    colour *= 1.0 - 0.015 * np.abs(noise(rng, u.shape, 6))[..., None]
    veins = np.clip(noise(rng, u.shape, 5) - 1.6, 0, 1) * np.clip((polar - 0.75) * 2, 0, 1)
    colour = _mix(colour, (0.80, 0.45, 0.42), 0.35 * veins)
    colour = _mix(colour, (0.84, 0.62, 0.58), np.clip((polar - 0.95) * 0.9, 0, 0.6))
    r = polar / IRIS_RADIANS
    iris = np.asarray(m.identity.iris)
    phase = rng.uniform(0, 2 * np.pi, 6)
    rays = sum(np.sin(turn * k + phase[i] + 3.0 * r) for i, k in enumerate((23, 37, 51, 9, 14, 67)))
    tint = iris * (1.0 + 0.14 * np.asarray(rays)[..., None] * (r[..., None] > 0.35))
    tint = _mix(
        tint,
        iris * 1.75 + 0.06,
        0.75 * np.clip((dy < 0.3) * (0.95 - r), 0, 1) * (0.6 - 0.4 * dy / 0.3),
    )
    tint = _mix(tint, iris * np.array([1.5, 1.1, 0.5]), 0.5 * np.exp(-(((r - 0.5) / 0.10) ** 2)))
    tint = _mix(tint, iris * 0.22, np.clip((r - 0.80) / 0.16, 0, 1) ** 1.5)
    colour = _mix(colour, tint, np.clip((1.03 - r) / 0.07, 0, 1))
    colour = _mix(colour, (0.015, 0.012, 0.012), np.clip((0.44 - r) / 0.05, 0, 1))
    glint = np.exp(-((((dx + 0.055) / 0.042) ** 2 + ((dy - 0.095) / 0.042) ** 2) ** 2))
    colour = _mix(colour, (1.0, 1.0, 1.0), 0.95 * glint)
    return _mix(
        colour,
        (0.9, 0.95, 1.0),
        0.35 * np.exp(-(((dx - 0.07) / 0.03) ** 2 + ((dy + 0.11) / 0.03) ** 2)),
    )


def paint_rest(m: Measures, image: Floats, rng: np.random.Generator, size: int) -> None:
    """Paint every island but skin and eyes."""
    who = m.identity
    base = skin_tone(who.skin_tone)
    plain: dict[str, tuple[Floats, float]] = {
        "mouth": (np.array([0.34, 0.10, 0.10]), 0.06),
        "lid_left": (base * np.array([0.85, 0.58, 0.55]), 0.03),
        "lid_right": (base * np.array([0.85, 0.58, 0.55]), 0.03),
        "teeth": (np.array([0.93, 0.90, 0.84]), 0.015),
        "gums": (np.array([0.68, 0.33, 0.33]), 0.05),
        "tongue": (np.array([0.74, 0.36, 0.36]), 0.06),
        "hair": (np.asarray(who.hair), 0.05),
        "ear_left": (base * np.array([1.0, 0.86, 0.82]), 0.03),
        "ear_right": (base * np.array([1.0, 0.86, 0.82]), 0.03),
        "brow_left": (np.asarray(who.brow), 0.10),
        "brow_right": (np.asarray(who.brow), 0.10),
        "lash": (np.asarray(who.brow) * 0.35, 0.05),
        "cloth": (np.asarray(who.cloth), 0.06),
    }
    for name in ISLANDS:
        if name not in plain:
            continue
        colour, spread = plain[name]
        rows, columns, u, v = island_coordinates(name, size)
        grain = noise(rng, u.shape, 3.0)
        if name == "hair":
            grain = 2.2 * noise(rng, (1, u.shape[1]), 2.0) + grain
        tint = colour * (1.0 + spread * grain)[..., None]
        if name == "mouth":
            fade = np.abs(v - 0.5) * 2
            tint = _mix(tint, np.asarray(who.lip) * 0.75, np.clip((fade - 0.8) * 6, 0, 1))
            tint *= (0.35 + 0.65 * fade)[..., None]
        if name == "teeth":
            along = np.abs(np.sin(np.pi * (u * 2 - 1) * 6))
            tint *= (0.80 + 0.20 * np.clip(along * 4, 0, 1))[..., None]
        if name in ("brow_left", "brow_right"):
            tint = tint * (0.9 + 0.35 * v)[..., None]
        image[rows, columns] = tint
