"""Bakes over what plays: it goes on playing to the bit, and comes back without a trace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import layering
import numpy as np
import pytest
from dump import animation, differences
from hypothesis import example, given, settings
from hypothesis import strategies as st
from layering import STATES, TIMES, at, bake, driven, layered, lip_sync, play, posed, spoken
from microface.addon.bake.curves import curves_of
from microface.addon.bake.edit import edit_bake, list_bakes, remove_bake
from microface.addon.bake.shape_keys import unbake_shape_keys
from microface.addon.character.channels import Channel, Target, face_channels
from microface.errors import InputError


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("layer", ["auto", "action", "nla"])
def test_a_bake_that_is_removed_leaves_no_bit(
    mask: Any, state: Callable[[Any], None], layer: str
) -> None:
    layering.leaves_no_bit(mask, state, layer)


@pytest.mark.parametrize("state", [posed, spoken, layered, driven])
def test_what_played_goes_on_and_the_bake_adds_to_it(
    mask: Any, state: Callable[[Any], None]
) -> None:
    layering.adds_to_what_plays(mask, state)


def test_auto_lays_over_what_plays_and_else_takes_an_action(mask: Any) -> None:
    first = bake(mask, {"mouthSmileLeft": 0.4})
    assert (first.layer, bake(mask, {"browDownLeft": 0.4}).layer) == ("action", "nla")
    data = mask.data.shape_keys.animation_data
    assert data.action.name == first.action_name
    assert [strip.blend_type for track in data.nla_tracks for strip in track.strips] == ["ADD"]


def test_your_action_stays_the_active_one(mask: Any) -> None:
    action = lip_sync(mask)
    bake(mask, {"mouthSmileLeft": 0.4})
    data = mask.data.shape_keys.animation_data
    assert data.action == action
    assert not action.use_fake_user


def test_bakes_that_overlap_add_up_and_are_cut_at_the_sliders_end(mask: Any) -> None:
    bake(mask, {"mouthSmileLeft": 0.8, "browDownLeft": 0.3})
    second = bake(mask, {"mouthSmileLeft": 0.8, "browDownLeft": 0.3}, start=11.0)
    (cut,) = second.cuts
    assert cut.channel == "mouthSmileLeft"
    assert cut.amount > 0.1
    for frame in np.arange(9.5, 15, 0.13):
        smile = play(mask, float(frame))[0]
        asked = 0.8 * at(frame) + 0.8 * at(frame, 11.0)
        assert smile == pytest.approx(min(asked, 1.0), abs=0.005)
        if asked > 1.003:
            assert cut.first_frame - 0.1 < frame < cut.last_frame + 0.1


def test_strips_that_do_not_overlap_share_a_track(mask: Any) -> None:
    lip_sync(mask)
    for start in (10.0, 20.0, 21.0, 50.0):
        bake(mask, {"mouthSmileLeft": 0.2}, start=start)
    tracks = mask.data.shape_keys.animation_data.nla_tracks
    assert [len(track.strips) for track in tracks] == [3, 1]


def test_a_strip_moved_in_the_nla_editor_counts_as_an_edit(mask: Any) -> None:
    lip_sync(mask)
    name = bake(mask, {"browDownLeft": 0.2}).action_name
    (strip,) = mask.data.shape_keys.animation_data.nla_tracks[-1].strips
    strip.frame_start_raw += 5
    strip.frame_end_raw += 5
    assert list_bakes(mask)[0].start_frame == pytest.approx(15)
    edit_bake(mask, name, strength=2)
    assert list_bakes(mask)[0].start_frame == pytest.approx(15)
    assert play(mask, 16.5)[2] == pytest.approx(0.4 * at(11.5), abs=0.003)


def test_handwork_is_not_overwritten_unasked(mask: Any) -> None:
    name = bake(mask, {"browDownLeft": 0.2}).action_name
    action = bpy.data.actions[name]
    curve = next(c for c in curves_of(action) if "browDownLeft" in c.data_path)
    curve.keyframe_points[1].co[1] = 0.9
    assert list_bakes(mask)[0].edited_by_hand
    kept = animation()
    with pytest.raises(InputError, match="edited by hand"):
        edit_bake(mask, name, strength=0.5)
    assert differences(kept, animation()) == []
    assert not edit_bake(mask, name, strength=0.5, discard_hand_edits=True).edited_by_hand


@pytest.mark.parametrize("trouble", ["tweak", "solo", "off", "influence"])
def test_what_cannot_be_layered_is_refused_with_nothing_changed(mask: Any, trouble: str) -> None:
    layered(mask)
    data = mask.data.shape_keys.animation_data
    if trouble == "tweak":
        data.nla_tracks[0].strips[0].select = True
        data.nla_tracks.active = data.nla_tracks[0]
        data.use_tweak_mode = True
        if not data.use_tweak_mode:
            pytest.skip("this Blender has no tweak mode without a window")
    elif trouble == "solo":
        data.nla_tracks[0].is_solo = True
    elif trouble == "off":
        data.use_nla = False
    else:
        data.action_influence = 0.5
    before = animation()
    with pytest.raises(InputError):
        bake(mask, {"mouthSmileLeft": 0.4})
    assert differences(before, animation()) == []


def test_saved_and_loaded_bakes_are_removed_without_a_trace(mask: Any, tmp_path: Path) -> None:
    lip_sync(mask)
    posed_path, path = tmp_path / "before.blend", tmp_path / "after.blend"
    bpy.context.scene.frame_set(9)
    bpy.ops.wm.save_as_mainfile(filepath=str(posed_path), copy=True)
    names = [
        bake(mask, {"mouthSmileLeft": 0.4}, layer="action").action_name,
        bake(mask, {"mouthSmileLeft": 0.3}, start=12.0).action_name,
        bake(mask, {"browDownLeft": 0.3}, start=14.0, muted=True).action_name,
    ]
    bpy.context.scene.frame_set(12)
    bpy.context.scene.frame_set(9)
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    baked = animation()
    bpy.ops.wm.open_mainfile(filepath=str(posed_path))
    bpy.context.scene.frame_set(9)
    before = animation()
    bpy.ops.wm.open_mainfile(filepath=str(path))
    bpy.context.scene.frame_set(9)
    obj = bpy.data.objects["Mask"]
    assert differences(baked, animation()) == []
    assert [one.name for one in list_bakes(obj)] == names
    for name in (names[1], names[2], names[0]):
        remove_bake(obj, name)
    assert differences(before, animation()) == []


def test_one_undo_takes_an_edit_back(mask: Any) -> None:
    lip_sync(mask)
    name = bake(mask, {"mouthSmileLeft": 0.4}).action_name
    bpy.context.scene.frame_set(12)
    bpy.ops.ed.undo_push(message="baked")
    before = animation()
    edit_bake(mask, name, strength=0.5, start_frame=20)
    bpy.ops.ed.undo_push(message="edited")
    assert differences(before, animation())
    if bpy.ops.ed.undo() != {"FINISHED"}:
        pytest.skip("this Blender has no undo without a window")
    assert differences(before, animation()) == []
    unbake_shape_keys(bpy.data.objects["Mask"])


DEEDS = st.tuples(
    st.sampled_from(layering.DEEDS), st.integers(0, 3), st.sampled_from([0.5, 1.0, 2.0])
)


@settings(max_examples=25, deadline=None)
@given(
    state=st.sampled_from(STATES),
    todo=st.lists(DEEDS, min_size=3, max_size=9),
    order=st.permutations(range(9)),
)
@example(
    state=STATES[0],
    todo=[("bake", 0, 0.5), ("hold", 3, 0.5), ("start", 0, 0.5)],
    order=list(range(9)),
)
def test_any_order_of_work_ends_where_it_began(
    state: Callable[[Any], None], todo: list[Any], order: list[int]
) -> None:
    layering.ends_where_it_began(state, todo, order)


def test_controls_of_a_rig_with_its_own_animation(mask: Any) -> None:
    """A body's action with quaternions and scales goes on to the bit while its controls bake."""
    armature = bpy.data.armatures.new("Rig")
    rig = bpy.data.objects.new("Rig", armature)
    bpy.context.scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    armature.edit_bones.new("mouth").tail = (0, 0, 1)
    bpy.ops.object.mode_set(mode="OBJECT")
    bone = rig.pose.bones["mouth"]
    bone["smile"] = 0.25
    for frame, angle in ((1, 0.9), (30, 0.2)):
        bone.rotation_quaternion = (angle, 0.3, -0.1, 0.25)
        bone.scale = (1.1, angle, 1.0)
        bone.location = (0.0, angle / 10, 0.003)
        for path in ("rotation_quaternion", "scale", "location"):
            bone.keyframe_insert(path, frame=frame)

    def pose(frame: float) -> list[float]:
        bpy.context.scene.frame_set(int(np.floor(frame)), subframe=frame % 1)
        return [*bone.rotation_quaternion, *bone.scale, *bone.location, bone["smile"]]

    frames = [0.0, 1.0, 3.37, 9.0, 12.31, 13.0, 20.0, 41.9, 300.5]
    before = {frame: pose(frame) for frame in frames}
    state = animation()
    path = 'pose.bones["mouth"]'
    up = Target("OBJECT", "Rig", f"{path}.location", 1)
    channels = (
        Channel("mouth up", (up,), 0.0, 0.05, 0.0, "control"),
        Channel("mouth down", (up,), -0.05, 0.0, 0.0, "control"),
        Channel("smile", (Target("OBJECT", "Rig", f'{path}["smile"]'),), 0.0, 1.0, 0.0, "control"),
        face_channels(mask)[0],
    )
    peaks = {"mouth up": 0.04, "mouth down": -0.01, "smile": 0.5, "mouthSmileLeft": 0.3}
    made = bake(mask, peaks, channels=channels)
    for frame in frames:
        now = pose(frame)
        wanted = list(before[frame])
        if not 10.0 < frame < 10 + TIMES[-1] * 24:
            assert now == wanted
        wanted[8] += 0.03 * at(frame)
        wanted[10] += 0.5 * at(frame)
        assert now == pytest.approx(wanted, abs=0.0015)
    assert play(mask, 11.38)[0] == pytest.approx(0.3 * at(11.38), abs=0.003)
    bpy.context.scene.frame_set(41, subframe=0.9)
    pose(300.5)
    remove_bake(mask, made.action_name)
    pose(300.5)
    assert differences(state, animation()) == []


