"""A unit is as sure as what else may explain the clip falls behind."""

from __future__ import annotations

import numpy as np
import pytest
from microface.server.clips.describe import Described, describe, strongest_rows
from microface.server.clips.describe_amounts import fields
from microface.server.clips.describe_left import asked_of, left_by
from microface.server.clips.describe_rivals import rival_of

from .motions import both, course, motion

TIMES = np.arange(40) / 100
COURSE = course(TIMES, 0.08, 0.2, 0.34)


def units_of(amounts: dict[str, np.ndarray]) -> dict[int, Described]:
    return {found.unit: found for found in describe(motion(TIMES, amounts), TIMES)}


def group_of(unit: int) -> tuple[int, ...]:
    return tuple(k for k, own in enumerate(fields().basis.units) if own == unit)


def between(share: float) -> dict[str, np.ndarray]:
    """A dimple with so much of a smile."""
    return both(14, 0.15 * COURSE) | both(12, 0.15 * share * COURSE)


def test_motion_between_two_units_is_neither_surely() -> None:
    (dimple,) = units_of(between(0)).values()
    assert (dimple.unit, dimple.instead) == (14, ()) and dimple.confidence > 0.95
    for share, told, other in ((0.6, 14, 12), (0.8, 12, 14)):
        (unsure,) = units_of(between(share)).values()
        assert unsure.unit == told and other in unsure.instead
        assert 0.5 < unsure.confidence < 0.9


@pytest.mark.parametrize("unit", [1, 4, 12, 15])
def test_a_rival_leaves_more_than_the_unit_itself(unit: int) -> None:
    rows = strongest_rows(motion(TIMES, both(unit, 0.3 * COURSE)), None, None)
    group = group_of(unit)
    rival = rival_of(rows, [group], group)
    assert rival.margin > asked_of(rows)
    assert not set(group) & {k for other in rival.groups for k in other}
    more = max(0, len(rival.groups) - 1) * asked_of(rows)
    left = left_by(rows, rival.groups).sum() - left_by(rows, [group]).sum()
    assert rival.margin == pytest.approx(left + more)


def test_what_explains_worse_than_its_rival_gives_way() -> None:
    rows = strongest_rows(motion(TIMES, both(15, 0.3 * COURSE)), None, None)
    wrong = group_of(20)
    rival = rival_of(rows, [wrong], wrong)
    assert rival.margin < 0
    assert rival.groups[0] == group_of(15)
