"""A unit is as sure as what else may explain the clip falls behind."""

from __future__ import annotations

import numpy as np
import pytest
from microface.server.clips.describe import Described, describe, strongest_rows
from microface.server.clips.describe_amounts import fields
from microface.server.clips.describe_left import Sought
from microface.server.clips.describe_price import dearness
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
    (rather,) = units_of(between(0.5)).values()
    assert rather.unit == 14 and rather.confidence > 0.9
    both_told = units_of(between(0.8))
    assert set(both_told) == {12, 14}
    assert all(0.3 < found.confidence < 0.8 for found in both_told.values())
    surer = units_of(between(1.2))
    assert surer[12].confidence > both_told[12].confidence > surer[14].confidence


def sought(amounts: dict[str, np.ndarray]) -> Sought:
    return Sought(strongest_rows(motion(TIMES, amounts)))


@pytest.mark.parametrize("unit", [1, 4, 12, 15])
def test_a_rival_leaves_more_than_the_unit_itself(unit: int) -> None:
    clip = sought(both(unit, 0.3 * COURSE))
    group = group_of(unit)
    rival = rival_of(clip, [group], group)
    assert rival.margin > clip.price
    assert not set(group) & {k for other in rival.groups for k in other}
    assert rival.margin == pytest.approx(clip.total(rival.groups) - clip.total([group]))


def test_what_explains_worse_than_its_rival_gives_way() -> None:
    clip = sought(both(15, 0.3 * COURSE))
    wrong = group_of(20)
    rival = rival_of(clip, [wrong], wrong)
    assert rival.margin < 0
    assert rival.groups[0] == group_of(15)


def test_what_is_likely_has_to_explain_less() -> None:
    rows = strongest_rows(motion(TIMES, both(12, 0.3 * COURSE)))
    lips, brows = group_of(12), group_of(4)
    chances = {"AU12 left": 0.999, "AU12 right": 0.999, "AU4 left": 0.001, "AU4 right": 0.1}
    likely = dearness(chances)
    unknown, known = Sought(rows), Sought(rows, likely)
    assert known.cost(lips) < 0.2 * unknown.cost(lips)
    assert known.cost(brows) > 1.5 * unknown.cost(brows)
    assert known.price == unknown.price
    # Lips parted have no name of their own there.
    parted = dearness({"AU16 left": 0.9, "AU16 right": 0.9})
    names = fields().basis.names
    assert parted[names.index("AU25")] == parted[names.index("AU16 left")] < 1
    assert (parted[[names.index("AU9 left"), names.index("gaze up")]] == 1).all()