@pytest.mark.parametrize("layer", ["action", "nla"])
def test_a_library_override_is_baked_saved_and_freed(mask: Any, tmp_path: Path, layer: str) -> None:
    """The linked rig's own animation goes on; the bake lives in the file that links it."""
    from microface.addon.character.fixes import FIXES

    lip_sync(mask)
    library, path = tmp_path / "library.blend", tmp_path / "shot.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(library))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(str(library), link=True) as (_, wanted):
        wanted.objects = ["Mask"]
    bpy.context.scene.collection.objects.link(wanted.objects[0])
    FIXES["override"](wanted.objects[0])
    obj = next(one for one in bpy.data.objects if one.library is None)
    frames = [1.0, 5.5, 10.0, 11.4, 13.0, 30.0]
    before = {frame: play(obj, frame) for frame in frames}
    state = animation()
    name = bake(obj, {"mouthSmileLeft": 0.4, "browDownLeft": 0.2}, layer=layer).action_name
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.open_mainfile(filepath=str(path))
    obj = next(one for one in bpy.data.objects if one.library is None)
    for frame in frames:
        now = play(obj, frame)
        assert now[2] == pytest.approx(0.2 * at(frame), abs=0.003)
        if layer == "nla":
            assert now[0] == pytest.approx(before[frame][0] + 0.4 * at(frame), abs=0.003)
            assert now[4] == before[frame][4]
    edit_bake(obj, name, strength=0.5)
    assert play(obj, 11.4)[2] == pytest.approx(0.1 * at(11.4), abs=0.003)
    remove_bake(obj, name)
    assert {frame: play(obj, frame) for frame in frames} == before
    assert differences(state["actions"], animation()["actions"]) == []


