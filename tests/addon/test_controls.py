"""Control rigs: what drives the keys is found, measured, and left exactly as it was."""

from __future__ import annotations

import time
from typing import Any

import bpy
import numpy as np
import pytest
from dump import differences, dump
from microface.addon.character.channels import Channel, Target, face_channels
from microface.addon.character.controls import read_rig
from microface.addon.character.family import family_of
from microface.addon.character.stage import stage
from microface.addon.character.view import view_face
from rigs import bones, drive, drive_key, mouth_rig


def controls(mask: Any) -> dict[str, Channel]:
    return {one.name: one for one in face_channels(mask) if one.kind == "control"}


def reasons(mask: Any) -> dict[str, str]:
    return {one.key: one.why for one in read_rig(family_of(mask)).unkeyed}


def test_a_bone_with_two_faces(mask: Any) -> None:
    rig = mouth_rig(mask)
    found = controls(mask)
    assert list(found) == ["mouth.L loc Y +", "mouth.L loc Y -"]
    up, down = found.values()
    target = Target("OBJECT", "Rig", 'pose.bones["mouth.L"].location', 1)
    assert up.targets == down.targets == (target,)
    assert (up.lower, up.upper, up.neutral) == pytest.approx((0, 0.01, 0), rel=1e-3)
    assert (down.lower, down.upper) == pytest.approx((-0.01, 0), rel=1e-3)
    assert up.unit == pytest.approx(0.01, rel=1e-3)
    names = {one.name for one in face_channels(mask)}
    assert "jawOpen" in names
    assert not names & {"mouthSmileLeft", "browDownLeft"}
    assert reasons(mask) == {}
    with stage(mask) as on:
        face = view_face(on, 128).face
    for channel, key in ((up, "mouthSmileLeft"), (down, "browDownLeft")):
        moved = face.displacement[face.keys.names.index(channel.name)]
        block = mask.data.shape_keys
        rest = np.array([point.co for point in block.reference_key.data])
        truth = np.array([point.co for point in block.key_blocks[key].data]) - rest
        sign = 100 if channel is up else -100
        assert moved == pytest.approx(sign * truth, abs=2e-3)
    assert rig.pose.bones["mouth.L"].location[1] == 0


@pytest.mark.parametrize("owner", ["object", "bone", "data", "mesh"])
def test_custom_properties(mask: Any, owner: str) -> None:
    rig = bones("Rig", {"face": (0, 0, 0.1)})
    holder = {
        "object": rig,
        "bone": rig.pose.bones["face"],
        "data": rig.data,
        "mesh": mask,
    }[owner]
    holder["smile"] = 0.0
    holder.id_properties_ui("smile").update(min=-1.0, max=2.0, default=0.0)
    block = rig if owner == "bone" else holder
    path = 'pose.bones["face"]["smile"]' if owner == "bone" else '["smile"]'
    drive_key(mask, "mouthSmileLeft", "s / 2", s=(block, path))
    bpy.context.view_layer.update()
    (channel,) = controls(mask).values()
    assert channel.targets == (Target(block.id_type, block.name, path),)
    assert (channel.lower, channel.upper, channel.neutral) == (0, 2, 0)
    with stage(mask) as on:
        face = view_face(on, 128).face
    reach = np.linalg.norm(face.displacement[face.keys.names.index(channel.name)], axis=1).max()
    assert reach == pytest.approx(0.5 * np.hypot(0.010, 0.014), rel=0.05)


def test_a_chain_of_drivers(mask: Any) -> None:
    rig = bones("Rig", {"mouth": (0, -0.1, 0)})
    rig["smile"] = 0.0
    drive(rig, '["smile"]', "x * 50", x=(rig, "mouth", "LOC_X"))
    drive_key(mask, "mouthSmileLeft", "s", s=(rig, '["smile"]'))
    drive_key(
        mask, "mouthSmileRight", "k", k=(mask.data.shape_keys, 'key_blocks["mouthSmileLeft"].value')
    )
    bpy.context.view_layer.update()
    (channel,) = controls(mask).values()
    assert channel.name == "mouth loc X"
    assert (channel.lower, channel.upper) == pytest.approx((0, 0.02), rel=1e-3)
    # The right corner follows the left one's key.
    assert reasons(mask) == {}


@pytest.mark.parametrize("kind", ["AVERAGE", "SUM", "MIN", "MAX"])
def test_other_kinds_of_drivers(mask: Any, kind: str) -> None:
    rig = bones("Rig", {"a": (0, 0, 0), "b": (0.1, 0, 0)})
    drive_key(mask, "jawOpen", kind, a=(rig, "a", "LOC_Z"), b=(rig, "b", "LOC_Z"))
    bpy.context.view_layer.update()
    found = controls(mask)
    expected = {"AVERAGE": 2.0, "SUM": 1.0, "MAX": 1.0}
    if kind == "MIN":  # one of them alone moves nothing
        assert not found
        assert "jawOpen" in reasons(mask)
    else:
        assert list(found) == ["a loc Z", "b loc Z"]
        assert found["a loc Z"].upper == pytest.approx(expected[kind], rel=0.01)


