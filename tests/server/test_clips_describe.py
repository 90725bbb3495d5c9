"""Action units are told from motion, with side, amount and evidence."""

from __future__ import annotations

import numpy as np
import pytest
from microface.server.clips.describe import describe
from microface.server.clips.describe_amounts import amounts_of, coarse_rows, fields
from microface.server.clips.describe_emotion import NOT_TOLD, emotion_hints
from microface.server.clips.describe_rest import held_in_neutral

from .motions import both, course, motion

TIMES = np.arange(40) / 100
COURSE = course(TIMES, 0.08, 0.2, 0.34)


def test_units_are_told_with_side_and_amount() -> None:
    amounts = both(4, 0.25 * COURSE)
    amounts["AU14 right"] = 0.3 * COURSE
    told = {d.unit: d for d in describe(motion(TIMES, amounts), TIMES)}
    assert set(told) == {4, 14}
    assert (told[4].side, told[14].side) == ("both", "right")
    assert told[4].peak == pytest.approx(0.27, abs=0.06)
    assert told[14].peak == pytest.approx(0.33, abs=0.1)
    assert TIMES[told[4].intensity.argmax()] == pytest.approx(0.2, abs=0.021)
    assert min(d.confidence for d in told.values()) > 0.5


def test_uneven_smile_has_the_stronger_side_stronger() -> None:
    amounts = {"AU12 left": 0.2 * COURSE, "AU12 right": 0.13 * COURSE}
    (told,) = describe(motion(TIMES, amounts), TIMES)
    assert (told.unit, told.side) == (12, "both")
    assert told.right.max() / told.left.max() == pytest.approx(0.65, abs=0.12)


def test_brows_are_told_beside_lips_that_move_further() -> None:
    amounts = both(12, 0.9 * COURSE) | both(4, 0.5 * COURSE)
    told = {d.unit: d for d in describe(motion(TIMES, amounts), TIMES)}
    assert set(told) == {12, 4}
    assert told[4].evidence.pixels < 0.5 * told[12].evidence.pixels


def test_evidence_says_what_moves_where() -> None:
    (brows,) = describe(motion(TIMES, both(4, 0.25 * COURSE)), TIMES)
    assert "brow" in brows.evidence.place
    assert "down" in brows.evidence.direction
    assert 1.0 < brows.evidence.pixels < 3.0
    (smile,) = describe(motion(TIMES, {"AU12 left": 0.15 * COURSE}), TIMES)
    assert smile.evidence.place.startswith("left")
    assert smile.evidence.direction == "up and outwards"
    assert f"{smile.evidence.pixels:.2f} pixels" in str(smile.evidence)


def test_blink_noise_and_stillness_are_no_units() -> None:
    assert describe(motion(TIMES, both(45, COURSE)), TIMES) == []
    assert describe(motion(TIMES, {}), TIMES) == []
    assert describe(np.zeros((40, 64, 64, 2), np.float32), TIMES) == []


def test_distrusted_places_do_not_speak() -> None:
    flows = motion(TIMES, both(4, 0.25 * COURSE))
    trust = np.ones((40, 64, 64), np.float32)
    trust[:, :30] = 0
    assert describe(flows, TIMES, trust) == []


def test_a_head_turned_far_bears_no_witness() -> None:
    flows = motion(TIMES, both(4, 0.25 * COURSE))
    poses = np.zeros((40, 6))
    last = int(COURSE.argmax()) - 3
    poses[last + 1 :, 1] = np.radians(16)
    (told,) = describe(flows, TIMES, poses=poses)
    assert told.apex == last
    assert np.all(told.intensity[last + 1 :] == told.peak)
    poses[:, 1] = np.radians(16)
    (whole,) = describe(flows, TIMES, poses=poses)
    assert whole.peak == whole.intensity.max()


def test_amounts_are_never_negative_and_exact_without_noise() -> None:
    known = fields().basis
    true = np.zeros((1, len(known.names)))
    true[0, [known.names.index("AU1 left"), known.names.index("AU15 right")]] = 0.4, 0.5
    rows = coarse_rows(np.einsum("tk,kijc->tijc", true, known.fields))
    found = amounts_of(rows, price=0.0)
    assert found.min() >= 0
    assert np.abs(found - true).max() < 0.03


def test_flows_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        coarse_rows(np.zeros((3, 48, 48, 2)))


def test_lowered_brows_are_no_happy_ones() -> None:
    happy = both(12, 0.2 * COURSE) | both(6, 0.3 * COURSE)
    crying = describe(motion(TIMES, happy | both(4, 0.3 * COURSE)), TIMES)
    assert {4, 6, 12} <= {told.unit for told in crying}
    hints = {hint.emotion: hint.probability for hint in emotion_hints(crying)}
    assert hints["not told"] > 2 * hints["happiness"]


def test_emotion_is_a_hint_with_doubt() -> None:
    smile = describe(motion(TIMES, {**both(12, 0.2 * COURSE), **both(6, 0.3 * COURSE)}), TIMES)
    hints = emotion_hints(smile)
    assert sum(h.probability for h in hints) == pytest.approx(1)
    assert hints[0].emotion == "happiness"
    assert hints[0].probability < 0.9
    assert set(hints[0].units) == {6, 12}
    (nothing,) = emotion_hints([])
    assert (nothing.emotion, nothing.probability) == (NOT_TOLD, 1.0)


@pytest.mark.parametrize("units", [(12, 6), (9,), (1,)])
def test_expression_that_the_neutral_holds_is_told(units: tuple[int, ...]) -> None:
    does = motion(TIMES, {k: v for unit in units for k, v in both(unit, 0.5 * COURSE).items()})
    assert held_in_neutral(does) == ()
    # Measured from a neutral that holds it, it is seen to fade.
    assert held_in_neutral(-does) == units
    assert held_in_neutral(motion(TIMES, {})) == ()


def test_jaw_that_opens_and_closes_is_not_held() -> None:
    by_turns = 0.3 * np.sin(2 * np.pi * 5 * TIMES)
    assert held_in_neutral(motion(TIMES, {"AU26": by_turns})) == ()
