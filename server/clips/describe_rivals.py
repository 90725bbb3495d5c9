"""How else a clip may be explained: a unit is as sure as its rivals fall behind.

Lips are pulled, pressed and pushed by many muscles, and two of them may move a mouth as a third one
does: how much a unit explains says little where others explain as much.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .describe_left import Group, Sought, possible, whole

#: So many units may stand in the place of one.
MOST_INSTEAD = 2


class Rival(NamedTuple):
    """The best explanation that does without a unit: `groups` in its place beside the others,
    which leave and cost `margin` squared pixels more; less than nothing is a better explanation."""

    groups: tuple[Group, ...]
    margin: float


def rival_of(sought: Sought, groups: Sequence[Group], group: Group) -> Rival:
    """Return the rival of one of the groups that explain a clip together."""
    others = [other for other in groups if other is not group]
    instead: list[Group] = []
    total = sought.total(others)
    for _ in range(MOST_INSTEAD):
        used = {k for other in (*others, *instead, group) for k in whole(other)}
        tried = {
            other: sought.total([*others, *instead, other])
            for other in possible()
            if not used & set(other)
        }
        best = min(tried, key=tried.__getitem__)
        if tried[best] >= total:
            break
        instead.append(best)
        total = tried[best]
    return Rival(tuple(instead), total - sought.total(groups))
