"""Choose which action units explain a clip: one after the other, those that explain most.

The first takes off most; after it, each time the one that explains most of what is left, and most
of it where the unit acts (matching pursuit over all frames at once: Tropp, Gilbert and Strauss
2006), until none explains enough; then one may still be exchanged for another that does better
beside the rest. Both sides of a unit are tried together and apart.
"""

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
#: A unit that explains this share of what moves where it acts has to explain but this share of
#: that: brows are small beside lips, and no mistake about lips looks as brows do.
NEARLY_ALL, LESS_ASKED = 0.8, 0.2
MOST_UNITS = 8
#: A unit is exchanged for one that leaves this much less, as a share; so often at most.
EXCHANGED_FOR, EXCHANGES = 0.02, 3


def asked_of(rows: Floats) -> float:
    """Return what a unit has to explain, in squared pixels over all of the rows (T, R)."""
    total = float((rows**2).sum())
    return max(LEAST_SHARE * total, LEAST_ENERGY * len(rows) / 4)


def chosen(rows: Floats) -> tuple[list[Group], list[float]]:
    """Return the groups of fields that explain rows (T, R), and what each one alone explains."""
    asked = asked_of(rows)
    groups: list[Group] = []
    left = _left(rows, groups)
    while len(groups) < MOST_UNITS:
        used = {k for group in groups for k in group}
        best: tuple[float, Group, Floats] | None = None
        for group in _groups():
            if used & set(group):
                continue
            now = _left(rows, [*groups, group])
            # A second side has to earn its place like a second unit, if a cheaper one.
            gain = float((left - now).sum()) - 0.25 * asked * (len(group) - 1)
            # The lips move much further than the brows. What brings the brows down while the
            # lips move is what explains the brows, not what takes a little off everywhere; the
            # first unit takes off most, wherever others act as well.
            fit = _fit(left, now, group)
            worth = gain * fit if groups else gain
            enough = gain >= (LESS_ASKED * asked if fit >= NEARLY_ALL else asked)
            if enough and (best is None or worth > best[0]):
                best = (worth, group, now)
        if best is None:
            break
        groups.append(best[1])
        left = best[2]
    groups = _merged(_exchanged(rows, groups))
    left = _left(rows, groups)
    kept, gains = [], []
    for group in groups:
        without = _left(rows, [other for other in groups if other is not group])
        gain = float((without - left).sum())
        sure = _fit(without, left, group) >= NEARLY_ALL / 2
        if gain >= asked / 2 * (LESS_ASKED if sure else 1):
            kept.append(group)
            gains.append(gain)
    return kept, gains


def _exchanged(rows: Floats, groups: Sequence[Group]) -> list[Group]:
    """Return groups in which none can be exchanged for another, of no more sides, that explains
    rows (T, R) better beside the rest."""
    best = list(groups)
    for _ in range(EXCHANGES):
        tried = {
            (place, other): float(_left(rows, [*best[:place], other, *best[place + 1 :]]).sum())
            for place, group in enumerate(best)
            for other in _groups()
            if len(other) <= len(group)
            and whole(other) not in {whole(g) for g in best if g is not group}
        }
        least = (1 - EXCHANGED_FOR) * float(_left(rows, best).sum())
        if not tried or min(tried.values()) >= least:
            break
        place, other = min(tried, key=tried.__getitem__)
        best[place] = other
    return best


def explained_by(rows: Floats, groups: Sequence[Group]) -> Own:
    """Return how groups of fields, in the order of the basis, explain rows (T, R)."""
    return own(rows, np.array(sorted({k for group in groups for k in group}), np.intp))


def whole(group: Group) -> Group:
    """Return the fields of both sides of a unit."""
    side = fields().basis.sides[group[0]]
    if side == "both":
        return group
    first = group[0] - (side == "right")
    return (first, first + 1)


@cache
def _groups() -> tuple[Group, ...]:
    """Return the fields that may come in together: sides apart, and both."""
    sides = fields().basis.sides
    apart: list[Group] = [(k,) for k in range(len(sides))]
    return (*apart, *((k, k + 1) for k, side in enumerate(sides) if side == "left"))


def _left(rows: Floats, groups: Sequence[Group]) -> Floats:
    """Return the squared pixels (R,) that groups leave unexplained in rows (T, R), by place, and
    what their strays cost, spread over all places."""
    found = explained_by(rows, groups)
    return found.left + found.cost / len(found.left)


def _fit(before: Floats, after: Floats, group: Group) -> float:
    """Return which share of squared pixels (R,) that were left before is not left after, where a
    group of fields acts."""
    acts = (fields().columns[:, list(group)] ** 2).sum(1)
    return 1 - float(after @ acts) / max(1e-12, float(before @ acts))


def _merged(groups: Sequence[Group]) -> list[Group]:
    """Return the groups with the two sides of a unit in one."""
    merged: dict[Group, set[int]] = {}
    for group in groups:
        merged.setdefault(whole(group), set()).update(group)
    return [tuple(sorted(group)) for group in merged.values()]
