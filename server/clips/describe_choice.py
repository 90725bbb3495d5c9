"""Choose which action units explain a clip: one after the other, those that explain most.

The first takes off most; after it, each time the one that explains most of what is left, and most
of it where the unit acts (matching pursuit over all frames at once: Tropp, Gilbert and Strauss
2006), until none explains enough; then one may still be exchanged for another, or for two, that
do better beside the rest. Both sides of a unit are tried together and apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .describe_amounts import Floats, fields
from .describe_left import Group, Sought, possible, whole
from .describe_rivals import Rival, rival_of

#: A unit that explains this share of what moves where it acts has to explain but this share of
#: that: brows are small beside lips, and no mistake about lips looks as brows do.
NEARLY_ALL, LESS_ASKED = 0.8, 0.2
MOST_UNITS = 8
#: A unit is exchanged for one that leaves this much less, as a share; so often at most.
EXCHANGED_FOR, EXCHANGES = 0.02, 3


class Choice(NamedTuple):
    """A group of fields that explains a clip: `gain` squared pixels by itself alone, and its
    `rival`."""

    group: Group
    gain: float
    rival: Rival


def chosen(sought: Sought) -> list[Choice]:
    """Return the groups of fields that explain a clip."""
    choices = _judged(sought, _merged(_exchanged(sought, _pursued(sought))))
    worst = min(choices, key=lambda choice: choice.rival.margin, default=None)
    if worst is None or worst.rival.margin >= 0:
        return choices
    others = [choice.group for choice in choices if choice is not worst]
    return _judged(sought, _merged(_exchanged(sought, [*others, *worst.rival.groups])))


def _pursued(sought: Sought) -> list[Group]:
    """Return the groups that explain most, one after the other."""
    groups: list[Group] = []
    left = sought.left(groups)
    while len(groups) < MOST_UNITS:
        used = {k for group in groups for k in group}
        best: tuple[float, Group, Floats] | None = None
        for group in possible():
            if used & set(group):
                continue
            now = sought.left([*groups, group])
            gain, cost = float((left - now).sum()), sought.cost(group)
            # The lips move much further than the brows. What brings the brows down while the
            # lips move is what explains the brows, not what takes a little off everywhere; the
            # first unit takes off most, wherever others act as well.
            fit = _fit(left, now, group)
            worth = (gain - cost) * (fit if groups and gain > cost else 1)
            enough = gain >= (LESS_ASKED * cost if fit >= NEARLY_ALL else cost)
            if enough and (best is None or worth > best[0]):
                best = (worth, group, now)
        if best is None:
            break
        groups.append(best[1])
        left = best[2]
    return groups


def _judged(sought: Sought, groups: list[Group]) -> list[Choice]:
    """Return those of the groups that explain enough beside the others."""
    left = sought.left(groups)
    kept, gains = [], []
    for group in groups:
        without = sought.left([other for other in groups if other is not group])
        gain = float((without - left).sum())
        sure = _fit(without, left, group) >= NEARLY_ALL / 2
        if gain >= sought.cost(group) / 2 * (LESS_ASKED if sure else 1):
            kept.append(group)
            gains.append(gain)
    return [
        Choice(group, gain, rival_of(sought, kept, group))
        for group, gain in zip(kept, gains, strict=True)
    ]


def _exchanged(sought: Sought, groups: Sequence[Group]) -> list[Group]:
    """Return groups in which none can be exchanged for another, of no more sides, that explains
    the clip better beside the rest."""
    best = list(groups)
    for _ in range(EXCHANGES):
        tried = {
            (place, other): sought.total([*best[:place], other, *best[place + 1 :]])
            for place, group in enumerate(best)
            for other in possible()
            if len(other) <= len(group)
            and whole(other) not in {whole(g) for g in best if g is not group}
        }
        least = sought.total(best) - EXCHANGED_FOR * sought.remainder(best)
        if not tried or min(tried.values()) >= least:
            break
        place, other = min(tried, key=tried.__getitem__)
        best[place] = other
    return best


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
