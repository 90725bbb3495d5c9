"""What surrounds a head: soft lights, as spherical harmonics up to order 2.

What a matt surface receives from its surroundings is given by nine numbers a channel to about 1 %
on average (Ramamoorthi & Hanrahan, "An Efficient Representation for Irradiance Environment Maps",
2001).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .families import Floats
from .scene import Light

#: Numbers a channel of each order.
TERMS = 9


def harmonics(normals: Floats, terms: int = TERMS) -> Floats:
    """Return (N, terms): the first 1, 4 or 9 harmonics, unscaled, at unit `normals` (N, 3)."""
    x, y, z = normals.T
    one = np.ones_like(x)
    every = (one, x, y, z, x * y, y * z, z * x, z * z - np.float32(1 / 3), x * x - y * y)
    return np.stack(every[:terms], axis=1)


def soft_light(direction: Floats, colour: Floats) -> Floats:
    """Return the terms (9, 3) of a distant light from `direction` (3,): `colour` (3,) times the
    cosine between normal and direction where that is positive, to order 2."""
    x, y, z = direction / np.linalg.norm(direction)
    # Legendre series of the clamped cosine: 1/4, 1/2, 5/16.
    second = 15 / 32 * np.array([2 * x * y, 2 * y * z, 2 * z * x, (3 * z * z - 1) / 2,
                                 (x * x - y * y) / 2])  # fmt: skip
    terms = np.concatenate([[1 / 4], np.array([x, y, z]) / 2, second])
    return np.asarray(terms[:, None] * colour, dtype=np.float32)


def lit_around(rng: np.random.Generator, light: Light) -> Light:
    """Return a light with a fill light from the key's other side and one to three soft lights
    anywhere around, of about the strength that its surroundings had before."""
    level = float(light.ambient[0].mean())
    tint = light.ambient[0] / max(level, 1e-6)
    x, y, z = light.direction
    sideways = rng.normal(0, 0.3)
    fill = np.array([-x + sideways, 0.3 * y, abs(z) + 0.3])
    lights = [(fill, tint * np.exp(rng.normal(0, 0.1, 3)) * rng.uniform(0.2, 1.2))]
    for _ in range(int(rng.integers(1, 4))):
        lights.append((rng.normal(0, 1, 3), np.exp(rng.normal(0, 0.3, 3)) * rng.uniform(0.1, 0.8)))
    terms = np.zeros((TERMS, 3), np.float32)
    terms[: len(light.ambient)] = light.ambient * np.float32(0.4)
    for direction, colour in lights:
        terms += soft_light(np.asarray(direction, np.float32), colour * level)
    return replace(light, ambient=terms)
