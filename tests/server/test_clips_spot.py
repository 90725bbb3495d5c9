"""Expressions are found when they happen, and told from what is none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from microface.server.clips.describe_amounts import coarse_rows
from microface.server.clips.spot import spot
from microface.server.clips.spot_curves import region_cells
from microface.server.clips.spot_events import events_of
from microface.server.clips.spot_time import smooth
from microface.server.clips.template import template

from .motions import both, course, motion

FPS = 200


def seconds(length: float, fps: int = FPS) -> np.ndarray:
    return np.arange(round(length * fps)) / fps


def test_micro_expression_is_timed() -> None:
    times = seconds(0.6)
    flows = motion(times, both(4, 0.2 * course(times, 0.12, 0.24, 0.41)))
    (found,) = spot(flows, times)
    assert found.kind == "micro"
    assert found.regions[0] == "brows"
    assert found.apex == pytest.approx(0.24, abs=2 / FPS)
    assert found.onset == pytest.approx(0.12, abs=4 / FPS)
    assert found.offset == pytest.approx(0.41, abs=4 / FPS)
    assert found.confidence > 0.8


def test_macro_is_told_from_micro_by_half_a_second() -> None:
    times = seconds(1.5, 100)
    for end, kind in ((0.65, "micro"), (1.1, "macro")):
        flows = motion(times, both(12, 0.15 * course(times, 0.25, 0.45, end)))
        (found,) = spot(flows, times)
        assert found.kind == kind
        assert "lips" in found.regions


def test_blink_and_gaze_are_no_expressions() -> None:
    times = seconds(1.2, 100)
    amounts = both(45, course(times, 0.2, 0.28, 0.42))
    amounts["gaze left"] = 0.6 * course(times, 0.7, 0.85, 1.05)
    found = spot(motion(times, amounts), times)
    assert [s.kind for s in found] == ["blink", "gaze"]
    assert found[0].apex == pytest.approx(0.28, abs=0.02)


def test_expression_before_a_blink_keeps_its_time() -> None:
    times = seconds(1.0)
    amounts = both(45, course(times, 0.55, 0.62, 0.72))
    amounts |= both(4, 0.2 * course(times, 0.2, 0.32, 0.5))
    found = {s.kind: s for s in spot(motion(times, amounts), times)}
    assert set(found) == {"micro", "blink"}
    assert found["micro"].apex == pytest.approx(0.32, abs=2 / FPS)
    assert found["micro"].offset == pytest.approx(0.5, abs=5 / FPS)


def test_blink_is_told_by_eyes_that_look_unlike_the_neutral() -> None:
    times = seconds(2.0, 60)
    shut = course(times, 0.6, 0.72, 0.9)
    # Only the closing and the opening lids are seen to move; a smile narrows the eyes for longer.
    flows = motion(times, both(45, 0.35 * shut * (1 - shut) * 4))
    trust = np.ones((len(times), 64, 64), np.float32)
    left_lid = region_cells(64)["lids"] & (template(64).x > 0)
    trust[:, left_lid] -= (0.2 * course(times, 0.2, 1.0, 1.9) + 0.5 * shut)[:, None]
    (blink,) = spot(flows, times, trust=trust)
    assert blink.kind == "blink"
    assert blink.apex == pytest.approx(0.72, abs=0.03)
    assert blink.offset == pytest.approx(0.9, abs=0.06)


def eyes_that(unlike: np.ndarray) -> np.ndarray:
    """Return the trust (T, 64, 64) where eyes look unlike the neutral's by so much (T,)."""
    trust = np.ones((len(unlike), 64, 64), np.float32)
    trust[:, region_cells(64)["lids"]] -= unlike[:, None].astype(np.float32)
    return trust


@pytest.mark.parametrize(("seconds_shut", "amount"), [(0.4, 0.9), (0.8, 0.5), (1.2, 0.9)])
def test_lids_that_close_slowly_or_half_are_no_gaze(seconds_shut: float, amount: float) -> None:
    times = seconds(3.0, 60)
    course_ = course(times, 1.0, 1.0 + seconds_shut / 2, 1.0 + seconds_shut)
    # What is seen of the eyes beneath the lids stays.
    maps = template(64)
    eyes = (np.abs(maps.y + 0.72) < 0.14) & (np.abs(np.abs(maps.x) - 0.8) < 0.4)
    flows = motion(times, {})
    flows[:, eyes, 1] += 3 * amount * course_[:, None]
    (told,) = spot(flows, times, trust=eyes_that(0.5 * amount * course_))
    assert told.kind == "blink"
    assert told.onset == pytest.approx(1.0, abs=0.06)
    assert told.offset == pytest.approx(1.0 + seconds_shut, abs=0.06)


