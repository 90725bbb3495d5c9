"""Onset, apex and offset are found between frames, and nothing is found in noise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from microface.server.clips.spot import spot
from microface.server.engine.timing import find_phases, motion_profile, phases_of, shown

from .motions import both, course, motion


def curve(times: np.ndarray, apex: float, rise: float, fall: float) -> np.ndarray:
    away = np.where(times < apex, (times - apex) / rise, (times - apex) / fall)
    return np.where(np.abs(away) < 1, np.cos(away * np.pi / 2) ** 2, 0)


@settings(max_examples=30, deadline=None)
@given(st.floats(0.12, 0.2), st.floats(0.06, 0.1), st.floats(0.1, 0.2), st.sampled_from([100, 200]))
def test_phases_of_a_clean_curve(apex: float, rise: float, fall: float, fps: int) -> None:
    times = np.arange(round(0.45 * fps)) / fps
    phases = find_phases(3 * curve(times, apex, rise, fall), times)
    assert phases.onset and phases.apex and phases.offset
    assert phases.apex.seconds == pytest.approx(apex, abs=0.006)
    # Ten per cent of the peak, not the very first motion.
    share = 2 / np.pi * np.arccos(np.sqrt(0.1))
    assert phases.onset.seconds == pytest.approx(apex - share * rise, abs=0.008)
    assert phases.offset.seconds == pytest.approx(min(times[-1], apex + share * fall), abs=0.008)
    assert phases.profile.max() == pytest.approx(1)


def test_still_clip_has_no_phases() -> None:
    times = np.arange(40) / 200
    assert find_phases(np.zeros(40), times).apex is None
    assert find_phases(np.full(40, 0.01), times, least=0.05).onset is None
    noise = np.random.default_rng(0).normal(0, 0.02, 40)
    assert find_phases(noise, times, least=0.05).offset is None


def test_motion_that_does_not_end_lasts_to_the_end() -> None:
    times = np.arange(20) / 100
    phases = find_phases(np.linspace(0, 1, 20), times)
    assert phases.offset and phases.offset.frame == 19
    assert phases.apex and phases.apex.frame == 19


def test_two_frames() -> None:
    phases = find_phases(np.array([0.0, 1.0]), np.array([0.0, 0.01]))
    assert phases.apex and phases.apex.frame == 1


def test_profile_is_signed_and_quiet() -> None:
    rng = np.random.default_rng(1)
    weight = curve(np.arange(60) / 200, 0.15, 0.08, 0.1)
    field = np.zeros((16, 16, 2))
    field[4:8, 4:8] = (0.6, -0.8)
    flows = weight[:, None, None, None] * field + rng.normal(0, 0.02, (60, 16, 16, 2))
    profile = motion_profile(flows)
    assert np.corrcoef(profile, weight)[0, 1] > 0.995
    # Noise of mean zero: a length would have a floor.
    assert abs(profile[:10].mean()) < 0.01
    assert profile.max() == pytest.approx(1.0, rel=0.4)


def test_frames_that_a_hand_hides_are_not_the_apex() -> None:
    weight = curve(np.arange(60) / 200, 0.15, 0.1, 0.12)
    field = np.zeros((16, 16, 2))
    field[4:8, 4:8] = (0.6, -0.8)
    flows = weight[:, None, None, None] * field
    flows[-3:, 2:14, 2:14] = (9.0, -9.0)
    apex = find_phases(motion_profile(flows)[:-3], np.arange(57) / 200).apex
    assert apex and apex.seconds == pytest.approx(0.15, abs=0.006)
    assert motion_profile(flows)[-3:].max() < 2.1 * motion_profile(flows)[:-3].max()


def test_profile_of_nothing() -> None:
    assert not motion_profile(np.zeros((5, 4, 4, 2))).any()


def test_what_is_spotted_tells_and_else_the_profile() -> None:
    times = np.arange(100) / 200
    flows = motion(times, both(4, 0.2 * course(times, 0.12, 0.24, 0.41)))
    (event,) = spot(flows, times)
    phases = phases_of(flows, times, least=0.05)
    assert phases.told_by == "spotting"
    assert phases.seconds == (event.onset, event.apex, event.offset)
    assert phases.apex and phases.apex.frame == pytest.approx(event.apex * 200)
    assert phases.profile.max() == 1
    # A blink is no expression, yet a character is to blink: what moves has its phases.
    blink = motion(times, both(45, course(times, 0.12, 0.2, 0.3)))
    assert [found.kind for found in spot(blink, times)] == ["blink"]
    moved = phases_of(blink, times, least=0.05)
    assert moved.told_by == "profile" and moved.apex
    assert moved.apex.seconds == pytest.approx(0.2, abs=0.01)
    still = phases_of(motion(times, {}), times, least=0.05)
    assert still.seconds is None


def test_phases_move_with_the_times_that_are_shown() -> None:
    own = np.arange(40) / 100
    phases = find_phases(curve(own, 0.2, 0.08, 0.1), own)
    times = np.arange(40) / 50 + 1
    slower = shown(phases, own, times, phases.profile)
    assert phases.seconds and slower.seconds
    assert slower.seconds == pytest.approx([1 + 2 * at for at in phases.seconds])
    assert slower.apex and phases.apex
    assert slower.apex.frame == pytest.approx(phases.apex.frame)
    nothing = find_phases(np.zeros(40), own)
    assert shown(nothing, own, times, nothing.profile).seconds is None