def test_rotations_by_euler_and_quaternion(mask: Any) -> None:
    rig = bones("Rig", {"jaw": (0, 0, 0), "brow": (0, 0, 0.1)})
    rig.pose.bones["brow"].rotation_mode = "QUATERNION"
    drive_key(mask, "jawOpen", "r * 2", r=(rig, "jaw", "ROT_X"))
    drive_key(mask, "browDownLeft", "r * 2", r=(rig, "brow", "ROT_X"))
    bpy.context.view_layer.update()
    found = controls(mask)
    assert found["jaw rot X"].targets[0].data_path.endswith("rotation_euler")
    assert found["jaw rot X"].upper == pytest.approx(np.pi)
    brow = found["brow rot X"].targets[0]
    assert (brow.data_path.rpartition(".")[2], brow.index) == ("rotation_quaternion", 1)


def test_limits_bound_a_control(mask: Any) -> None:
    rig = mouth_rig(mask)
    limit = rig.pose.bones["mouth.L"].constraints.new("LIMIT_LOCATION")
    limit.owner_space = "LOCAL"
    limit.use_min_y = limit.use_max_y = True
    limit.min_y, limit.max_y = -0.004, 0.006
    bpy.context.view_layer.update()
    up, down = controls(mask).values()
    assert (up.upper, down.lower) == pytest.approx((0.006, -0.004))


def test_a_mechanism_bone_leads_to_its_control(mask: Any) -> None:
    rig = bones("Rig", {"MCH": (0, 0, 0), "ctrl": (0.1, 0, 0)})
    copy = rig.pose.bones["MCH"].constraints.new("COPY_LOCATION")
    copy.target, copy.subtarget = rig, "ctrl"
    copy.owner_space = copy.target_space = "LOCAL"
    drive_key(mask, "jawOpen", "-y * 50", y=(rig, "MCH", "LOC_Y"))
    bpy.context.view_layer.update()
    (channel,) = controls(mask).values()
    assert channel.name == "ctrl loc Y"
    assert channel.lower == pytest.approx(-0.02, rel=1e-3)
    assert channel.upper == 0


def test_a_bone_led_by_an_action_gives_way_to_its_control(mask: Any) -> None:
    rig = bones("Rig", {"MCH": (0, 0, 0), "ctrl": (0.1, 0, 0)})
    action = bpy.data.actions.new("Smile")
    rig.pose.bones["MCH"].location.x = 0.0
    rig.animation_data_create().action = action
    for frame, place in ((0, 0.0), (10, 0.05)):
        rig.pose.bones["MCH"].location.x = place
        rig.pose.bones["MCH"].keyframe_insert("location", index=0, frame=frame)
    rig.animation_data.action = None
    rig.pose.bones["MCH"].location.x = 0.0
    follow = rig.pose.bones["MCH"].constraints.new("ACTION")
    follow.target, follow.subtarget, follow.action = rig, "ctrl", action
    if hasattr(follow, "action_slot"):
        follow.action_slot = action.slots[0]
    follow.transform_channel, follow.target_space = "LOCATION_Y", "LOCAL"
    follow.min, follow.max, follow.frame_start, follow.frame_end = 0, 0.03, 0, 10
    drive_key(mask, "jawOpen", "x * 20", x=(rig, "MCH", "LOC_X"))
    bpy.context.view_layer.update()
    assert list(controls(mask)) == ["ctrl loc Y"]


def test_controls_of_one_name_are_told_apart(mask: Any) -> None:
    """Two rigs with a bone of one name, and two numbers of one property."""
    for name, key in (("Left", "mouthSmileLeft"), ("Right", "mouthSmileRight")):
        drive_key(mask, key, "y * 50", y=(bones(name, {"lip": (0, -0.1, 0)}), "lip", "LOC_Y"))
    face = bpy.data.objects["Left"]
    face["brows"] = [0.0, 0.0]
    face.update_tag()
    for index, key in enumerate(("browDownLeft", "browDownRight")):
        drive_key(mask, key, "v", v=(face, f'["brows"][{index}]'))
    bpy.context.view_layer.update()
    said = {"Left lip loc Y", "Right lip loc Y", "Left brows 0", "Left brows 1"}
    assert {name.removesuffix(" +") for name in controls(mask)} == said


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        ("locked", "'mouth loc Y' is locked"),
        ("frame", "reads the frame number"),
        ("constant", "is the constant '0.3'"),
        ("error", "has an error"),
        ("gone", "bone 'lips' is not there"),
        ("switch", "is a switch"),
        ("axis", "turns by axis and angle"),
        ("rest", "'Rig' is in Rest Position"),
    ],
)
def test_keys_that_no_control_moves_say_why(mask: Any, trouble: str, why: str) -> None:
    rig = bones("Rig", {"mouth": (0, -0.1, 0)})
    bone = rig.pose.bones["mouth"]
    reading: dict[str, Any] = {"x": (rig, "mouth", "LOC_Y")}
    expression = "x * 50"
    if trouble == "locked":
        bone.lock_location[1] = True
    elif trouble == "frame":
        reading, expression = {}, "sin(frame)"
    elif trouble == "constant":
        reading, expression = {}, "0.3"
    elif trouble == "error":
        expression = "x * y * nonsense"
    elif trouble == "gone":
        reading = {"x": (rig, "lips", "LOC_Y")}
    elif trouble == "switch":
        rig["on"] = 1
        reading = {"x": (rig, '["on"]')}
    elif trouble == "axis":
        bone.rotation_mode = "AXIS_ANGLE"
        reading = {"x": (rig, "mouth", "ROT_X")}
    elif trouble == "rest":
        rig.data.pose_position = "REST"
    drive_key(mask, "mouthSmileLeft", expression, **reading)
    bpy.context.view_layer.update()
    assert not controls(mask)
    assert why in reasons(mask)["mouthSmileLeft"]