def test_eyes_that_look_down_do_not_close() -> None:
    times = seconds(3.0, 60)
    looks = course(times, 1.0, 1.3, 1.9)
    flows = motion(times, {"gaze down": looks})
    (told,) = spot(flows, times, trust=eyes_that(0.3 * looks))
    assert told.kind == "gaze"


def test_apex_is_where_the_head_is_not_turned_far() -> None:
    times = seconds(2.0, 50)
    flows = motion(times, both(12, 0.5 * course(times, 0.4, 1.4, 1.9)))
    poses = np.zeros((len(times), 6))
    poses[:, 1] = np.radians(20) * course(times, 0.9, 1.4, 3.9)
    (told,) = [s for s in spot(flows, times, poses) if s.kind == "macro"]
    assert told.apex > 1.0
    assert np.degrees(poses[round(told.apex * 50), 1]) < 15
    # What it does from then on is not known, so it has not ended either.
    assert told.offset == pytest.approx(times[-1])
    (told,) = [s for s in spot(flows, times, poses / 2) if s.kind == "macro"]
    assert told.apex == pytest.approx(1.4, abs=0.05)


def test_head_motion_is_told_where_poses_are_given() -> None:
    times = seconds(2.0, 50)
    poses = np.zeros((len(times), 6))
    poses[:, 4] = 8 * course(times, 0.5, 1.0, 1.5)
    flows = motion(times, {})
    assert [s.kind for s in spot(flows, times, poses)] == ["head"]
    assert spot(flows, times) == []


def test_speech_is_no_expression() -> None:
    times = seconds(2.5, 60)
    talking = course(times, 0.5, 0.6, 2.0) ** 0.2 * (0.5 - 0.5 * np.cos(2 * np.pi * 4 * times))
    found = spot(motion(times, {"AU26": 0.25 * talking, "AU25": 0.5 * talking}), times)
    assert found
    assert {s.kind for s in found} == {"speech"}


def test_brows_are_told_while_the_mouth_speaks() -> None:
    times = seconds(4.0, 60)
    at = np.arange(0.6, 3.0, 0.22)
    opens = sum(course(times, a, a + 0.1, a + 0.21 + 0.1 * (k % 2)) for k, a in enumerate(at))
    amounts = {"AU26": 0.3 * np.asarray(opens), "AU25": 0.3 * np.asarray(opens)}
    amounts |= both(1, 0.25 * course(times, 1.5, 1.62, 1.8))
    told = {s.kind: s for s in spot(motion(times, amounts), times)}
    assert set(told) == {"speech", "micro"}
    assert told["micro"].regions[0] == "brows"
    assert told["micro"].apex == pytest.approx(1.62, abs=0.03)
    assert told["speech"].onset == pytest.approx(0.6, abs=0.05)
    assert told["speech"].offset == pytest.approx(3.0, abs=0.15)


def test_jaw_that_opens_twice_does_not_speak() -> None:
    times = seconds(3.0, 60)
    opens = course(times, 0.5, 0.7, 0.9) + course(times, 1.0, 1.2, 1.4)
    told = spot(motion(times, {"AU26": 0.3 * opens}), times)
    assert [s.kind for s in told] == ["micro", "micro"]


def test_jaw_that_takes_part_in_a_held_smile_does_not_speak() -> None:
    times = seconds(2.5, 60)
    smile = course(times, 0.3, 0.6, 3.5)
    jaw = 0.06 * smile * (0.5 - 0.5 * np.cos(2 * np.pi * 3 * times))
    found = spot(motion(times, both(12, 0.8 * smile) | {"AU26": jaw}), times)
    assert [s.kind for s in found] == ["macro"]


def test_few_frames_a_second_are_not_taken_for_noise() -> None:
    times = seconds(1.0, 10)
    flows = motion(times, both(12, 0.5 * course(times, 0.05, 0.4, 1.0)))
    assert [s.kind for s in spot(flows, times)] == ["macro"]


def test_nothing_is_spotted_in_noise() -> None:
    times = seconds(1.0, 100)
    for seed in range(3):
        assert spot(motion(times, {}, seed=seed), times) == []


def test_noise_is_smoothed_at_the_ends_of_a_clip_too() -> None:
    white = np.random.default_rng(0).normal(size=(60, 4000))
    spread = smooth(white, seconds(0.3)).std(axis=1)
    # The last of frames that were repeated would spread 1.6 times as wide as those in the middle.
    assert spread[[0, -1]].max() < 1.35 * spread[30]
    assert smooth(np.ones((60, 1)), seconds(0.3)) == pytest.approx(1.0)


