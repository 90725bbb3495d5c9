"""The list of bakes in the window: sliders are thin over the API."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import bpy
import numpy as np
import pytest
from dump import animation, differences
from layering import at, bake, play
from microface import register, unregister
from microface.addon import api
from microface.addon.interface.bake_list import choose_bake, chosen_bake
from microface.addon.interface.chosen import playing_bake, texture_start
from microface.addon.interface.desk import desk
from microface.errors import InputError

PEAKS = {"mouthSmileLeft": 0.4, "mouthSmileRight": 0.3}


@pytest.fixture
def enabled(mask: Any) -> Iterator[Any]:
    register()
    bpy.context.scene.microface.character = mask
    yield mask
    unregister()


def test_sliders_show_and_edit_the_bake(enabled: Any) -> None:
    name = bake(enabled, PEAKS).action_name
    (info,) = api.list_bakes(enabled)
    sliders = bpy.data.actions[name].microface_sliders
    assert (sliders.strength, sliders.balance, sliders.hold, sliders.shown) == (1, 0, 0, True)
    assert sliders.duration == pytest.approx(info.duration)
    before = animation()
    sliders.strength, sliders.balance = 0.5, 0.25
    sliders.duration, sliders.start_frame, sliders.hold = 0.6, 30, 2
    (info,) = api.list_bakes(enabled)
    assert (info.strength, info.balance, info.hold, info.start_frame) == (0.5, 0.25, 2, 30)
    assert info.duration == pytest.approx(0.6)
    by_sliders = animation()
    api.edit_bake(enabled, name, strength=1, balance=0, duration=info.clip_duration)
    api.edit_bake(enabled, name, start_frame=10, hold=0)
    assert differences(before, animation()) == []
    api.edit_bake(enabled, name, strength=0.5, balance=0.25, duration=info.duration)
    api.edit_bake(enabled, name, start_frame=30, hold=2)
    assert differences(by_sliders, animation()) == [], "the API gives the same bits"
    sliders.shown = False
    assert api.list_bakes(enabled)[0].muted


def test_the_duration_is_given_back_by_its_slider(enabled: Any) -> None:
    """A slider has fewer digits than the clip's duration."""
    name = bake(enabled, PEAKS).action_name
    sliders = bpy.data.actions[name].microface_sliders
    shown = sliders.duration
    before = animation()
    sliders.duration = 2 * shown
    sliders.duration = shown
    assert differences(before, animation()) == []


def test_what_a_slider_cannot_do_is_said_in_the_panel(enabled: Any) -> None:
    name = bake(enabled, PEAKS).action_name
    bpy.data.actions[name].microface_sliders.hold = 20
    assert "cannot be held for 20 frames" in desk().message
    assert desk().remedy
    assert api.list_bakes(enabled)[0].hold == 0
    bpy.data.actions[name].microface_sliders.strength = 4
    assert "is cut by up to" in desk().message


def test_the_chosen_bake_is_removed_with_one_undo(enabled: Any) -> None:
    before = animation()
    first, second = bake(enabled, PEAKS).action_name, bake(enabled, PEAKS, start=20).action_name
    assert chosen_bake(bpy.context).name == second
    choose_bake(bpy.context, first)
    assert chosen_bake(bpy.context).name == first
    assert bpy.ops.microface.remove_bake() == {"FINISHED"}
    assert [info.name for info in api.list_bakes(enabled)] == [second]
    assert bpy.data.actions[bpy.context.window_manager.microface_bake].name == second
    assert play(enabled, 21.4)[0] == pytest.approx(0.4 * at(11.4), abs=0.003)
    assert bpy.ops.microface.remove_bake() == {"FINISHED"}
    assert not bpy.ops.microface.remove_bake.poll()
    bpy.context.scene.frame_set(1)
    assert differences(before, animation()) == []


def test_hand_edits_are_discarded_on_purpose_alone(enabled: Any) -> None:
    name = bake(enabled, PEAKS).action_name
    info = api.list_bakes(enabled)[0]
    from microface.addon.bake.curves import curves_of

    next(curves_of(bpy.data.actions[name])).keyframe_points[1].co[1] = 0.7
    bpy.data.actions[name].microface_sliders.strength = 0.5
    assert "edited by hand" in desk().message
    assert bpy.ops.microface.discard_hand_edits() == {"FINISHED"}
    assert api.list_bakes(enabled)[0] == info


def test_textures_go_over_the_bake_as_it_was_edited(enabled: Any) -> None:
    """What textures leave to the keys is what the keys do now, when they do it."""
    settings = bpy.context.scene.microface
    made = bake(enabled, PEAKS)
    assert playing_bake(enabled) is None, "nothing was baked in the window yet"
    assert texture_start(settings, None) == 1
    desk().baked["Mask"] = made
    plain = playing_bake(enabled)
    assert plain is not None
    assert np.array_equal(plain.weights, made.weights)
    api.edit_bake(enabled, made.action_name, strength=0.5, start_frame=30)
    over = playing_bake(enabled)
    assert over is not None
    assert over.weights == pytest.approx(0.5 * made.weights)
    assert texture_start(settings, over) == 30
    api.edit_bake(enabled, made.action_name, duration=0.5)
    with pytest.raises(InputError, match="other times than its clip"):
        playing_bake(enabled)
    api.edit_bake(enabled, made.action_name, muted=True)
    assert playing_bake(enabled) is None


def test_a_long_list_is_drawn_in_time(enabled: Any) -> None:
    """What the panel asks of every bake at a redraw, for fifty of them."""
    from microface.addon.bake.kept import bakes_of

    for index in range(10):
        bake(enabled, PEAKS, start=10.0 + 5 * index)
    bakes_of(enabled)
    started = time.process_time()
    for _ in range(5):
        assert len(bakes_of(enabled)) == 10
    assert time.process_time() - started < 0.05
