"""Units are told on faces that move unlike the average one, and beside a head that stirs."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from microface.server.clips.basis import basis
from microface.server.clips.describe import describe
from microface.server.clips.describe_own import without_head
from microface.server.clips.describe_strays import strays
from microface.server.clips.template import template

from .motions import both, course, motion

TIMES = np.arange(40) / 100
COURSE = course(TIMES, 0.08, 0.2, 0.34)


def strayed(unit: int, amount: float, deviations: float) -> np.ndarray:
    """Return flows of a unit on a face that strays from the average in its most usual way."""
    flows = motion(TIMES, both(unit, amount * COURSE))
    for side, mirror in (("left", 1), ("right", -1)):
        field = basis().names.index(f"AU{unit} {side}")
        stray = strays()[field, 0]
        # Which way a component points is chance; both sides stray alike.
        other = strays()[basis().names.index(f"AU{unit} left"), 0][:, ::mirror] * (mirror, 1)
        sign = np.sign((stray * other).sum())
        wide = cv2.resize(stray * sign, (64, 64), interpolation=cv2.INTER_LINEAR)
        flows += (amount * deviations * COURSE)[:, None, None, None] * wide
    return np.asarray(flows, np.float32)


@pytest.mark.parametrize("unit", [1, 2, 4, 10, 12, 15])
@pytest.mark.parametrize("deviations", [-1.2, 1.2])
def test_a_face_of_its_own_is_told_no_other_unit(unit: int, deviations: float) -> None:
    (told,) = describe(strayed(unit, 0.2, deviations), TIMES)
    assert (told.unit, told.side) == (unit, "both")
    assert told.peak == pytest.approx(0.22, abs=0.06)


def test_what_steadying_leaves_of_the_head_is_no_unit() -> None:
    maps = template(64)
    swaying = np.stack([0.3 + 0.2 * maps.y, 0.3 * np.ones_like(maps.x)], -1)
    flows = motion(TIMES, both(4, 0.25 * COURSE)) + COURSE[:, None, None, None] * swaying
    (told,) = describe(flows.astype(np.float32), TIMES)
    assert (told.unit, told.side) == (4, "both")


def test_no_part_of_the_head_is_left_and_little_of_expressions() -> None:
    rng = np.random.default_rng(3)
    once = without_head(rng.normal(size=(4, 2048)))
    assert np.allclose(without_head(once), once)
    assert once.shape == (4, 2048)


def test_strays_mirror_each_other_and_move_less_than_the_unit() -> None:
    known, ways = basis(), strays()
    for name in ("AU4", "AU12", "AU14"):
        left, right = (known.names.index(f"{name} {side}") for side in ("left", "right"))
        mirrored = ways[right, 0][:, ::-1] * (-1, 1)
        alike = (ways[left, 0] * mirrored).sum() / (ways[left, 0] ** 2).sum()
        assert abs(alike) == pytest.approx(1, abs=0.02)
        assert np.abs(ways[left]).max() < np.abs(known.fields[left]).max()
