"""How much of each action unit is in a steadied flow: non-negative and sparse.

The flow of every frame is taken for a sum of the basis's fields, none of them negative, since a
muscle only pulls; each field pays for being used at all (a non-negative lasso, by coordinate
descent: Friedman, Hastie and Tibshirani 2010), so that many small amounts do not stand for a large
one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from .basis import CELLS, Basis, basis
from .sampling import Reals
from .template import template

Floats = NDArray[np.float64]

#: Flows are compared with the fields on a grid of this many cells a side.
COARSE = 32
#: What an amount of 1 costs, in squared pixels, summed over the coarse cells.
PRICE = 0.6
#: Sweeps of the coordinate descent, and the change of amounts below which it has settled.
SWEEPS, SETTLED = 60, 1e-4


@dataclass(frozen=True)
class Fields:
    """The basis as a fit needs it: `columns` (R, K) weighted values of the coarse cells, their
    `gram` (K, K), and the `weights` (R,) that flows take as well."""

    basis: Basis
    columns: Floats
    gram: Floats
    weights: Floats


@cache
def fields() -> Fields:
    """Return the basis that ships, weighted by how far a cell belongs to the face."""
    known = basis()
    columns = known.columns(CELLS // COARSE)
    face = np.sqrt(template(COARSE).face.astype(float).ravel())
    weights = np.repeat(face, 2)
    weighted = columns.reshape(-1, columns.shape[2]) * weights[:, None]
    return Fields(known, weighted, weighted.T @ weighted, weights)


def coarse_rows(flows: Reals, trust: Reals | None = None) -> Floats:
    """Return flows (T, N, N, 2) as weighted rows (T, R) of the coarse grid; N is a multiple of 32.

    `trust` (T, N, N) 0..1 is how far each place is believed: what is not counts as still. Raises
    ValueError for another shape.
    """
    if trust is not None:
        flows = np.asarray(flows, np.float32) * np.asarray(trust, np.float32)[..., None]
    count, height, width, parts = flows.shape
    if height != width or height % COARSE or parts != 2:
        raise ValueError(f"flows of shape {flows.shape}")
    every = height // COARSE
    blocks = np.asarray(flows, np.float32).reshape(count, COARSE, every, COARSE, every, 2)
    return np.asarray(blocks.mean((2, 4)).reshape(count, -1) * fields().weights, np.float64)


def amounts_of(
    rows: Floats, chosen: NDArray[np.intp] | None = None, price: float = PRICE
) -> Floats:
    """Return (T, K) the amount of each field in weighted rows (T, R), 0 for those not `chosen`."""
    known = fields()
    some = np.arange(len(known.basis.names)) if chosen is None else chosen
    amounts = np.zeros((len(rows), len(known.basis.names)))
    if len(some):
        amounts[:, some] = _non_negative(
            known.gram[np.ix_(some, some)], rows @ known.columns[:, some], price
        )
    return amounts


def _non_negative(gram: Floats, sought: Floats, price: float) -> Floats:
    """Return (T, K) amounts >= 0 that minimise |row - columns amounts|^2 / 2 + price amounts."""
    amounts = np.zeros_like(sought)
    slope = price - sought  # gradient at amounts 0
    for _ in range(SWEEPS):
        most = 0.0
        for k in range(len(gram)):
            before = amounts[:, k].copy()
            amounts[:, k] = np.maximum(0, before - slope[:, k] / gram[k, k])
            change = amounts[:, k] - before
            if change.any():
                slope += change[:, None] * gram[k]
                most = max(most, float(np.abs(change).max()))
        if most < SETTLED:
            break
    return amounts