def test_slow_drift_in_a_long_clip_is_no_expression() -> None:
    times = seconds(20.0, 25)
    drift = both(4, 0.15 * np.sin(times / 20 * np.pi) ** 2)
    event = both(12, 0.15 * course(times, 12.0, 12.2, 12.4))
    found = spot(motion(times, {**drift, **event}), times)
    assert [s.kind for s in found] == ["micro"]
    assert found[0].apex == pytest.approx(12.2, abs=0.06)


@settings(max_examples=60, deadline=None)
@given(
    onset=st.floats(10, 40), rise=st.floats(8, 40), hold=st.floats(0, 10), fall=st.floats(8, 60),
    height=st.floats(0.2, 5), noise=st.floats(0, 0.02), seed=st.integers(0, 2**20),
)  # fmt: skip
def test_event_is_found_where_it_is(
    onset: float, rise: float, hold: float, fall: float, height: float, noise: float, seed: int
) -> None:
    frames = np.arange(200.0)
    up = np.clip((frames - onset) / rise, 0, 1)
    down = np.clip((onset + rise + hold + fall - frames) / fall, 0, 1)
    least = np.minimum(up, down)
    curve = height * least * least * (3 - 2 * least)
    curve += height * noise * np.random.default_rng(seed).normal(size=200)
    (event,) = events_of(curve, 0.1 * height, height * noise)
    assert event.onset == pytest.approx(onset, abs=1.5 + 0.15 * rise + 60 * noise)
    assert event.offset == pytest.approx(
        onset + rise + hold + fall, abs=1.5 + 0.15 * fall + 60 * noise
    )
    middle = onset + rise + hold / 2
    assert event.apex == pytest.approx(middle, abs=1.5 + 0.1 * (rise + fall) + 0.5 * hold)


def test_two_events_stay_two() -> None:
    frames = np.arange(300.0)
    curve = sum(np.exp(-(((frames - at) / 12) ** 2)) for at in (100, 170))
    assert len(events_of(np.asarray(curve), 0.2)) == 2
    close = sum(np.exp(-(((frames - at) / 12) ** 2)) for at in (100, 114))
    assert len(events_of(np.asarray(close), 0.2)) == 1


def test_event_that_the_clip_cuts_off_lasts_to_its_end() -> None:
    frames = np.arange(100.0)
    curve = course(frames, 40, 60, 1000)
    curve[85] -= 0.1  # a notch in what is held is no end
    (late,) = events_of(curve, 0.1)
    assert late.offset == 99 and late.onset == pytest.approx(40, abs=2)
    (all_along,) = events_of(curve[40:], 0.1)
    assert all_along.offset == 59 and all_along.height > 0.9
    (early,) = events_of(curve[::-1], 0.1)
    assert early.onset == 0 and early.offset == pytest.approx(59, abs=2)


def test_still_curve_has_no_event() -> None:
    assert events_of(np.zeros(50), 0.1) == []
    assert events_of(np.ones(2), 0.1) == []


def test_long_recordings_lie_on_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    times = seconds(8.0, 50)
    flows = motion(times, both(4, 0.2 * course(times, 5.0, 5.15, 5.3))).astype(np.float16)
    in_memory = spot(flows, times)
    monkeypatch.setattr("microface.server.clips.roomy.MOST_BYTES", 1000)
    assert isinstance(coarse_rows(flows), np.memmap)
    assert spot(flows, times) == in_memory
    assert [s.kind for s in in_memory] == ["micro"]


def test_quick_blink_is_one_whatever_a_flow_finds_in_the_eyes() -> None:
    times = seconds(3.0, 30)
    shut = course(times, 1.0, 1.12, 1.3)
    # Lashes and iris of a real eye take the flow along, as if it turned.
    aside = 0.6 * course(times, 2.0, 2.1, 2.8)
    flows = motion(times, {"gaze down": 1.2 * shut, "gaze left": aside})
    trust = eyes_that(0.25 * shut)
    assert [s.kind for s in spot(flows, times, trust=trust)] == ["gaze", "gaze"]
    hidden = 1 - 0.5 * np.stack([shut, shut], 1)
    blink, gaze = spot(flows, times, trust=trust, seen=hidden)
    assert (blink.kind, gaze.kind) == ("blink", "gaze")
    assert blink.onset == pytest.approx(1.0, abs=0.05)
    assert blink.apex == pytest.approx(1.12, abs=0.02)
    assert blink.offset == pytest.approx(1.3, abs=0.05)


