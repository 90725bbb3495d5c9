"""Painting the skin: tone, blush, pores, freckles, lips, lids, all where they lie on the face."""

from __future__ import annotations

import numpy as np

from . import grid as g
from .arrays import Floats
from .atlas import island_coordinates
from .hairdo import hairline
from .hairs import brow_curve, brow_taper
from .measures import Measures
from .paints import blob, mix, noise, skin_tone
from .skin import Skin, lid_travel

#: The skin's island has this many times more texels across a centimetre than up it.
STRETCH = 1.5


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
    points = skin.points.astype(np.float32)
    fc, fr = fc.astype(np.float32), fr.astype(np.float32)
    low = points[skin.grid.above[r0]]
    high = points[skin.grid.below[r0 + 1]]
    bottom = low[:, c0] * (1 - fc) + low[:, c1] * fc
    top = high[:, c0] * (1 - fc) + high[:, c1] * fc
    return rows, columns, bottom * (1 - fr) + top * fr


def paint_skin(m: Measures, p: Floats, rng: np.random.Generator, size: int) -> Floats:
    """Colour (h, w, 3) of the skin at positions `p` (h, w, 3)."""
    who = m.identity
    shape = (p.shape[0], p.shape[1])
    base = skin_tone(who.skin_tone)
    x, y, z = p[..., 0], p[..., 1], p[..., 2]
    tip = m.nose_tip
    red = base * np.array([1.02, 0.74, 0.70])
    warm = base * np.array([1.03, 0.98, 0.88])
    shade = base * np.array([0.72, 0.62, 0.60])
    colour = np.broadcast_to(base.astype(np.float32), (*shape, 3)).copy()
    colour = mix(colour, warm, 0.6 * blob(p, (0, 4.5, 0), (6, 2.6, 6)))
    blush = blob(p, (4.0, -2.9, 0), (1.9, 1.3, 4))
    blush += 0.6 * blob(p, (0, tip[1], tip[2]), (1.1, 1.0, 1.6))
    blush += 0.4 * blob(p, (0, m.chin_y + 1.2, 1.5), (1.3, 0.9, 2))
    colour = mix(colour, red, (0.22 + 0.36 * who.blush) * blush)
    colour *= grain(rng, shape, size / 1024)
    colour = _spots(m, colour, p, rng, size / 1024)
    colour = _creases(m, colour, p, red, shade)
    colour = paint_lips(m, colour, p, rng)
    ax = np.abs(x)
    t = np.clip((ax - m.canthus_inner + 0.35) / (m.canthus_outer - m.canthus_inner + 0.9), 0, 1)
    middle = brow_curve(m, t.ravel())[:, 1].reshape(shape)
    thick = 0.23 * (1 + 0.45 * who.brow_thickness) * brow_taper(t)
    under = np.clip(1.5 - np.abs(y - middle) / np.maximum(thick, 0.02), 0, 1)
    under *= np.clip(t * 12, 0, 1) * np.clip((1 - t) * 12, 0, 1) * (z > -3.5)
    colour = mix(colour, who.brow, 0.5 * under)
    rough = hairline(p) + 0.12 * noise(rng, shape, 3.0 * size / 1024, STRETCH)
    return mix(colour, np.asarray(who.hair) * 0.8, np.clip(rough * 1.2 + 0.4, 0, 1))


