"""Painting the one texture of the head."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .arrays import Floats
from .atlas import ISLANDS, island_coordinates
from .eyes import ATLAS_RADIANS, IRIS_RADIANS
from .measures import Measures
from .paints import mix, noise, skin_tone
from .skin import Skin
from .texture_skin import paint_skin, skin_positions


def paint(m: Measures, skin: Skin, u_of: Floats, v_of: Floats, size: int) -> npt.NDArray[np.uint8]:
    """Return the atlas, (size, size, 3) uint8 sRGB; `u_of` and `v_of` are the skin's columns' and
    rows' own coordinates in its island."""
    rng = np.random.default_rng(m.identity.seed)
    image = np.zeros((size, size, 3), dtype=np.float32)
    image[:] = skin_tone(m.identity.skin_tone)
    rows, columns, place = skin_positions(skin, u_of, v_of, size)
    image[rows, columns] = paint_skin(m, place, rng, size)
    for side in ("left", "right"):
        rows, columns, u, v = island_coordinates(f"eye_{side}", size)
        image[rows, columns] = paint_eye(m, u, v, rng)
    paint_rest(m, image, rng, size)
    return np.asarray(np.clip(np.round(image * 255.0), 0, 255).astype(np.uint8))


def paint_eye(m: Measures, u: Floats, v: Floats, rng: np.random.Generator) -> Floats:
    """Colour (h, w, 3) of an eyeball at its own coordinates."""
    dx, dy = (u - 0.5) * 2, (v - 0.5) * 2
    polar = np.hypot(dx, dy) * ATLAS_RADIANS
    turn = np.arctan2(dy, dx)
    white = np.array([0.93, 0.915, 0.90])
    colour = np.broadcast_to(white, (*u.shape, 3)).copy()
    colour *= 1.0 - 0.015 * np.abs(noise(rng, u.shape, 6))[..., None]
    veins = np.clip(noise(rng, u.shape, 5) - 1.6, 0, 1) * np.clip((polar - 0.75) * 2, 0, 1)
    colour = mix(colour, (0.80, 0.45, 0.42), 0.35 * veins)
    colour = mix(colour, (0.84, 0.62, 0.58), np.clip((polar - 0.95) * 0.9, 0, 0.6))
    r = polar / IRIS_RADIANS
    iris = np.asarray(m.identity.iris)
    phase = rng.uniform(0, 2 * np.pi, 6)
    rays = sum(np.sin(turn * k + phase[i] + 3.0 * r) for i, k in enumerate((23, 37, 51, 9, 14, 67)))
    tint = iris * (1.0 + 0.14 * np.asarray(rays)[..., None] * (r[..., None] > 0.35))
    tint = mix(
        tint,
        iris * 1.75 + 0.06,
        0.75 * np.clip((dy < 0.3) * (0.95 - r), 0, 1) * (0.6 - 0.4 * dy / 0.3),
    )
    tint = mix(tint, iris * np.array([1.5, 1.1, 0.5]), 0.5 * np.exp(-(((r - 0.5) / 0.10) ** 2)))
    tint = mix(tint, iris * 0.22, np.clip((r - 0.80) / 0.16, 0, 1) ** 1.5)
    colour = mix(colour, tint, np.clip((1.03 - r) / 0.07, 0, 1))
    colour = mix(colour, (0.015, 0.012, 0.012), np.clip((0.44 - r) / 0.05, 0, 1))
    glint = np.exp(-((((dx + 0.055) / 0.042) ** 2 + ((dy - 0.095) / 0.042) ** 2) ** 2))
    colour = mix(colour, (1.0, 1.0, 1.0), 0.95 * glint)
    return mix(
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
        "ear_left": (base * np.array([1.0, 0.92, 0.89]), 0.03),
        "ear_right": (base * np.array([1.0, 0.92, 0.89]), 0.03),
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
            grain = 2.4 * noise(rng, (1, u.shape[1]), 2.2) + 1.6 * noise(rng, (1, u.shape[1]), 7.0)
            grain = np.repeat(grain, u.shape[0], axis=0) + 0.8 * noise(rng, u.shape, 40.0, 0.04)
        tint = colour * (1.0 + spread * grain)[..., None]
        if name == "mouth":
            fade = np.abs(v - 0.5) * 2
            tint = mix(tint, np.asarray(who.lip) * 0.75, np.clip((fade - 0.8) * 6, 0, 1))
            tint *= (0.35 + 0.65 * fade)[..., None]
        if name == "teeth":
            along = np.abs(np.sin(np.pi * (u * 2 - 1) * 6))
            tint *= (0.80 + 0.20 * np.clip(along * 4, 0, 1))[..., None]
        if name in ("brow_left", "brow_right"):
            tint = tint * (0.9 + 0.35 * v)[..., None]
        image[rows, columns] = tint
