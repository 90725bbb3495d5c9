"""How much of each action unit is in a steadied flow: non-negative and sparse.

The flow of every frame is taken for a sum of the basis's fields, none of them negative, since a
muscle only pulls; each field pays for being used at all (a non-negative lasso, by coordinate
descent: Friedman, Hastie and Tibshirani 2010), so that many small amounts do not stand for a large
one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from .basis import CELLS, Basis, basis
from .roomy import roomy
from .sampling import Reals
from .template import template

Floats = NDArray[np.float64]
Rows = NDArray[np.float32]

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


def coarse_rows(flows: Reals, trust: Reals | None = None) -> Rows:
    """Return flows (T, N, N, 2) as weighted rows (T, R) of the coarse grid; N is a multiple of 32.

    `trust` (T, N, N) 0..1 is how far each place is believed: what is not counts as still. Raises
    ValueError for another shape.
    """
    count, height, width, parts = flows.shape
    if height != width or height % COARSE or parts != 2:
        raise ValueError(f"flows of shape {flows.shape}")
    every = height // COARSE
    rows = roomy((count, 2 * COARSE * COARSE), np.float32)
    for part in pieces(count):
        some = np.asarray(flows[part], np.float32)
        if trust is not None:
            some = some * np.asarray(trust[part], np.float32)[..., None]
        blocks = some.reshape(-1, COARSE, every, COARSE, every, 2)
        rows[part] = blocks.mean((2, 4)).reshape(len(some), -1) * fields().weights
    return rows


def pieces(count: int) -> Iterator[slice]:
    """Yield the places of so many frames, some hundreds at a time."""
    for first in range(0, count, 256):
        yield slice(first, min(count, first + 256))


def amounts_of(rows: Reals, chosen: NDArray[np.intp] | None = None, price: float = PRICE) -> Floats:
    """Return (T, K) the amount of each field in weighted rows (T, R), 0 for those not `chosen`."""
    known = fields()
    some = np.arange(len(known.basis.names)) if chosen is None else chosen
    amounts = np.zeros((len(rows), len(known.basis.names)))
    if len(some):
        gram, columns = known.gram[np.ix_(some, some)], known.columns[:, some]
        for part in pieces(len(rows)):
            amounts[part, some] = non_negative(gram, rows[part] @ columns, price)
    return amounts


def non_negative(gram: Floats, sought: Floats, price: float, limit: float = np.inf) -> Floats:
    """Return (T, K) amounts of 0 to `limit` that minimise |row - columns amounts|^2 / 2 + price
    amounts, where `gram` (K, K) is of the columns and `sought` (T, K) of rows and columns."""
    amounts = np.zeros_like(sought)
    slope = price - sought  # gradient at amounts 0
    for _ in range(SWEEPS):
        most = 0.0
        for k in range(len(gram)):
            before = amounts[:, k].copy()
            amounts[:, k] = np.clip(before - slope[:, k] / gram[k, k], 0, limit)
            change = amounts[:, k] - before
            if change.any():
                slope += change[:, None] * gram[k]
                most = max(most, float(np.abs(change).max()))
        if most < SETTLED:
            break
    return amounts