def grain(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> Floats:
    """What makes skin trackable: mottling, blotches and pores as factors (h, w, 3) about 1."""
    even = np.zeros(shape, dtype=np.float32)
    for cell, amount in ((34.0, 0.006), (13.0, 0.012), (5.5, 0.018), (2.2, 0.018)):
        even += amount * noise(rng, shape, max(cell * scale, 1.0), STRETCH)
    tint = 0.009 * noise(rng, shape, 24 * scale, STRETCH)
    return np.asarray(
        1.0 + even[..., None] + tint[..., None] * np.array([-0.4, 0.8, 1.0], np.float32)
    )


def _spots(
    m: Measures, colour: Floats, p: Floats, rng: np.random.Generator, scale: float
) -> Floats:
    """Freckles over cheeks and nose, a few elsewhere, and a mole or two."""
    who = m.identity
    base = skin_tone(who.skin_tone)
    x, y, z = p[..., 0], p[..., 1], p[..., 2]
    shape = (p.shape[0], p.shape[1])
    gate = 0.22 + blob(p, (2.2, -2.5, 0), (3.2, 1.7, 9)) + 0.4 * blob(p, (0, 3.8, 0), (4.5, 2.0, 9))
    front = np.clip((z + 5.0) / 3.0, 0, 1)
    for cell, share in ((3.4, 0.8), (5.0, 0.55)):
        spots = noise(rng, shape, max(cell * scale, 1.5), STRETCH)
        freckle = np.clip((spots - 2.35 + 0.85 * who.freckles * gate) * 1.5, 0, 1) * gate * front
        colour = mix(colour, base * np.array([0.70, 0.53, 0.42]), share * who.freckles * freckle)
    for _ in range(3):
        side = rng.choice([-1.0, 1.0])
        mx, my = side * rng.uniform(1.5, 4.8), rng.uniform(-9.0, -2.0)
        away = np.hypot(x - mx, y - my) / rng.uniform(0.04, 0.07)
        mole = 0.6 * np.clip(1.7 - away, 0, 1) * (z > -3.5)
        colour = mix(colour, base * np.array([0.50, 0.34, 0.27]), mole)
    return colour


def _creases(m: Measures, colour: Floats, p: Floats, red: Floats, shade: Floats) -> Floats:
    """Lids, lash lines, the fold of the upper lid, the nose's wings and nostrils, years."""
    who = m.identity
    ax, y, z = np.abs(p[..., 0]), p[..., 1], p[..., 2]
    tip = m.nose_tip
    front = z > -2.2
    eye = np.hypot((ax - m.eye_x) / 1.95, (y - 0.15) / 1.25)
    colour = mix(colour, shade, (0.26 + 0.14 * who.age) * np.clip(1.45 - eye, 0, 1) * front)
    top, low = rim_heights(m, ax)
    across = np.abs(ax - m.eye_x)
    upper = np.exp(-(((y - top) / 0.09) ** 2)) * (across < 1.63) * front
    fold_y = top + 0.40 - 0.10 * (across / 1.6) ** 2
    fold = np.exp(-(((y - fold_y) / 0.06) ** 2)) * np.clip((1.75 - across) * 3, 0, 1) * front
    colour = mix(colour, shade * 0.75, 0.55 * fold)
    colour = mix(colour, shade * 0.35, 0.85 * upper)
    lower = np.exp(-(((y - low) / 0.07) ** 2)) * (across < 1.6) * front
    colour = mix(colour, red * 0.72, 0.6 * lower)
    bag_y = low - 0.62 + 0.12 * (across / 1.5) ** 2
    bag = np.exp(-(((y - bag_y) / 0.10) ** 2)) * np.clip((1.3 - across) * 2, 0, 1) * front
    colour = mix(colour, shade, (0.10 + 0.35 * who.age) * bag)
    ring = np.hypot(ax - m.nose_wing + 0.55, (y - tip[1] + 0.25) * 0.95)
    wing = np.exp(-(((ring - 0.72) / 0.14) ** 2)) * (ax > m.nose_wing - 0.4) * (z > 0)
    colour = mix(colour, shade, 0.5 * wing)
    deep = blob(p, (0.62 * m.nose_wing - 0.22, tip[1] - 0.52, tip[2] - 1.14), (0.30, 0.36, 0.42))
    colour = mix(colour, shade * 0.3, np.clip(deep * 2.4 - 0.75, 0, 1))
    for number in range(3):
        line_y = 3.9 + 0.95 * number + 0.10 * np.sin(ax * 1.3 + number)
        line = np.exp(-(((y - line_y) / 0.07) ** 2)) * np.clip((4.0 - ax) / 2, 0, 1) * (z > -3)
        colour = mix(colour, shade, 0.40 * max(who.age - 0.25, 0.0) * line)
    return colour


def rim_heights(m: Measures, x: Floats) -> tuple[Floats, Floats]:
    """Heights of the neutral upper and lower lids' rims at each |x|, to about a millimetre."""
    top, low = lid_travel(m, x, m.eye_x)
    tilt = m.canthus_tilt * np.clip((x - m.eye_x) / (m.canthus_outer - m.eye_x), -1, 1)
    radius = np.sqrt(np.clip((m.eye_radius + m.lid_gap) ** 2 - (x - m.eye_x) ** 2, 0.05, None))
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
    return mix(colour, np.asarray(m.identity.lip) * 0.35, 0.8 * seam)
