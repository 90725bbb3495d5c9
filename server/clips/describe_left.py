"""What groups of fields leave unexplained of a clip."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from .describe_amounts import Floats, fields
from .describe_own import Own, own

#: Fields of the basis that come in together: a side of a unit, or both.
Group = tuple[int, ...]

#: A unit must explain this share of all motion, and this much in squared pixels a frame, summed
#: over the coarse cells, at the strongest frames.
LEAST_SHARE, LEAST_ENERGY = 0.045, 1.0


def asked_of(rows: Floats) -> float:
    """Return what a unit has to explain, in squared pixels over all of the rows (T, R)."""
    total = float((rows**2).sum())
    return max(LEAST_SHARE * total, LEAST_ENERGY * len(rows) / 4)


def explained_by(rows: Floats, groups: Sequence[Group]) -> Own:
    """Return how groups of fields, in the order of the basis, explain rows (T, R)."""
    return own(rows, np.array(sorted({k for group in groups for k in group}), np.intp))


def left_by(rows: Floats, groups: Sequence[Group]) -> Floats:
    """Return the squared pixels (R,) that groups leave unexplained in rows (T, R), by place, and
    what their strays cost, spread over all places."""
    found = explained_by(rows, groups)
    return found.left + found.cost / len(found.left)


def whole(group: Group) -> Group:
    """Return the fields of both sides of a unit."""
    side = fields().basis.sides[group[0]]
    if side == "both":
        return group
    first = group[0] - (side == "right")
    return (first, first + 1)


@cache
def possible() -> tuple[Group, ...]:
    """Return the fields that may come in together: sides apart, and both."""
    sides = fields().basis.sides
    apart: list[Group] = [(k,) for k in range(len(sides))]
    return (*apart, *((k, k + 1) for k, side in enumerate(sides) if side == "left"))
