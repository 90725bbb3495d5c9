"""Frames between frames, and mixtures of frames."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from microface.server.engine.fields import Fields, Track, cubic_weights, mixed


def frame(seed: int, amount: float = 1.0) -> Fields:
    rng = np.random.default_rng(seed)

    def some(*shape: int) -> np.ndarray:
        return (amount * rng.uniform(size=shape)).astype(np.float32)

    return Fields(some(64, 64, 2), some(64, 64), some(64, 64, 3), some(64, 64), some(16, 16), 0.5)


def same(one: Fields, other: Fields) -> bool:
    return all(
        np.array_equal(getattr(one, field.name), getattr(other, field.name))
        for field in fields(Fields)
    )


def test_all_of_one_is_that_one() -> None:
    one, other = frame(1), frame(2)
    assert mixed([(1.0, one), (0.0, other)]) is one
    assert mixed([(0.0, one), (1.0, other)]) is other


def test_a_mixture_moves_and_colours_by_its_shares() -> None:
    one, other = frame(1), frame(2)
    half = mixed([(0.25, one), (0.75, other)])
    np.testing.assert_allclose(half.flow, 0.25 * one.flow + 0.75 * other.flow, atol=1e-6)
    painted = [f.residual * f.mask[..., None] for f in (half, one, other)]
    np.testing.assert_allclose(painted[0], 0.25 * painted[1] + 0.75 * painted[2], atol=1e-5)
    right = np.zeros((64, 64), np.float32)
    right[:, 32:] = 1
    split = mixed([(1 - right, one), (right, other)])
    np.testing.assert_allclose(split.flow[:, :32], one.flow[:, :32])
    np.testing.assert_allclose(split.flow[:, 32:], other.flow[:, 32:])
    np.testing.assert_allclose(split.doubt[:, :8], one.doubt[:, :8], atol=1e-6)


def test_a_track_gives_its_frames_back_and_goes_smoothly_between() -> None:
    times = np.arange(6) / 50
    heights = np.sin(times * 20).astype(np.float32)
    track = Track(times)
    for height in heights:
        track.add(Fields(*(height * getattr(frame(3), f.name) for f in fields(Fields))))
    for index, seconds in enumerate(times):
        assert same(track.at(float(seconds)), track[index])
    assert same(track.at(-1), track[0]) and same(track.at(9), track[5])
    between = track.at(0.07).flow
    assert between == pytest.approx(np.sin(1.4) * frame(3).flow, abs=0.01)
    steps = [track.at(s).flow[0, 0, 0] - track.at(s - 0.004).flow[0, 0, 0] for s in (0.06, 0.064)]
    assert steps[0] == pytest.approx(steps[1], rel=0.3)


@pytest.mark.parametrize(("before", "count"), [(0, 2), (0, 9), (4, 9), (7, 9)])
def test_weights_in_time_add_up(before: int, count: int) -> None:
    for share in (0.0, 0.3, 0.9):
        weights = cubic_weights(share, before, count)
        assert sum(weights.values()) == pytest.approx(1)
        assert all(0 <= index < count for index in weights)
