"""The time base: exact ratios, sub-frames, thinning."""

from __future__ import annotations

from fractions import Fraction

import bpy
import numpy as np
import pytest
from microface.addon.bake.time import (
    TimeBase,
    onset_apex_offset,
    parse_fps,
    scene_fps,
    scene_time,
    thin,
)
from microface.errors import InputError


@pytest.mark.parametrize(
    ("fps", "base", "ratio"),
    [
        (24, 1.001, Fraction(24000, 1001)),
        (30, 1.001, Fraction(30000, 1001)),
        (60, 1.001, Fraction(60000, 1001)),
        (24, 24 / 23.976, Fraction(24000, 1001)),
        (30, 30 / 29.97, Fraction(30000, 1001)),
        (15, 0.5, Fraction(30)),
        (24, 24 / 23.5, Fraction(47, 2)),
        (25, 1.0, Fraction(25)),
        (24, 1.0, Fraction(24)),
    ],
)
def test_scene_rate_is_an_exact_ratio(fps: int, base: float, ratio: Fraction) -> None:
    scene = bpy.context.scene
    scene.render.fps, scene.render.fps_base = fps, base
    assert scene_fps(scene) == ratio


def test_time_remapping_moves_curves_and_not_frames() -> None:
    scene = bpy.context.scene
    scene.render.frame_map_old, scene.render.frame_map_new = 100, 250
    base = scene_time(scene, 41)
    assert base.stretch == Fraction(2, 5)
    assert base.frames(np.array([0.0])) == [41]
    scene.frame_set(41)
    assert base.curve_frames(np.array([41.0])) == pytest.approx(scene.frame_current_final)


def test_seconds_become_sub_frames_and_back() -> None:
    base = TimeBase(Fraction(24000, 1001), 101)
    times = np.arange(0, 40) / 200
    frames = base.frames(times)
    assert frames[0] == 101
    assert frames[1] == pytest.approx(101 + 24000 / 1001 / 200)
    assert base.seconds(frames) == pytest.approx(times)


@pytest.mark.parametrize(("text", "fps"), [("200", 200), ("24000/1001", Fraction(24000, 1001))])
def test_rates_are_read(text: str, fps: Fraction) -> None:
    assert parse_fps(text) == fps


@pytest.mark.parametrize("text", ["", "fast", "0", "-5", "1/0", "nan"])
def test_senseless_rates_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_fps(text)


def test_thinning_keeps_the_tolerance_and_the_kept() -> None:
    times = np.linspace(0, 8, 80)
    values = 0.3 * np.exp(-((times - 3.3) ** 2))
    chosen = thin(times, values, keep=(33, 50))
    assert {0, 33, 50, 79} <= set(chosen.tolist())
    assert len(chosen) < 40
    assert np.abs(np.interp(times, times[chosen], values[chosen]) - values).max() <= 0.002


def test_a_flat_curve_needs_two_keys() -> None:
    assert thin(np.arange(50.0), np.zeros(50)).tolist() == [0, 49]


def test_onset_apex_offset() -> None:
    curve = np.zeros((60, 3))
    curve[:, 1] = np.interp(np.arange(60), [10, 25, 45], [0, 0.4, 0], left=0, right=0)
    onset, apex, offset = onset_apex_offset(curve)
    assert apex == 25
    assert 10 <= onset <= 11
    assert 44 <= offset <= 45
