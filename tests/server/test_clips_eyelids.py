"""How much is seen of an eye tells lids that close, not where the eye looks."""

from __future__ import annotations

import numpy as np
import pytest
from microface.models.heads.expressions import expression_weights
from microface.server.clips.crop import NETWORK_PIXELS as SIZE
from microface.server.clips.crop import Crop
from microface.server.clips.eyelids import eyes_seen

from .filmed_head import pictured

WHOLE = Crop((SIZE / 2, SIZE / 2), SIZE)


def seen(*pictures: np.ndarray, pose: np.ndarray | None = None) -> np.ndarray:
    """Return how much is seen of both eyes in pictures, as a share of the first one."""
    poses = np.zeros((len(pictures), 6))
    if pose is not None:
        poses[1:] = pose
    found = eyes_seen(pictures, WHOLE, poses)
    return np.asarray(found / found[0])


def test_closed_lids_hide_eyes_and_half_closed_ones_less() -> None:
    rest, half, shut = seen(*(pictured(expression_weights("AU45", a, a)) for a in (0.0, 0.5, 1.0)))
    assert shut.max() < 0.6
    assert (shut + 0.1 < half).all() and (half < rest - 0.05).all()


def test_each_eye_is_told_by_itself() -> None:
    right, left = seen(pictured({}), pictured(expression_weights("AU45", 1.0, 0.0)))[1]
    assert left < 0.6
    assert right == pytest.approx(1.0, abs=0.05)


def test_eyes_that_turn_aside_and_other_light_hide_nothing() -> None:
    aside = {"eyeLookOutLeft": 0.6, "eyeLookInRight": 0.6}
    turned, darker = seen(pictured({}), pictured(aside), pictured({}, light=0.5))[1:]
    assert turned.min() > 0.85
    assert darker == pytest.approx(1.0, abs=0.15)


def test_eyes_are_looked_for_where_the_head_is() -> None:
    there = np.roll(pictured({}), (12, -20), (0, 1))
    pose = np.array([0, 0, 0, 0, -20.0, 12.0])
    assert seen(pictured({}), there, pose=pose)[1] == pytest.approx(1.0, abs=0.05)
    assert seen(pictured({}), there)[1].min() < 0.9
