"""Smoothing over time: noise goes, a 65 ms event stays, stillness stays exact."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from microface.server.engine.smooth import smoothed, window


def run(fields: np.ndarray, times: np.ndarray, rest: int = 0) -> np.ndarray:
    along = [(np.asarray(f, np.float32), i) for i, f in enumerate(fields)]
    made = list(smoothed(along, times, rest))
    assert [i for _, i in made] == list(range(len(fields)))
    return np.stack([field for field, _ in made])


@pytest.mark.parametrize("fps", [100, 200, 500])
def test_the_shortest_event_keeps_its_height_and_its_time(fps: int) -> None:
    times = np.arange(int(0.4 * fps)) / fps
    bump = np.where(
        abs(times - 0.2) < 0.0325, 0.5 + 0.5 * np.cos(2 * np.pi * (times - 0.2) / 0.065), 0
    )
    made = run(bump[:, None], times)[:, 0]
    assert made.max() > 0.955
    assert abs(times[made.argmax()] - 0.2) <= 1 / fps


@pytest.mark.parametrize(("fps", "share"), [(100, 0.85), (200, 0.58), (25, 1.01)])
def test_noise_shrinks_where_frames_are_close(fps: int, share: float) -> None:
    noise = np.random.default_rng(0).normal(0, 1, (300, 40))
    made = run(noise, np.arange(300) / fps, rest=-1)
    assert made[20:-20].std() < share


def test_what_is_still_stays_exactly_still() -> None:
    fields = np.zeros((30, 4), np.float32)
    fields[:, 0] = np.random.default_rng(1).normal(0, 1, 30)
    made = run(fields, np.arange(30) / 100)
    assert not made[:, 1:].any() and made[:, 0].any()
    assert np.array_equal(made[0], fields[0])


@given(
    st.lists(st.floats(0.001, 0.08), min_size=1, max_size=25), st.floats(-3, 3), st.floats(-9, 9)
)
def test_a_steady_drift_is_left_as_it_is(steps: list[float], slope: float, height: float) -> None:
    times = np.cumsum(steps)
    line = (height + slope * times)[:, None].astype(np.float32)
    assert np.allclose(run(line, times, rest=-1), line, atol=1e-4)


def test_a_frame_comes_as_soon_as_its_window_is_full() -> None:
    asked = []

    def coming():  # type: ignore[no-untyped-def]
        for index in range(50):
            asked.append(index)
            yield np.zeros(1, np.float32), index

    times = np.arange(50) / 100
    made = smoothed(coming(), times, 0)
    for index in range(20):
        next(made)
        first, weights = window(times, index)
        assert asked[-1] == first + len(weights) - 1 <= index + 3
