"""What groups of fields leave unexplained of a clip, and how dear an explanation is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, cached_property

import numpy as np

from .describe_amounts import Floats, fields
from .describe_own import Own, own

#: Fields of the basis that come in together: a side of a unit, or both.
Group = tuple[int, ...]

#: A unit must explain this share of all motion, and this much in squared pixels a frame, summed
#: over the coarse cells, at the strongest frames.
LEAST_SHARE, LEAST_ENERGY = 0.045, 1.0
#: A second side has to earn its place like a second unit, if a cheaper one.
SECOND_SIDE = 0.25


class Sought:
    """What is to be explained: weighted `rows` (T, R) that are without the head's motion; `dear`
    (K,) says how many times a unit's price each field has to pay, 1 where nothing is known."""

    def __init__(self, rows: Floats, dear: Floats | None = None) -> None:
        self.rows = rows
        self._dear = np.ones(len(fields().basis.names)) if dear is None else dear
        self._remainders: dict[frozenset[int], float] = {}

    @cached_property
    def energy(self) -> float:
        """All that moves, squared pixels."""
        return float((self.rows**2).sum())

    @cached_property
    def price(self) -> float:
        """What a unit of which nothing is known has to explain, in squared pixels over all rows."""
        return max(LEAST_SHARE * self.energy, LEAST_ENERGY * len(self.rows) / 4)

    def cost(self, group: Group) -> float:
        """Return what a group has to explain."""
        dear = float(self._dear[list(group)].mean())
        return self.price * dear * (1 + SECOND_SIDE * (len(group) - 1))

    def explained(self, groups: Sequence[Group]) -> Own:
        """Return how groups of fields, in the order of the basis, explain the rows."""
        return own(self.rows, np.array(sorted({k for group in groups for k in group}), np.intp))

    def left(self, groups: Sequence[Group]) -> Floats:
        """Return the squared pixels (R,) that groups leave unexplained, by place, and what their
        strays cost, spread over all places."""
        found = self.explained(groups)
        return found.left + found.cost / len(found.left)

    def remainder(self, groups: Sequence[Group]) -> float:
        """Return all that groups leave; asked for again, it is remembered."""
        used = frozenset(k for group in groups for k in group)
        if used not in self._remainders:
            self._remainders[used] = float(self.left(groups).sum())
        return self._remainders[used]

    def total(self, groups: Sequence[Group]) -> float:
        """Return what groups leave, and cost."""
        return self.remainder(groups) + sum(map(self.cost, groups))


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
