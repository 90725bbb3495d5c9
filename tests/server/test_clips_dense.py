"""Motion is measured as large as it is, from a micro-expression to a broad smile."""

from __future__ import annotations

import numpy as np
import pytest
from microface.server.clips.crop import NETWORK_PIXELS as SIZE
from microface.server.clips.crop import Crop
from microface.server.clips.dense import Matcher
from microface.server.clips.sampling import grey_levels
from microface.server.clips.steady import Steadier
from microface.server.clips.upright import CELLS

from .filmed_head import played

#: Of the sensor, as a share of white.
NOISE = 0.008


def gain_and_peak(units: tuple[str, ...], strength: float) -> tuple[float, float]:
    """Return how large an expression is measured beside how large it is, and the farthest that a
    place goes, in pixels."""
    neutral, frame, true, seen = played(NOISE, units, strength)
    steadied = Steadier(neutral, Crop((SIZE / 2, SIZE / 2), SIZE)).steady(frame)
    length = np.hypot(true[..., 0], true[..., 1])
    moving = (seen > 0.9) & (length > 0.2)
    along = float((steadied.flow * true)[moving].sum() / (true[moving] ** 2).sum())
    return along, float(length[moving].max())


@pytest.mark.parametrize("strength", [0.1, 0.2, 0.4, 0.6])
def test_a_smile_is_measured_as_broad_as_it_is(strength: float) -> None:
    gain, peak = gain_and_peak(("AU12",), strength)
    assert 0.9 < gain < 1.05
    assert peak > 18 * strength


def test_the_broadest_smile_is_not_lost() -> None:
    gain, peak = gain_and_peak(("AU12",), 1.0)
    assert 0.7 < gain < 1.05
    assert peak > 18


def test_a_jaw_that_drops_is_not_lost() -> None:
    gain, peak = gain_and_peak(("AU26",), 1.0)
    assert 0.7 < gain < 1.05
    assert peak > 24


@pytest.mark.parametrize("unit", ["AU4", "AU10"])
def test_other_large_motions_keep_their_size(unit: str) -> None:
    gain, peak = gain_and_peak((unit,), 1.0)
    assert 0.9 < gain < 1.05
    assert peak > 8


def test_what_is_known_to_have_moved_far_is_measured_as_what_is_found_to_have() -> None:
    smiling = played(NOISE, ("AU12",), 0.8)
    neutral, frame = grey_levels(smiling.neutral), grey_levels(smiling.frame)
    matcher = Matcher(neutral, CELLS)
    found = matcher.flow(frame)
    assert np.hypot(found[..., 0], found[..., 1]).max() > 4
    np.testing.assert_array_equal(found, matcher.flow(frame, far=True))
