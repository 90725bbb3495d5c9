"""What a unit has to explain, by what the recogniser makes of the clip.

The recogniser knows which small motions go with which unit; the average fields know how a face
moves, and what cannot be. A unit that is likely has to explain little, one that is not much more:
the price falls with the logarithm of the odds, as the evidence that is asked for does in Bayes's
rule, but within bounds, as the recogniser has seen rendered heads alone.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .describe_amounts import Floats, fields

#: Logarithms of odds that make a unit free; and the bounds of prices.
FREE_AT, LEAST, MOST = 4.0, 0.1, 3.0
#: Chances nearer to 0 and 1 say no more.
SUREST = 1e-4
#: Units that the recogniser has no name for, and the one by which it knows them: what parts the
#: lips on rendered heads is what lowers the lower one.
KNOWN_BY: Mapping[int, int] = {25: 16}


def dearness(chances: Mapping[str, float]) -> Floats:
    """Return how many times its price each field of the basis (K,) has to pay, by the `chances`
    0..1 of units and sides, as `AU12 left`; 1 for those that are not among them."""
    known = fields().basis
    found = [_chance(chances, *one) for one in zip(known.units, known.sides, strict=True)]
    return np.array([1.0 if chance is None else _dear(chance) for chance in found])


def _chance(chances: Mapping[str, float], unit: int, side: str) -> float | None:
    """Return the chance of a unit on a side, on average of both; None where it is not known."""
    name = f"AU{KNOWN_BY.get(unit, unit)}"
    sides = ("left", "right") if side == "both" else (side,)
    names = [name] if name in chances else [f"{name} {each}" for each in sides]
    known = [chances[each] for each in names if each in chances]
    return float(np.mean(known)) if known else None


def _dear(chance: float) -> float:
    chance = min(max(chance, SUREST), 1 - SUREST)
    return float(np.clip(1 - np.log(chance / (1 - chance)) / FREE_AT, LEAST, MOST))
