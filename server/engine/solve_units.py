"""Which action units a rig's keys move in, and what it costs that they are not the source's.

Told by what keys are called; in a rig whose names tell little, by what they move
(`solve_moves.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .priors import ALONG, OFTEN_TOGETHER, STAND_IN, UNITS

Floats = NDArray[np.float64]

#: What a key costs where the source shows none of its action units, in a rig whose names tell, and
#: in one whose keys are told by their motion. What a key costs whose units often come with one that
#: is shown; one that stands in for others which make the unit; and what it costs that no key makes
#: a unit which the source shows. All where the source is sure.
BY_NAME, BY_MOTION, MAY_COME_ALONG, STANDING_IN, MISSING = 12.0, 6.0, 2.0, 4.0, 12.0


@dataclass(frozen=True)
class Moves:
    """The action units that a key makes, those in which it may move `along`, and those for which it
    may stand in: none where nothing is known."""

    makes: frozenset[int] = frozenset()
    along: frozenset[int] = frozenset()
    stands_in: frozenset[int] = frozenset()


def by_name(kinds: Sequence[str]) -> list[Moves]:
    """Return what keys move in by the kinds that their names tell (see `priors`)."""
    nothing: frozenset[int] = frozenset()
    tables = (UNITS, ALONG, STAND_IN)
    return [Moves(*(table.get(kind, nothing) for table in tables)) for kind in kinds]


def not_shown(
    moves: Sequence[Moves], usable: NDArray[np.bool_], sure: Mapping[int, float], price: float
) -> Floats:
    """Return what keys (S,) cost that move in none of the units which the source shows: `price`
    where it is sure of them, less where these often come with one, or where a key stands in for a
    usable one; 0 for those of which nothing is known, and for all where it shows none. `sure` is
    0..1 by unit."""
    made = {unit for one, can in zip(moves, usable, strict=True) if can for unit in one.makes}
    most = max(sure.values(), default=0.0)
    along = {other for pair in OFTEN_TOGETHER for unit in pair if sure.get(unit) for other in pair}

    def cost(one: Moves) -> float:
        units, instead = one.makes | one.along, one.stands_in & sure.keys()
        if not units or units & sure.keys() or instead - made:
            return 0.0
        if instead:
            return most * STANDING_IN
        return most * (MAY_COME_ALONG if units & along else price)

    return np.array([cost(one) for one in moves])


def expected(
    moves: Sequence[Moves], usable: NDArray[np.bool_], sure: Mapping[int, float]
) -> Iterator[tuple[frozenset[int], float]]:
    """Yield the usable keys that make each unit which the source shows, or stand in for it (those
    that move along, if there is none), and what it costs that none of them moves."""
    for unit, confidence in sure.items():
        able = [(k, one) for k, one in enumerate(moves) if usable[k]]
        makers = [k for k, one in able if unit in one.makes | one.stands_in]
        keys = makers or [k for k, one in able if unit in one.along]
        if keys and confidence:
            yield frozenset(keys), MISSING * confidence
