"""Whole bakes of characters that nobody prepared: known weights come back as keys that play."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import heads
import numpy as np
import pytest
import synthetic
from dump import animation, differences
from heads import companion
from microface.addon import api
from microface.addon.bake.shape_keys import unbake_shape_keys
from rigs import in_armature, masked

COUNT, APEX, START = 24, 9, 11


def under_modifiers(mask: Any) -> None:
    """A turned head bone, a level of subdivision, and a mask that takes the chin's rim away."""
    in_armature(mask, (0.1, 0.4, 0.2))
    mask.modifiers.new("Subdivision", "SUBSURF").levels = 1
    masked(mask)


def in_parts(mask: Any) -> None:
    """A brow of its own that has one key of the face's, and one that the face has not."""
    companion("Brow", (0.035, -0.075, 0.045), ("browDownLeft", "browCurl"))


def odd_keys(mask: Any) -> None:
    """Keys with other ranges, one muted, a side without its mirror, names that say nothing."""
    keys = mask.data.shape_keys.key_blocks
    keys["mouthSmileLeft"].slider_min, keys["mouthSmileLeft"].slider_max = -1.0, 2.0
    keys["browDownLeft"].slider_max = 0.25
    keys["cheekPuff"].mute = True
    mask.shape_key_remove(keys["browDownRight"])
    for number, key in enumerate(keys[1:]):
        key.name = f"鍵 {number}"


#: Where a brow lies over the face and moves against it, the motion of neither is clear.
@pytest.mark.parametrize(
    ("case", "error"),
    [(under_modifiers, 0.03), (in_parts, 0.06), (odd_keys, 0.03)],
    ids=["under modifiers", "in parts", "odd keys"],
)
def test_known_weights_come_back(mask: Any, case: Callable[[Any], None], error: float) -> None:
    keys = mask.data.shape_keys.key_blocks
    smile, brow = keys["mouthSmileLeft"], keys["browDownLeft"]
    case(mask)
    bpy.context.view_layer.update()
    wanted = {str(smile.name): 0.35, str(brow.name): 0.2}
    before = animation()
    names = [channel.name for channel in api.face_channels(mask)]
    weights = np.zeros((COUNT, len(names)))
    for name, peak in wanted.items():
        weights[:, names.index(name)] = peak * synthetic.bump(COUNT, APEX, 5)
    _, generated = synthetic.generate(mask, weights, samples=0)
    bake = api.bake_shape_keys(mask, generated, START, solver=synthetic.engine_solver)
    assert bake.weights == pytest.approx(weights, abs=error)
    assert set(bake.active()) == set(wanted), "silent keys stay at zero"
    frame = START + APEX / float(synthetic.FPS) * 24
    bpy.context.scene.frame_set(int(frame), subframe=frame % 1)
    for key in (smile, brow):
        assert key.value == pytest.approx(wanted[key.name], abs=error)
    for obj in bpy.data.objects:
        if obj.type == "MESH" and obj != mask:
            assert obj.data.shape_keys.key_blocks["browDownLeft"].value == brow.value
    unbake_shape_keys(mask)
    bpy.context.scene.frame_set(1)
    assert differences(before, animation()) == []


@pytest.mark.slow
def test_known_weights_of_a_scanned_head_come_back(shared: Path) -> None:
    """53 keys that overlap, on 23,000 vertices: the left lip corner and both brows."""
    head = heads.ict_head(shared / "heads")
    bpy.context.view_layer.update()
    names = [channel.name for channel in api.face_channels(head)]
    weights = np.zeros((COUNT, len(names)))
    for name, peak in {"mouthSmileLeft": 0.3, "browDownLeft": 0.2, "browDownRight": 0.2}.items():
        weights[:, names.index(name)] = peak * synthetic.bump(COUNT, APEX, 5)
    started = time.process_time()
    _, generated = synthetic.generate(head, weights, resolution=256, samples=0)
    bake = api.bake_shape_keys(head, generated, START, solver=synthetic.engine_solver)
    print(f"{time.process_time() - started:.1f} s of processor time")
    moving = (weights > 0).any(axis=0)
    error = np.sqrt(((bake.weights - weights)[:, moving] ** 2).mean())
    silent = np.abs(bake.weights[:, ~moving]).sum() / np.abs(bake.weights[:, moving]).sum()
    print(f"RMSE of moving keys {error:.4f}, silent keys {100 * silent:.1f} % of the moving")
    assert error < 0.02
    assert silent < 0.05
    assert abs(bake.apex - APEX) <= 1
