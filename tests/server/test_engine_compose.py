"""Clips at other times, and two clips in one, with carriers that need no pictures."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from microface.errors import InputError
from microface.server.engine.compose import Composition, Mixture
from microface.server.engine.fields import Fields
from microface.server.engine.timing import find_phases
from microface.server.protocol.timing import Retiming, parse_timing


class Carried:
    """A clip whose whole face moves by as many pixels as `heights` says."""

    def __init__(self, heights: list[float], fps: int = 100, mask: float = 0.5) -> None:
        self.heights, self.fps, self._mask = heights, Fraction(fps), mask
        self.times = np.arange(len(heights)) / fps
        self.profile = np.array(heights)
        self.phases = find_phases(self.profile, self.times)
        self.clip = self
        self.name = "made"

    def __len__(self) -> int:
        return len(self.heights)

    def stop_if_cancelled(self) -> None:
        pass

    def __iter__(self) -> Iterator[Fields]:
        for height in self.heights:
            full = np.full((256, 256), height, np.float32)
            yield Fields(
                np.stack([full, -full], -1),
                np.clip(full, 0, 1),
                np.stack([full] * 3, -1),
                np.full((256, 256), self._mask, np.float32),
                np.full((64, 64), 0.1 * height, np.float32),
                0.9,
            )


EARLY = Carried([0, 0, 0.5, 1.5, 2, 1.5, 0.5, 0, 0, 0])
LATE = Carried([0, 0, 0, 0, 0, 1, 3, 4, 3, 1, 0, 0], 50, 0.2)


def made(timing: str = "", *carriers: Carried, **mixture: Any) -> tuple[Composition, list[Fields]]:
    clips: Any = carriers or (EARLY,)
    work = Composition(clips, parse_timing(timing), Mixture(**mixture))
    steps = list(work)
    assert steps[: work.ahead] == [None] * work.ahead
    return work, [step for step in steps[work.ahead :] if step is not None]


def heights(frames: list[Fields]) -> list[float]:
    return [float(one.flow[128, 128, 0]) for one in frames]


@pytest.mark.parametrize("timing", ["", "duration=0.09", "factor=1", "0.04=0.04"])
def test_times_as_they_are_change_no_bit(timing: str) -> None:
    work, frames = made(timing)
    assert work.times is EARLY.times and np.array_equal(work.profile, EARLY.profile)
    for ours, own in zip(frames, EARLY, strict=True):
        for name in ("flow", "edges", "residual", "mask", "doubt"):
            assert np.array_equal(getattr(ours, name), getattr(own, name))


def test_moments_come_when_asked() -> None:
    work, frames = made("onset=0.04, apex=0.1, offset=0.2, fps=200")
    assert work.fps == 200 and len(work) == len(frames) == len(work.times)
    peak = int(np.argmax(heights(frames)))
    assert work.times[peak] == pytest.approx(0.1, abs=0.006)
    assert int(np.argmax(work.profile)) == pytest.approx(peak, abs=1)
    assert max(heights(frames)) == pytest.approx(2, rel=0.02)


@pytest.mark.parametrize("by_moments", [True, False])
@pytest.mark.parametrize(("share", "alone"), [(0.0, EARLY), (1.0, LATE)])
def test_all_of_one_clip_is_that_clip(share: float, alone: Carried, by_moments: bool) -> None:
    work, frames = made("", EARLY, LATE, share=share, in_time=share, by_moments=by_moments)
    assert work.times is alone.times and work.fps == alone.fps
    assert np.array_equal(work.profile, alone.profile)
    for ours, own in zip(frames, alone, strict=True):
        for name in ("flow", "edges", "residual", "mask", "doubt"):
            assert np.array_equal(getattr(ours, name), getattr(own, name))


def test_moments_meet_half_way() -> None:
    work, frames = made("", EARLY, LATE, share=0.5, in_time=0.5)
    assert work.times[-1] == pytest.approx((0.09 + 0.22) / 2, abs=0.011)
    peak = int(np.argmax(heights(frames)))
    assert work.times[peak] == pytest.approx((0.04 + 0.14) / 2, abs=0.006)
    assert max(heights(frames)) == pytest.approx(3, rel=0.03)
    light = frames[peak].residual[0, 0, 0] * frames[peak].mask[0, 0]
    assert light == pytest.approx((0.5 * 2 + 0.2 * 4) / 2, rel=0.05)


def test_starts_meet_and_the_shorter_clip_stays() -> None:
    work, frames = made("", LATE, EARLY, share=0.5, in_time=0.0, by_moments=False)
    found = heights(frames)
    assert work.times is LATE.times
    assert found[2] == pytest.approx((0 + 2) / 2) and found[7] == pytest.approx((4 + 0) / 2)


def test_a_part_of_the_face_is_of_the_other_clip() -> None:
    right = np.zeros((256, 256), np.float32)
    right[:, 128:] = 1
    _, frames = made("", EARLY, LATE, share=right)
    assert max(float(one.flow[0, 0, 0]) for one in frames) == pytest.approx(2)
    assert max(float(one.flow[0, 255, 0]) for one in frames) == pytest.approx(4, rel=0.02)
    assert len(frames) == len(EARLY)


def test_clips_without_motion_have_no_apex() -> None:
    still = Carried([0.0] * 6)
    with pytest.raises(InputError, match="Nothing moves"):
        made("apex=0.02", still)
    with pytest.raises(InputError, match="Nothing moves"):
        made("", EARLY, still, share=0.5, in_time=0.5)
    _, frames = made("duration=0.1", still)
    assert len(frames) == 11
    assert len(made("", EARLY, still, share=0.5, in_time=0.5, by_moments=False)[1]) == 8


def test_nothing_is_asked_by_default() -> None:
    assert Retiming() == parse_timing("")
