"""Known weights, projected to motion, come back as keys at true times."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
import synthetic
from dump import differences, dump
from microface.addon.bake.curves import curves_of
from microface.addon.bake.problem import Solved, solve_input
from microface.addon.bake.shape_keys import key_weights, unbake_shape_keys
from microface.addon.bake.time import TimeBase
from microface.addon.bake.weights_csv import read_weights
from microface.addon.character.channels import Channel, face_channels
from microface.addon.character.view import project_keys

COUNT, APEX = 30, 11


@pytest.fixture
def truth(mask: Any) -> np.ndarray:
    """Weights (T,S): the left mouth corner and both brows move, three keys are silent."""
    names = [key.name for key in mask.data.shape_keys.key_blocks[1:]]
    weights = np.zeros((COUNT, len(names)))
    weights[:, names.index("mouthSmileLeft")] = 0.3 * synthetic.bump(COUNT, APEX, 6)
    weights[:, names.index("browDownLeft")] = 0.2 * synthetic.bump(COUNT, APEX, 5)
    weights[:, names.index("browDownRight")] = 0.1 * synthetic.bump(COUNT, APEX, 5)
    return weights


def solved(mask: Any, truth: np.ndarray) -> tuple[tuple[Channel, ...], np.ndarray, Solved]:
    view, generated = synthetic.generate(mask, truth, resolution=192, samples=0)
    problem = solve_input(project_keys(view), view.face.keys, generated.motion, generated.times)
    return view.face.channels, generated.times, synthetic.least_squares(problem)


def test_known_weights_come_back_through_the_projected_motion(mask: Any, truth: Any) -> None:
    view, generated = synthetic.generate(mask, truth, resolution=192, samples=0)
    problem = solve_input(project_keys(view), view.face.keys, generated.motion, generated.times)
    result = synthetic.engine_solver(problem)
    assert (result.weights[:, (truth == 0).all(axis=0)] == 0).all(), "silent keys: exact zeros"
    assert np.sqrt(((result.weights - truth) ** 2).mean()) < 0.01
    assert np.abs(result.weights - truth).max() < 0.03
    assert result.residual_pixels.max() < 0.1


def test_keys_lie_at_true_times_between_frames(mask: Any, truth: Any) -> None:
    channels, times, result = solved(mask, truth)
    base = TimeBase(Fraction(24000, 1001), 10)
    bake = key_weights(mask, "smile", channels, times, result, base)
    assert (bake.apex, bake.action_name) == (APEX, "Microface smile")
    block = mask.data.shape_keys
    action = block.animation_data.action
    assert action.name == bake.action_name
    curves = {curve.data_path: curve for curve in curves_of(action)}
    keys = curves['key_blocks["mouthSmileLeft"].value'].keyframe_points
    frames = np.array([key.co[0] for key in keys])
    expected = 10 + np.arange(COUNT) / 200 * 24000 / 1001
    nearest = np.abs(frames[:, None] - expected).min(axis=1)
    assert nearest.max() < 1e-4
    assert np.abs(frames - expected[APEX]).min() < 1e-4, "the apex has its key"
    assert len(frames) < COUNT
    assert bake.key_count == sum(len(curve.keyframe_points) for curve in curves.values())
    # Evaluated by Blender itself, between its frames.
    for index in range(COUNT):
        frame = float(expected[index])
        bpy.context.scene.frame_set(int(frame), subframe=frame % 1)
        for column, name in enumerate(bake.names):
            value = block.key_blocks[name].value
            assert value == pytest.approx(bake.weights[index, column], abs=0.0025)


def test_silent_keys_are_exactly_zero(mask: Any, truth: Any) -> None:
    channels, times, result = solved(mask, truth)
    key_weights(mask, "smile", channels, times, result, TimeBase(Fraction(24)))
    curves = {c.data_path: c for c in curves_of(mask.data.shape_keys.animation_data.action)}
    assert len(curves) == len(channels), "every key is keyed, or one clip leaks into the next"
    for name in ("mouthSmileRight", "jawOpen", "cheekPuff"):
        points = curves[f'key_blocks["{name}"].value'].keyframe_points
        assert [point.co[1] for point in points] == [0.0]


def test_whole_frames(mask: Any, truth: Any) -> None:
    channels, times, result = solved(mask, truth)
    base = TimeBase(Fraction(24), 5)
    key_weights(mask, "smile", channels, times, result, base, whole_frames=True)
    curves = {c.data_path: c for c in curves_of(mask.data.shape_keys.animation_data.action)}
    points = curves['key_blocks["mouthSmileLeft"].value'].keyframe_points
    assert [point.co[0] for point in points] == [5, 6, 7, 8, 9]


def test_slider_ranges_are_respected(mask: Any, truth: Any) -> None:
    mask.data.shape_keys.key_blocks["mouthSmileLeft"].slider_max = 0.15
    channels = face_channels(mask)
    names = [channel.name for channel in channels]
    times = np.arange(COUNT) / 200
    bake = key_weights(
        mask, "smile", channels, times, Solved(truth, np.zeros(COUNT)), TimeBase(Fraction(24))
    )
    assert bake.weights[:, names.index("mouthSmileLeft")].max() == pytest.approx(0.15)


def test_the_action_before_is_kept_and_comes_back(mask: Any, truth: Any) -> None:
    block = mask.data.shape_keys
    smile = block.key_blocks["mouthSmileLeft"]
    for frame, value in ((1, 0.0), (20, 0.9)):
        smile.value = value
        smile.keyframe_insert("value", frame=frame)
    before = block.animation_data.action
    keyed = [tuple(point.co) for curve in curves_of(before) for point in curve.keyframe_points]
    slot = getattr(block.animation_data, "action_slot", None)
    channels, times, result = solved(mask, truth)
    base = TimeBase(Fraction(24))
    key_weights(mask, "smile", channels, times, result, base, layer="action")
    assert block.animation_data.action != before
    assert before.use_fake_user
    assert unbake_shape_keys(mask)
    assert block.animation_data.action == before
    assert getattr(block.animation_data, "action_slot", None) == slot
    after = [tuple(point.co) for curve in curves_of(before) for point in curve.keyframe_points]
    assert after == keyed
    assert "Microface smile" not in bpy.data.actions
    assert not unbake_shape_keys(mask)


@pytest.mark.parametrize("animated", [False, True])
def test_removing_a_bake_leaves_no_trace(mask: Any, truth: Any, animated: bool) -> None:
    key = mask.data.shape_keys.key_blocks["jawOpen"]
    key.value = 0.4
    if animated:
        key.keyframe_insert("value", frame=1)
    bpy.context.view_layer.update()
    before = dump()
    channels, times, result = solved(mask, truth)
    key_weights(mask, "smile", channels, times, result, TimeBase(Fraction(24)))
    bpy.context.scene.frame_set(3)
    bpy.context.scene.frame_set(1)
    assert differences(before, dump()) != []
    assert unbake_shape_keys(mask)
    assert differences(before, dump()) == []


@pytest.mark.skipif(bpy.app.version < (4, 4, 0), reason="slots came with 4.4")
def test_the_action_has_a_slot_of_its_own(mask: Any, truth: Any) -> None:
    channels, times, result = solved(mask, truth)
    key_weights(mask, "smile", channels, times, result, TimeBase(Fraction(24)))
    animation = mask.data.shape_keys.animation_data
    assert animation.action_slot is not None
    assert animation.action_slot.target_id_type == "KEY"
    assert [slot.handle for slot in animation.action.slots] == [animation.action_slot.handle]


def test_weights_table(mask: Any, truth: Any, tmp_path: Path) -> None:
    channels, times, result = solved(mask, truth)
    bake = key_weights(mask, "smile", channels, times, result, TimeBase(Fraction(24)))
    bake.write_csv(tmp_path / "out.csv")
    read_names, read_times, weights = read_weights(tmp_path / "out.csv")
    assert read_names == bake.names
    assert len(read_times) == COUNT, "a row per source frame"
    assert read_times == pytest.approx(times, abs=1e-6)
    assert weights == pytest.approx(bake.weights, abs=1e-6)
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines[0].split(",") == ["time", *bake.names]
    assert lines[5].split(",")[1 + bake.names.index("jawOpen")] == "0"