def test_eyes_that_look_otherwise_but_are_seen_do_not_close() -> None:
    times = seconds(3.0, 30)
    trust = eyes_that(0.5 * course(times, 1.0, 1.15, 1.4))
    flows = motion(times, {})
    assert [s.kind for s in spot(flows, times, trust=trust)] == ["blink"]
    assert spot(flows, times, trust=trust, seen=np.ones((len(times), 2))) == []


def test_one_eye_that_is_hidden_does_not_blink() -> None:
    times = seconds(3.0, 30)
    shut = course(times, 1.0, 1.12, 1.3)
    seen = np.stack([1 - 0.8 * shut, np.ones_like(shut)], 1)
    assert spot(motion(times, {}), times, trust=eyes_that(0.0 * shut), seen=seen) == []


@pytest.mark.parametrize("covered", [0, 1])
def test_blink_beside_an_eye_that_hair_covers_is_told(covered: int) -> None:
    times = seconds(3.0, 30)
    shut = course(times, 1.0, 1.12, 1.3)
    seen = np.stack([0.03 * (1 - 0.45 * shut), np.full_like(shut, 0.016)], 1)
    seen = seen if covered else seen[:, ::-1]
    (blink,) = spot(motion(times, {}), times, trust=eyes_that(0.3 * shut), seen=seen)
    assert blink.kind == "blink" and blink.apex == pytest.approx(1.12, abs=0.02)


def test_mouth_that_is_held_open_does_not_speak() -> None:
    times = seconds(6.0, 30)
    held = course(times, 0.5, 0.9, 2.6) ** 0.3 + course(times, 3.2, 3.6, 5.3) ** 0.3
    # The flow of a mouth that is wide open trembles from frame to frame.
    trembling = 0.12 * held * np.where(np.arange(len(times)) % 4 < 2, 1, -1)
    found = spot(motion(times, {"AU26": 0.8 * held + trembling}), times)
    assert {s.kind for s in found} == {"macro"}
    # Nor does one that smiles twice, the lips apart, and puckers in between.
    smiles = both(12, 0.7 * course(times, 0.3, 0.7, 2.4)) | {
        "AU25": 0.5 * course(times, 0.3, 0.7, 2.4),
        "AU18": 0.8 * course(times, 3.0, 3.4, 4.5),
    }
    assert "speech" not in {s.kind for s in spot(motion(times, smiles), times)}


def test_what_the_head_may_have_left_is_told_with_doubt() -> None:
    times = seconds(2.0, 50)
    poses = np.zeros((len(times), 6))
    flows = motion(times, both(4, 0.2 * course(times, 0.8, 0.95, 1.15)))
    (sure,) = spot(flows, times, poses)
    assert sure.confidence > 0.95
    # The head moves by 55 pixels per radian that it turns; a tenth may be left.
    poses[:, 1] = np.radians(7) * course(times, 0.4, 0.7, 1.6)
    (doubted,) = [s for s in spot(flows, times, poses) if s.kind == "micro"]
    assert doubted.confidence < sure.confidence - 0.05
    assert doubted.confidence > 1 - np.exp(-1)


def test_blink_is_over_where_a_smile_goes_on_narrowing_the_eyes() -> None:
    times = seconds(2.5, 30)
    smiles = 0.2 * course(times, 0.9, 1.15, 2.4)
    shut = course(times, 1.0, 1.12, 1.3)
    hidden = 1 - np.maximum(smiles, 0.6 * shut)[:, None].repeat(2, 1)
    (blink,) = spot(motion(times, {}), times, trust=eyes_that(0.3 * shut), seen=hidden)
    assert blink.apex == pytest.approx(1.12, abs=0.02)
    assert blink.offset == pytest.approx(1.3, abs=0.07)


def test_lips_that_are_held_between_words_speak() -> None:
    times = seconds(4.0, 60)
    at = [*np.arange(0.6, 1.4, 0.22), *np.arange(2.1, 2.9, 0.22)]
    opens = 0.3 * sum(course(times, a, a + 0.1, a + 0.21) for a in at)
    lips = 0.5 * course(times, 1.0, 1.8, 2.6)
    found = spot(motion(times, {"AU26": opens, "AU25": opens, "AU18": lips}), times)
    assert [s.kind for s in found] == ["speech"]
    assert found[0].onset == pytest.approx(0.6, abs=0.06)
    assert found[0].offset == pytest.approx(2.97, abs=0.1)
