"""Brushes: smooth noise, soft blobs, mixing."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .arrays import Floats


def noise(
    rng: np.random.Generator, shape: tuple[int, ...], cell: float, stretch: float = 1.0
) -> Floats:
    """Smooth noise of zero mean and about unit spread, with features `cell` texels high and
    `cell * stretch` wide."""
    h, w = shape[:2]
    wide = cell * stretch
    coarse = rng.normal(0.0, 1.0, (int(h / cell) + 3, int(w / wide) + 3)).astype(np.float32)

    def axis(n: int, step: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        t = np.arange(n) / step
        low = t.astype(np.int64)
        f = (t - low).astype(np.float32)
        return low, f * f * (3 - 2 * f)

    r, fr = axis(h, cell)
    c, fc = axis(w, wide)
    rows = coarse[r] * (1 - fr)[:, None] + coarse[r + 1] * fr[:, None]
    return np.asarray(1.5 * (rows[:, c] * (1 - fc) + rows[:, c + 1] * fc))


def blob(
    p: Floats, centre: tuple[float, float, float], radii: tuple[float, float, float]
) -> Floats:
    """1 at `centre` of positions (h, w, 3) and at its twin across the middle, fading by `radii`."""
    total = np.zeros(p.shape[:2], dtype=p.dtype)
    for axis in range(3):
        along = np.abs(p[..., axis]) if axis == 0 else p[..., axis]
        total += ((along - p.dtype.type(centre[axis])) / p.dtype.type(radii[axis])) ** 2
    return np.asarray(np.exp(-total))


def mix(base: Floats, colour: Floats | tuple[float, ...], amount: Floats) -> Floats:
    """Lay `colour` over `base` (h, w, 3) by `amount` (h, w), clipped to [0, 1]."""
    share = np.clip(amount, 0, 1)[..., None].astype(base.dtype)
    return np.asarray(base + (np.asarray(colour, dtype=base.dtype) - base) * share)


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
