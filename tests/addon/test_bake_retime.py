"""Retiming: moments are met, order is kept, nothing asked changes nothing."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from microface.addon.bake.problem import Solved
from microface.addon.bake.record import BakeRecord, Settings
from microface.addon.bake.retime import Moments, Timing, held, retimed
from microface.addon.bake.shaping import MERGED_FRAMES, limited_weights, shown, target_deltas
from microface.addon.bake.sides import gains, side_by_name, sides_by_motion
from microface.addon.bake.time import onset_apex_offset
from microface.addon.character.channels import Channel, Target
from microface.errors import InputError

TIMES = np.arange(41) / 200
MOMENTS = Moments(8, 17, 33)


def test_nothing_asked_changes_no_bit() -> None:
    own = float(TIMES[-1])
    same = Timing(own, *(float(TIMES[index]) for index in (8, 17, 33)))
    for timing in (Timing(), Timing(duration=own), same):
        assert np.array_equal(retimed(TIMES, MOMENTS, timing), TIMES)


def test_a_duration_keeps_the_apexs_share() -> None:
    result = retimed(TIMES, MOMENTS, Timing(duration=0.5))
    assert result[-1] == 0.5
    assert result[17] / 0.5 == pytest.approx(TIMES[17] / TIMES[-1])


def test_moments_are_met_and_the_tail_keeps_its_length() -> None:
    result = retimed(TIMES, MOMENTS, Timing(onset=0.1, apex=0.3, offset=0.4))
    assert [result[index] for index in (8, 17, 33)] == [0.1, 0.3, 0.4]
    assert result[-1] - result[33] == pytest.approx(TIMES[-1] - TIMES[33])
    assert (np.diff(result) > 0).all()


@pytest.mark.parametrize(
    "timing", [Timing(apex=0.01), Timing(onset=0.2), Timing(duration=0.1, offset=0.12)]
)
def test_moments_out_of_order_are_refused(timing: Timing) -> None:
    with pytest.raises(InputError, match="would not come after"):
        retimed(TIMES, MOMENTS, timing)


@pytest.mark.parametrize("name", ["duration", "apex"])
@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_senseless_times_are_refused(name: str, value: float) -> None:
    with pytest.raises(InputError):
        Timing(**{name: value})


@given(
    start=st.floats(-50, 5000),
    fps=st.sampled_from([24.0, 30000 / 1001, 60.0]),
    marks=st.lists(st.integers(0, 40), min_size=3, max_size=3, unique=True).map(sorted),
    hold=st.integers(1, 6),
)
def test_a_hold_shows_the_apex_on_whole_frames(
    start: float, fps: float, marks: list[int], hold: int
) -> None:
    moments, frames = Moments(*marks), start + 4 * TIMES * fps
    try:
        result, order = held(frames, moments, hold)
    except InputError:
        room = np.ceil(frames[moments.offset]) - np.floor(frames[moments.onset]) - 1
        assert room < hold
        return
    assert (np.diff(result) > 0).all()
    apex = result[order == moments.apex]
    assert apex[0] == np.round(apex[0])
    assert apex[-1] - apex[0] == hold - 1
    for index in (moments.onset, moments.offset):
        assert result[order == index] == frames[index], "onset and offset stay"
    outside = (order < moments.onset) | (order > moments.offset)
    assert np.array_equal(result[outside], frames[order[outside]])


def record(
    weights: np.ndarray, fps: Fraction, start: float, tolerance: float, **settings: object
) -> BakeRecord:
    """A bake of one key sampled at 200 a second."""
    target = Target("KEY", "Key", 'key_blocks["a"].value')
    times = np.arange(len(weights)) / 200
    return BakeRecord(
        order=1,
        clip="clip",
        object_name="Face",
        layer="nla",
        fps=fps,
        stretch=Fraction(1),
        tolerance=tolerance,
        whole_frames=False,
        moments=Moments(*onset_apex_offset(weights[:, None])),
        channels=(Channel("a", (target,), -1.0, 1.0, 0.0, "shape key"),),
        sides=("",),
        times=times,
        weights=weights[:, None],
        settings=Settings(start, **settings),  # type: ignore[arg-type]
    )


@settings(deadline=None)
@given(
    values=st.lists(st.floats(-1.25, 1.25, width=32), min_size=3, max_size=60),
    fps=st.sampled_from([Fraction(24), Fraction(24000, 1001), Fraction(60)]),
    start=st.one_of(st.floats(-1000, 2000), st.sampled_from([86400.0, 86313.25])),
    tolerance=st.sampled_from([0.0, 0.002, 0.05]),
    duration=st.sampled_from([None, 0.7, 3.0]),
)
def test_curves_are_within_the_tolerance_at_and_between_the_samples(
    values: list[float], fps: Fraction, start: float, tolerance: float, duration: float | None
) -> None:
    bake = record(np.array(values), fps, start, tolerance, timing=Timing(duration=duration))
    assume(limited_weights(bake).any())
    when = shown(bake)
    ((frames, keys),) = target_deltas(bake).values()
    between = np.linspace(when.frames[0], when.frames[-1], 500)
    truth = limited_weights(bake)[when.order, 0]
    dense = np.sort(np.concatenate([between, when.frames]))
    error = np.abs(np.interp(dense, frames, keys) - np.interp(dense, when.frames, truth))
    # At an hour into the shot Blender's 32-bit frames are coarser than the clip's.
    if np.diff(when.frames).min() > 4 * MERGED_FRAMES:
        assert error.max() <= tolerance + 1e-9
    assert np.abs(keys).max() <= 1.0, "curves never overshoot the bounds"
    assert keys[0] == keys[-1] == 0.0, "and begin and end at rest"
    assert (np.diff(frames.astype(np.float32)) > 0.01).all(), "apart, or Blender merges them"


@pytest.mark.parametrize(
    "fps", [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001)]
)
def test_no_drift_over_an_hour(fps: Fraction) -> None:
    values = np.zeros(200 * 3600 + 1)
    values[200 * 3599] = 0.5
    bake = record(values, fps, 1.0, 0.002)
    ((frames, keys),) = target_deltas(bake).values()
    exact = 1 + Fraction(3599) * fps
    assert abs(Fraction(float(frames[keys.argmax()])) - exact) < Fraction(1, 10**9)


def test_sides_by_name() -> None:
    left = "mouthSmileLeft mouthSmile_L smile.l L_brow Fcl_BRW_Down_L left-eye browdownleft eyeL"
    assert {side_by_name(name) for name in left.split()} == {"left"}
    right = "mouthSmileRight mouthSmile_R smile.r R_brow BROW_DOWN_RIGHT rightEye browDownR.001"
    assert {side_by_name(name) for name in right.split()} == {"right"}
    whole = "jawOpen jawLeft Mouth_R jaw_shift_left mouthFunnel cleftChin bright upright Key.001"
    assert {side_by_name(name) for name in whole.split()} == {""}


def test_sides_by_motion_where_names_say_nothing() -> None:
    pixels = np.stack([np.linspace(0, 100, 201), np.zeros(201)], axis=1)
    x = pixels[:, 0]
    reach = np.stack([x > 60, x < 40, np.ones(201), np.exp(-(((x - 50) / 9) ** 2)), 0 * x], axis=1)
    jacobian = np.stack([reach, 0.5 * reach], axis=1)
    # The character's left is on the right of its picture.
    assert sides_by_motion(pixels, jacobian) == ("left", "right", "", "", "")


def test_balance_never_makes_a_side_stronger() -> None:
    sides = ("left", "right", "")
    assert gains(sides, 0.0).tolist() == [1, 1, 1]
    assert gains(sides, 1.0).tolist() == [1, 0, 1]
    assert gains(sides, -0.25).tolist() == [0.75, 1, 1]


def test_solved_is_what_the_record_keeps() -> None:
    values = np.array([0.0, 1 / 3, 0.0])
    bake = record(values, Fraction(24), 1.0, 0.0, strength=0.3)
    assert Solved(bake.weights, np.zeros(3)).weights[1, 0] == 1 / 3
    assert limited_weights(bake)[1, 0] == 0.3 * (1 / 3)
