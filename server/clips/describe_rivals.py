"""How else a clip may be explained: a unit is as sure as its rivals fall behind.

Lips are pulled, pressed and pushed by many muscles, and two of them may move a mouth as a third one
does: how much a unit explains says little where others explain as much.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .describe_amounts import Floats
from .describe_left import Group, asked_of, left_by, possible, whole

#: So many units may stand in the place of one.
MOST_INSTEAD = 2


class Rival(NamedTuple):
    """The best explanation that does without a unit: `groups` in its place beside the others,
    which leaves `margin` squared pixels more; what a unit has to explain counts for each group more
    than one, and less than nothing is a better explanation."""

    groups: tuple[Group, ...]
    margin: float


def rival_of(rows: Floats, groups: Sequence[Group], group: Group) -> Rival:
    """Return the rival of one of the groups that explain rows (T, R) together."""
    others = [other for other in groups if other is not group]
    asked = asked_of(rows)
    instead: list[Group] = []
    left = float(left_by(rows, others).sum())
    for _ in range(MOST_INSTEAD):
        used = {k for other in (*others, *instead, group) for k in whole(other)}
        tried = {
            other: float(left_by(rows, [*others, *instead, other]).sum())
            for other in possible()
            if not used & set(other)
        }
        best = min(tried, key=tried.__getitem__)
        if left - tried[best] < asked / 2:
            break
        instead.append(best)
        left = tried[best]
    more = max(0, len(instead) - 1) * asked
    return Rival(tuple(instead), left + more - float(left_by(rows, groups).sum()))