def test_the_head_bone_is_a_pose_and_no_control(mask: Any) -> None:
    rig = bones("Rig", {"head": (0, 0, -0.1), "mouth": (0, -0.1, 0)})
    rig.data.bones["head"].use_deform = True
    group = mask.vertex_groups.new(name="head")
    group.add(range(len(mask.data.vertices)), 1.0, "REPLACE")
    mask.modifiers.new("Armature", "ARMATURE").object = rig
    drive_key(mask, "cheekPuff", "r + m * 50", r=(rig, "head", "ROT_X"), m=(rig, "mouth", "LOC_Y"))
    bpy.context.view_layer.update()
    assert list(controls(mask)) == ["mouth loc Y"]
    assert read_rig(family_of(mask)).poses == ("head rot X",)


def exact(rig: Any) -> list[Any]:
    return [
        (bone.name, *bone.location, *bone.rotation_euler, *bone.rotation_quaternion, *bone.scale)
        for bone in rig.pose.bones
    ]


@pytest.mark.parametrize("tweaked", [False, True])
@pytest.mark.parametrize("layer", ["action", "nla"])
def test_an_animated_rig_rests_and_is_put_back(mask: Any, layer: str, tweaked: bool) -> None:
    rig = mouth_rig(mask)
    bone = rig.pose.bones["mouth.L"]
    for frame, value in ((1, 0.0), (20, 0.008)):
        bone.location[1] = value
        bone.keyframe_insert("location", frame=frame)
    if layer == "nla":
        animation = rig.animation_data
        action = animation.action
        animation.action = None
        animation.nla_tracks.new().strips.new("x", 1, action)
    bpy.context.scene.frame_set(13)
    if tweaked:  # moved by hand and not keyed
        bone.location[1] = 0.0012345
        bpy.context.view_layer.update()
    before, posed = dump(), exact(rig)
    with stage(mask) as on:
        face = view_face(on, 128).face
        rest = np.array([point.co for point in mask.data.shape_keys.reference_key.data])
        assert np.abs(face.surface.positions - rest).max() < 1e-6
    assert differences(before, dump()) == []
    assert exact(rig) == posed
    bpy.context.view_layer.update()
    assert exact(rig) == posed
    smile = mask.data.shape_keys.key_blocks["mouthSmileLeft"]
    assert smile.value == pytest.approx(100 * bone.location[1], abs=1e-5)
    bpy.context.scene.frame_set(20)
    assert smile.value == pytest.approx(0.8, abs=1e-5)


def test_a_control_that_does_not_rest_at_zero(mask: Any) -> None:
    rig = bones("Rig", {"face": (0, 0, 0.1)})
    rig["open"] = 0.5
    rig.id_properties_ui("open").update(min=0.0, max=1.0, default=0.5)
    drive_key(mask, "jawOpen", "(o - 0.5) * 2", o=(rig, '["open"]'))
    drive_key(mask, "browDownLeft", "(0.5 - o) * 2", o=(rig, '["open"]'))
    rig["open"] = 0.8
    bpy.context.view_layer.update()
    up, down = controls(mask).values()
    assert (up.neutral, up.lower, up.upper) == (0.5, 0.0, 0.5)
    assert (down.neutral, down.lower, down.upper) == (0.5, -0.5, 0.0)
    assert rig["open"] == 0.8


def test_a_rig_of_many_controls_is_probed_quickly(mask: Any) -> None:
    points = np.array([point.co for point in mask.data.shape_keys.reference_key.data])
    rig = bones("Rig", {f"c{index}": (0.01 * index, 0, 0) for index in range(60)})
    for index in range(60):
        key = mask.shape_key_add(name=f"k{index}")
        key.data.foreach_set("co", (points + np.array([0, 0, 0.001])).astype(np.float32).ravel())
        key.value = 0
        drive_key(mask, f"k{index}", "y * 30", y=(rig, f"c{index}", "LOC_Y"))
    bpy.context.view_layer.update()
    start = time.process_time()
    found = read_rig(family_of(mask)).channels
    seconds = time.process_time() - start
    assert len(found) == 60
    print(f"60 controls probed in {seconds:.2f} s")
    assert seconds < 2
