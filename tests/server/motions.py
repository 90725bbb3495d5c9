"""Steadied motion with known expressions, as a face unlike the basis's would make it."""

from __future__ import annotations

import numpy as np
from microface.server.clips.basis import basis
from scipy.ndimage import gaussian_filter1d, shift


def course(times: np.ndarray, onset: float, apex: float, offset: float) -> np.ndarray:
    """Return a smooth rise and fall (T,), 1 at the apex."""
    rise = np.clip((times - onset) / (apex - onset), 0, 1)
    fall = np.clip((offset - times) / (offset - apex), 0, 1)
    least = np.minimum(rise, fall)
    return np.asarray(least * least * (3 - 2 * least))


def motion(
    times: np.ndarray, amounts: dict[str, np.ndarray], noise: float = 0.08, seed: int = 0
) -> np.ndarray:
    """Return flows (T, 64, 64, 2) of amounts (T,) by the names of the basis's fields.

    The fields are moved by a cell and made a tenth stronger, and the noise is as wide as the
    windows that flow is measured in.
    """
    rng = np.random.default_rng(seed)
    white = rng.normal(size=(len(times), 64, 64, 2)).astype(np.float32)
    soft = gaussian_filter1d(gaussian_filter1d(white, 2.0, axis=1), 2.0, axis=2)
    flows = soft * np.float32(noise / soft.std())
    known = basis()
    for name, amount in amounts.items():
        field = shift(known.fields[known.names.index(name)], (1, -0.7, 0), order=1)
        flows += 1.1 * amount[:, None, None, None].astype(np.float32) * field
    return np.asarray(flows, np.float32)


def both(unit: int, amount: np.ndarray) -> dict[str, np.ndarray]:
    """Return a unit's amounts on both sides."""
    return {f"AU{unit} left": amount, f"AU{unit} right": amount}
