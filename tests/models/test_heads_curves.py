"""Time courses, expression recipes, keypoints."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from microface.models.heads.curves import Curve, random_curve
from microface.models.heads.expressions import (
    COMPANIONS,
    FREQUENCIES,
    RECIPES,
    added,
    expression_weights,
    family_gain,
)
from microface.models.heads.keypoints import (
    KEYPOINTS,
    MIRROR,
    NAMES,
    face_unit,
    keypoints_from_landmarks,
)
from microface.models.heads.pairs import random_expression
from microface.models.heads.scene import CROP_UNITS, crop_of


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_curves_stay_within_the_literatures_ranges(seed: int) -> None:
    curve = random_curve(np.random.default_rng(seed), peak=0.3, onset=0.1)
    assert 0.17 - 1e-9 <= curve.offset - curve.onset <= 0.5 + 1e-9
    assert curve.apex - curve.onset <= 0.26 + 1e-9
    time = np.linspace(0, 1, 2001)
    value = curve.at(time)
    assert value.min() >= 0
    assert value.max() == pytest.approx(0.3, abs=1e-3)
    assert abs(time[value.argmax()] - curve.apex) < 2e-3
    assert np.all(value[time <= curve.onset] == 0)
    assert np.all(value[time >= curve.offset] < 1e-12)
    # No jump: at most pi/2 of the mean slope of the shorter phase, with slack for the fast start.
    shorter = min(curve.apex - curve.onset, curve.offset - curve.apex)
    assert np.abs(np.diff(value)).max() < 0.3 * 2 / shorter * 0.0005


def test_mean_duration_and_rise_are_the_literatures() -> None:
    rng = np.random.default_rng(0)
    curves = [random_curve(rng) for _ in range(2000)]
    assert np.mean([c.offset - c.onset for c in curves]) == pytest.approx(0.32, abs=0.01)
    assert np.mean([c.apex - c.onset for c in curves]) == pytest.approx(0.165, abs=0.015)


def test_curve_out_of_order_is_refused() -> None:
    with pytest.raises(ValueError, match="onset"):
        Curve(0.2, 0.1, 0.3)


def test_shifted_curve_is_the_same_later() -> None:
    curve = Curve(0.0, 0.1, 0.3, 0.5)
    time = np.linspace(0, 1, 101)
    assert curve.shifted(0.2).at(time + 0.2) == pytest.approx(curve.at(time))


def test_one_sided_unit_moves_its_side_alone() -> None:
    weights = expression_weights("AU12", 0.5, 0.0)
    assert weights == {"mouthSmileLeft": 0.5, "mouthSmileRight": 0.0}
    assert expression_weights("AU17", 0.2, 0.4)["mouthShrugLower"] == 0.4
    assert added({"a": 1.0}, {"a": 0.5, "b": 2.0}) == {"a": 1.5, "b": 2.0}


def test_every_unit_that_is_drawn_has_a_recipe() -> None:
    assert set(FREQUENCIES) <= set(RECIPES)
    assert {u for pair in COMPANIONS for u in pair} <= set(RECIPES)


def test_strengths_are_mostly_small_and_some_pairs_stay_still() -> None:
    rng = np.random.default_rng(1)
    peaks = [max(random_expression(rng).values(), default=0.0) for _ in range(3000)]
    still = np.mean([p == 0 for p in peaks])
    assert 0.08 < still < 0.13
    assert 0.7 < np.mean([0 < p < 0.47 for p in peaks]) < 0.85
    assert max(peaks) <= 1


def test_family_gain_brings_families_to_one_amplitude() -> None:
    assert family_gain("noseSneerLeft", 0.48, 4.9) > family_gain("noseSneerLeft", 1.03, 4.9)
    gain = family_gain("mouthSmileLeft", 1.6, 4.9)
    assert gain * 1.6 / 4.9 == pytest.approx(0.343)
    assert family_gain("eyeBlinkLeft", 0.5, 4.9) == 1


def test_keypoints_are_thirty_and_mirror_onto_each_other() -> None:
    assert len(KEYPOINTS) == 30
    assert [MIRROR[MIRROR[k]] for k in range(30)] == list(range(30))
    assert MIRROR[NAMES.index("lip_corner_left")] == NAMES.index("lip_corner_right")
    assert MIRROR[NAMES.index("chin")] == NAMES.index("chin")
    marks = np.random.default_rng(0).normal(size=(68, 2))
    points = keypoints_from_landmarks(marks)
    assert points[NAMES.index("lid_upper_right")] == pytest.approx(
        marks[[37, 38]].mean(0), abs=1e-6
    )
    assert points[NAMES.index("chin")] == pytest.approx(marks[[8, 57]].mean(0), abs=1e-6)


def test_crop_is_centred_on_the_keypoints_and_as_wide_as_agreed() -> None:
    points = np.random.default_rng(0).normal(size=(30, 2)) * 40 + 100
    crop = crop_of(points, roll=5)
    mapped = points @ crop[:, :2].T + crop[:, 2]
    assert mapped.mean(0) == pytest.approx([0.5, 0.5], abs=1e-5)
    assert face_unit(mapped) == pytest.approx(1 / CROP_UNITS, rel=1e-5)
