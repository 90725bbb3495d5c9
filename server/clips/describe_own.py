"""How much of each action unit is in a clip, with fields that are the face's own.

No face moves as the average does, so a unit's field is the average one and as much of the ways in
which faces stray from it (`describe_strays.py`) as the clip shows, the same in all its frames; a
stray costs as much as its size is unlikely. Without it, what a unit does otherwise on this face is
taken for another unit beside it. Amounts and strays are found in turn (alternating least squares).

What a head may do as a whole is taken off flows and fields: the little that steadying leaves of
it would be explained by lips and brows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from .depth import depths
from .describe_amounts import COARSE, PRICE, Floats, Rows, fields, non_negative, pieces
from .describe_strays import reaches, strays
from .sampling import Reals
from .template import template

#: What a stray of one standard deviation costs, in squared pixels over all cells and frames: so
#: much, or this share of all motion, as what moves far moves less evenly than fields can say.
STRAY_PRICE, STRAY_SHARE = 1.0, 0.02
#: No muscle pulls further than a full contraction.
MOST_AMOUNT = 1.0
#: Times that strays are found from amounts, and amounts again with them.
ROUNDS = 2


@dataclass(frozen=True)
class Own:
    """Amounts (T, k) of k units in a clip, and their own `fields` (k, R) on the coarse grid; what
    they leave of it, in squared pixels (R,) by place, and what the strays cost."""

    amounts: Floats
    fields: Floats
    left: Floats
    cost: float


@cache
def _known() -> tuple[Floats, Floats]:
    """Return the average fields (K, R) of full contractions and their strays (K, L, R), weighted,
    without the head's."""
    weights, reach = fields().weights, reaches()[:, None]
    every = strays().reshape(len(reach), -1, len(weights)) * weights
    return without_head(reach * fields().columns.T), without_head(reach[..., None] * every)


@cache
def _head() -> Floats:
    """Return (R, 6) orthonormal rows of what a head may do: shift, roll, come nearer, turn."""
    maps = template(COARSE)
    x, y = maps.x.ravel(), maps.y.ravel()
    every = round(np.sqrt(depths().average.size)) // COARSE
    deep = depths().average.reshape(COARSE, every, COARSE, every).mean((1, 3)).ravel()
    still, level = np.zeros_like(x), np.ones_like(x)
    ways = ((level, still), (still, level), (-y, x), (x, y), (deep, still), (still, deep))
    rows = [np.stack(way, -1).ravel() * fields().weights for way in ways]
    return np.asarray(np.linalg.qr(np.stack(rows, -1))[0], np.float64)


def without_head(rows: Reals) -> Floats:
    """Return weighted rows (..., R) without what a head does as a whole."""
    return np.asarray(rows - (rows @ _head()) @ _head().T, np.float64)


def own(rows: Floats, chosen: NDArray[np.intp]) -> Own:
    """Return how the `chosen` fields explain rows (T, R) that are without the head's motion."""
    average, ways = (part[chosen] for part in _known())
    units, kept = ways.shape[:2]
    alike = np.einsum("alr,bmr->albm", ways, ways)
    price = max(STRAY_PRICE, STRAY_SHARE * float((rows**2).sum()))
    amounts = _amounts(rows, average)
    found, cost = average, 0.0
    for _ in range(ROUNDS if units else 0):
        unexplained = amounts.T @ (rows - amounts @ average)
        sought = np.einsum("alr,ar->al", ways, unexplained).ravel()
        matrix = np.einsum("ab,albm->albm", amounts.T @ amounts, alike)
        matrix = matrix.reshape(units * kept, -1) + price * np.eye(units * kept)
        share = np.linalg.solve(matrix, sought).reshape(units, kept)
        found = average + np.einsum("al,alr->ar", share, ways)
        cost = price * float((share**2).sum())
        amounts = _amounts(rows, found)
    left = rows - amounts @ found
    return Own(amounts, found, np.einsum("tr,tr->r", left, left), cost)


def amounts_in(rows: Rows, found: Own) -> Floats:
    """Return (T, k) the amounts of a face's own fields in all rows (T, R) of its clip."""
    parts = [_amounts(without_head(rows[part]), found.fields) for part in pieces(len(rows))]
    return np.concatenate(parts)


def _amounts(rows: Floats, columns: Floats) -> Floats:
    return non_negative(columns @ columns.T, rows @ columns.T, PRICE, MOST_AMOUNT)
