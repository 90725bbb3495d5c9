"""Other times for a clip."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from microface.errors import InputError
from microface.server.engine.warp import Warp, frame_times, warp_of
from microface.server.protocol.timing import Retiming, parse_timing

MOMENTS = (0.08, 0.25, 0.43)


def test_no_wish_is_no_warp() -> None:
    times = np.linspace(0, 0.49, 50)
    for text in ("", "duration=0.49", "factor=1", "apex=0.25", "0.1=0.1"):
        warp = warp_of(parse_timing(text), MOMENTS, 0.49)
        assert warp.is_identity, text
        assert warp(times) is times


def test_moments_come_when_they_are_asked_for() -> None:
    warp = warp_of(parse_timing("duration=0.3, onset=0.1, apex=0.15, offset=0.28"), MOMENTS, 0.49)
    assert warp.seconds == 0.3
    asked = np.array([0.0, 0.1, 0.15, 0.28, 0.3])
    assert warp(asked) == pytest.approx([0, *MOMENTS, 0.49], abs=1e-12)


def test_a_duration_stretches_evenly_and_knots_are_met() -> None:
    slow = warp_of(parse_timing("factor=3"), None, 0.5)
    times = np.linspace(0, 1.5, 40)
    np.testing.assert_allclose(slow(times), times / 3, atol=1e-12)
    knots = warp_of(parse_timing("0.2=0.1, 0.3=0.4"), None, 0.5)
    assert knots(np.array([0.1, 0.4])) == pytest.approx([0.2, 0.3])
    assert knots.seconds == pytest.approx(0.6)  # the rest keeps its length


@given(
    st.lists(st.floats(0.01, 1), min_size=2, max_size=6),
    st.lists(st.floats(0.01, 1), min_size=6, max_size=6),
)
def test_time_never_runs_backwards_nor_changes_speed_in_a_jump(
    own_steps: list[float], shown_steps: list[float]
) -> None:
    own = np.cumsum([0, *own_steps])
    shown = np.cumsum([0, *shown_steps[: len(own_steps)]])
    warp = Warp(own.tolist(), shown.tolist())
    times = np.linspace(0, shown[-1], 2001)
    found = warp(times)
    assert (np.diff(found) >= -1e-12).all()
    assert found[0] == pytest.approx(0, abs=1e-12) and found[-1] == pytest.approx(own[-1])
    for knot in shown[1:-1]:
        close = 1e-7 * np.array([-2.0, -1.0, 1.0, 2.0])
        before, after = np.diff(warp(knot + close))[[0, 2]] / 1e-7
        assert before == pytest.approx(after, rel=0.02, abs=0.01)


@pytest.mark.parametrize(
    ("text", "moments"),
    [
        ("apex=0.1", None),
        ("apex=0.02", MOMENTS),
        ("0.6=0.7", MOMENTS),
        ("0.3=0.45, duration=0.4", None),
        ("0.3=0.2, offset=0.1", MOMENTS),
    ],
)
def test_times_that_cannot_be_are_refused(text: str, moments: tuple[float, ...] | None) -> None:
    with pytest.raises(InputError):
        warp_of(parse_timing(text), moments, 0.49)


def test_frames_come_at_the_rate_asked_for() -> None:
    warp = warp_of(Retiming(duration=0.5), None, 0.25)
    np.testing.assert_allclose(frame_times(warp, Fraction(100)), np.arange(51) / 100)
    assert len(frame_times(warp, Fraction(24000, 1001))) == 12
    with pytest.raises(InputError, match="2000"):
        frame_times(warp_of(Retiming(duration=30), None, 0.25), Fraction(100))