@pytest.mark.parametrize("layer", ["action", "nla"])
def test_a_duplicate_of_the_character_has_its_own_bakes(mask: Any, layer: str) -> None:
    name = bake(mask, {"mouthSmileLeft": 0.4}, layer=layer).action_name
    bpy.context.view_layer.objects.active = mask
    mask.select_set(True)
    bpy.ops.object.duplicate()
    other = bpy.context.view_layer.objects.active
    other.location.x = 1.0
    bpy.context.view_layer.update()
    later = bake(other, {"browDownLeft": 0.3}, start=30.0).action_name
    edit_bake(mask, name, start_frame=12.0)
    assert play(mask, 13.4)[0] == pytest.approx(0.4 * at(11.4), abs=0.003)
    assert [info.name for info in list_bakes(mask)] == [name]
    assert play(other, 31.4)[2] == pytest.approx(0.3 * at(11.4), abs=0.003)
    assert play(mask, 31.4)[2] == 0
    remove_bake(mask, name)
    assert mask.data.shape_keys.animation_data is None
    assert play(other, 31.4)[2] == pytest.approx(0.3 * at(11.4), abs=0.003)
    assert unbake_shape_keys(other)
    assert not [track for track in _tracks(other) if len(track.strips) == 0]
    assert later not in bpy.data.actions


def _tracks(obj: Any) -> list[Any]:
    data = obj.data.shape_keys.animation_data
    return list(data.nla_tracks) if data else []


def test_a_renamed_block_keeps_its_bakes(mask: Any) -> None:
    before = animation()
    name = bake(mask, {"mouthSmileLeft": 0.4}, layer="nla").action_name
    bake(mask, {"browDownLeft": 0.4}, start=12.0)
    mask.data.shape_keys.name = mask.name = "Hero"
    edit_bake(mask, name, strength=0.5)
    assert play(mask, 11.4)[0] == pytest.approx(0.2 * at(11.4), abs=0.003)
    assert unbake_shape_keys(mask)
    mask.data.shape_keys.name, mask.name = "Key", "Mask"
    bpy.context.scene.frame_set(1)
    assert differences(before, animation()) == []
