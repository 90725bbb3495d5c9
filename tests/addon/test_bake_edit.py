"""Bakes are edited from what lies in the file, and come back bit for bit."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from typing import Any

import bpy
import numpy as np
import pytest
from dump import animation, differences
from layering import COUNT, TIMES, WAVE, at, bake, lip_sync, play
from microface.addon.bake.curves import curves_of
from microface.addon.bake.edit import edit_bake, list_bakes, remove_bake
from microface.addon.bake.shape_keys import unbake_shape_keys
from microface.addon.character.channels import face_channels
from microface.errors import InputError

PEAKS = {"mouthSmileLeft": 0.4, "mouthSmileRight": 0.3, "jawOpen": 0.2}


@pytest.mark.parametrize("over", [False, True])
def test_the_original_values_give_the_original_curves(mask: Any, over: bool) -> None:
    if over:
        lip_sync(mask)
    name = bake(mask, PEAKS).action_name
    bpy.context.scene.frame_set(12)
    before, info = animation(), list_bakes(mask)[0]
    changed = edit_bake(
        mask, name, strength=1.7, balance=-0.4, duration=0.8, start_frame=30, hold=2, muted=True
    )
    assert (changed.strength, changed.balance, changed.duration) == (1.7, -0.4, 0.8)
    assert (changed.start_frame, changed.hold, changed.muted) == (30, 2, True)
    edit_bake(mask, name, muted=False, apex=0.2)
    assert differences(before, animation())
    edit_bake(mask, name, apex=0.8 / TIMES[-1] * float(TIMES[info_apex(info)]))
    back = edit_bake(
        mask,
        name,
        strength=info.strength,
        balance=info.balance,
        duration=info.duration,
        start_frame=info.start_frame,
        hold=info.hold,
        apex=info.apex_seconds,
    )
    assert back == info
    assert differences(before, animation()) == []


def info_apex(info: Any) -> int:
    return int(np.abs(TIMES - info.apex_seconds).argmin())


def test_each_setting_does_what_it_says(mask: Any) -> None:
    name = bake(mask, PEAKS).action_name

    def peak(frame: float) -> list[float]:
        return play(mask, frame)

    edit_bake(mask, name, strength=2)
    assert peak(11.4)[:2] == pytest.approx([0.8 * at(11.4), 0.6 * at(11.4)], abs=0.003)
    edit_bake(mask, name, balance=1)
    assert peak(11.4)[:2] == pytest.approx([0.8 * at(11.4), 0.0], abs=0.003)
    assert peak(11.4)[4] == pytest.approx(0.4 * at(11.4), abs=0.003), "the jaw has no side"
    edit_bake(mask, name, balance=0, strength=1, start_frame=50)
    assert peak(51.4)[0] == pytest.approx(0.4 * at(11.4), abs=0.003)
    info = edit_bake(mask, name, duration=1.0)
    assert info.last_frame == pytest.approx(74)
    assert info.apex - 50 == pytest.approx(24 * info.apex_seconds)
    info = edit_bake(mask, name, hold=3)
    for frame in range(3):
        assert peak(info.apex + frame)[0] == pytest.approx(0.4 * WAVE.max(), abs=1e-6)
    edit_bake(mask, name, muted=True)
    assert peak(60) == [0] * 6
    assert bpy.data.actions[name].use_fake_user, "a muted bake is saved with the file"
    edit_bake(mask, name, muted=False)
    assert not bpy.data.actions[name].use_fake_user


def test_the_weights_in_the_file_are_read_by_the_documented_key(mask: Any) -> None:
    made = bake(mask, PEAKS)
    action = bpy.data.actions[made.action_name]
    head = json.loads(action["microface_bake"])
    flat = np.frombuffer(zlib.decompress(action["microface_samples"]), "<f8")
    times, weights = flat[: head["frames"]], flat[head["frames"] :].reshape(head["frames"], -1)
    assert np.array_equal(times, TIMES)
    assert [one["name"] for one in head["channels"]] == list(made.names)
    assert np.array_equal(weights[:, 0], 0.4 * WAVE), "exact"
    assert len(action["microface_samples"]) < 0.5 * flat.nbytes, "and compact"


def test_a_strength_beyond_the_slider_is_said(mask: Any) -> None:
    name = bake(mask, PEAKS).action_name
    (cut,) = edit_bake(mask, name, strength=4).cuts[:1]
    assert (cut.channel, cut.alone) == ("mouthSmileLeft", True)
    assert cut.amount == pytest.approx(1.6 * WAVE.max() - 1)
    assert "at this strength" in str(cut)
    assert play(mask, 11.38)[0] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"strength": 5.0}, "strength of 5"),
        ({"strength": float("nan")}, "strength of nan"),
        ({"balance": 1.1}, "balance of 1.1"),
        ({"duration": 0.0}, "cannot last 0"),
        ({"hold": 40}, "cannot be held for 40 frames"),
        ({"hold": -1}, "cannot be held for -1"),
        ({"apex": 9.0}, "would not come after"),
        ({"start_frame": float("inf")}, "start at frame inf"),
    ],
)
def test_what_cannot_be_is_refused_with_nothing_changed(
    mask: Any, change: dict[str, float], what: str
) -> None:
    name = bake(mask, PEAKS).action_name
    before = animation()
    with pytest.raises(InputError, match=what):
        edit_bake(mask, name, **change)
    assert differences(before, animation()) == []


def test_unknown_names_are_answered_with_those_there_are(mask: Any) -> None:
    with pytest.raises(InputError, match="Nothing is baked on it"):
        remove_bake(mask, "smile")
    bake(mask, PEAKS)
    with pytest.raises(InputError, match="Its bakes are: 'Microface clip'"):
        edit_bake(mask, "smile", strength=1)


def test_a_shape_key_that_is_gone_takes_nothing_else_along(mask: Any) -> None:
    name = bake(mask, PEAKS).action_name
    lip = bake(mask, {"browDownLeft": 0.2}).action_name
    mask.shape_key_remove(mask.data.shape_keys.key_blocks["jawOpen"])
    edit_bake(mask, name, strength=0.5)
    assert play(mask, 11.4)[0] == pytest.approx(0.2 * at(11.4), abs=0.003)
    edit_bake(mask, lip, muted=True)
    assert unbake_shape_keys(mask)
    assert mask.data.shape_keys.animation_data is None


def test_a_renamed_character_keeps_its_bakes(mask: Any) -> None:
    name = bake(mask, PEAKS).action_name
    mask.name, mask.data.name = "Hero", "Hero"
    edit_bake(mask, name, strength=0.5)
    bpy.data.actions[name].name = "twitch"
    assert [info.name for info in list_bakes(mask)] == ["twitch"]
    remove_bake(mask, "twitch")
    assert mask.data.shape_keys.animation_data is None


def test_whole_frames_with_a_hold_show_the_peak(mask: Any) -> None:
    made = bake(mask, PEAKS, start=10.3, whole_frames=True, layer="action")
    curve = next(one for one in curves_of(bpy.data.actions[made.action_name]))
    frames = [point.co[0] for point in curve.keyframe_points]
    assert frames == [round(frame) for frame in frames]
    edit_bake(mask, made.action_name, hold=1)
    assert max(play(mask, frame)[0] for frame in range(10, 15)) == pytest.approx(0.4 * WAVE.max())


def test_time_remapping_of_the_scene(mask: Any) -> None:
    """With Old 100 and New 200 Blender reads curves at half the frame."""
    from microface.addon.bake.problem import Solved
    from microface.addon.bake.shape_keys import key_weights
    from microface.addon.bake.time import scene_time

    scene = bpy.context.scene
    scene.render.fps, scene.render.frame_map_old, scene.render.frame_map_new = 24, 100, 200
    channels = face_channels(mask)
    weights = np.zeros((COUNT, len(channels)))
    weights[:, 0] = 0.4 * WAVE
    base = scene_time(scene, 40)
    solved = Solved(weights, np.zeros(COUNT))
    made = key_weights(mask, "clip", channels, TIMES, solved, base)
    for frame in (39.0, 40.5, 41.4, 42.0, 50.0):
        assert play(mask, frame)[0] == pytest.approx(0.4 * at(frame, 40.0), abs=0.0025)
    info = edit_bake(mask, made.action_name, start_frame=60)
    assert play(mask, 61.4)[0] == pytest.approx(0.4 * at(61.4, 60.0), abs=0.0025)
    assert replace(info, start_frame=0).onset == pytest.approx(60, abs=0.4)
