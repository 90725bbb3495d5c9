"""Channels: what of a face a bake keys, on which data blocks, within which bounds."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
import pytest
from dump import differences, dump
from heads import companion
from microface.addon.character.channels import Channel, Target, face_channels, target_values
from microface.addon.character.stage import stage
from microface.addon.character.view import project_keys, view_face
from microface.errors import InputError


@pytest.fixture
def brow(mask: Any) -> Any:
    """A brow of its own in front of the mask, with a key of the mask and one of its own."""
    return companion("Brow", (0.035, -0.07, 0.045), ("browDownLeft", "browFuzz"))


def by_name(obj: Any) -> dict[str, Channel]:
    return {channel.name: channel for channel in face_channels(obj)}


def test_free_keys_are_channels(mask: Any) -> None:
    channels = face_channels(mask)
    assert [one.name for one in channels] == mask.data.shape_keys.key_blocks.keys()[1:]
    first = channels[0]
    assert (first.lower, first.upper, first.neutral, first.kind) == (0, 1, 0, "shape key")
    (target,) = first.targets
    assert target == Target("KEY", mask.data.shape_keys.name, 'key_blocks["mouthSmileLeft"].value')
    target.set(0.25)
    assert mask.data.shape_keys.key_blocks["mouthSmileLeft"].value == target.get() == 0.25


def test_companions_share_channels_and_bring_their_own(mask: Any, brow: Any) -> None:
    channels = by_name(mask)
    assert {target.id_name for target in channels["browDownLeft"].targets} == {
        mask.data.shape_keys.name,
        brow.data.shape_keys.name,
    }
    (target,) = channels["browFuzz"].targets
    assert target.id_name == brow.data.shape_keys.name
    assert list(channels)[-1] == "browFuzz"


def test_a_bystander_with_keys_is_no_part_of_the_face(mask: Any) -> None:
    companion("Flag", (0.0, -0.07, 0.0), ("wave",))
    assert "wave" not in by_name(mask)
    far = companion("Far", (3.0, 0.0, 0.0), ("jawOpen",))
    (target,) = by_name(mask)["jawOpen"].targets
    assert target.id_name != far.data.shape_keys.name


def test_one_rig_makes_one_face(mask: Any, brow: Any) -> None:
    beard = companion("Beard", (0.0, -0.07, -0.06), ("beardLift",))
    assert "beardLift" not in by_name(mask)
    head = bpy.data.objects.new("Head", None)
    mask.parent = beard.parent = head
    assert "beardLift" in by_name(mask)


def test_the_jacobian_covers_all_meshes(mask: Any, brow: Any) -> None:
    before = dump()
    with stage(mask) as on:
        view = view_face(on, 256)
    assert differences(before, dump()) == []
    jacobian = project_keys(view)
    assert jacobian.meshes == ("Mask", "Brow")
    rows = jacobian.mesh == 1
    assert 20 <= rows.sum() <= 28
    fuzz = jacobian.matrix[rows][:, :, jacobian.names.index("browFuzz")].astype(float)
    up = -0.01 / view.framing.width * 256
    assert fuzz == pytest.approx(np.tile([0, up], (rows.sum(), 1)), abs=0.05 * abs(up))
    # The brow covers what lies behind it, and the face moves where its own keys say.
    assert not jacobian.matrix[~rows][:, :, jacobian.names.index("browFuzz")].any()
    both = jacobian.matrix[rows][:, 1, jacobian.names.index("browDownLeft")]
    assert both.astype(float) == pytest.approx(np.full(rows.sum(), up), rel=0.05)


def test_ranges_that_leave_zero_out_rest_at_their_end(mask: Any) -> None:
    keys = mask.data.shape_keys.key_blocks
    keys["jawOpen"].slider_min = 0.2
    keys["cheekPuff"].slider_min, keys["cheekPuff"].slider_max = -1.0, -0.5
    keys["browDownLeft"].slider_min, keys["browDownLeft"].slider_max = 0.0, 10.0
    channels = by_name(mask)
    jaw, puff, brow = channels["jawOpen"], channels["cheekPuff"], channels["browDownLeft"]
    assert (jaw.lower, jaw.upper, jaw.neutral) == pytest.approx((0, 0.8, 0.2))
    assert (puff.lower, puff.upper, puff.neutral) == pytest.approx((-0.5, 0, -0.5))
    assert (brow.lower, brow.upper, brow.neutral) == pytest.approx((0, 10, 0))
    with stage(mask) as on:
        face = view_face(on, 128).face
    index = face.keys.names.index("jawOpen")
    reach = np.sqrt((face.displacement[index] ** 2).sum(axis=1)).max()
    assert reach == pytest.approx(np.hypot(0.004, 0.02), rel=0.03)


def test_the_narrowest_range_of_all_meshes_holds(mask: Any, brow: Any) -> None:
    brow.data.shape_keys.key_blocks["browDownLeft"].slider_max = 0.6
    assert by_name(mask)["browDownLeft"].upper == pytest.approx(0.6)


def test_weights_become_values() -> None:
    target, other = Target("OBJECT", "Rig", '["up"]'), Target("OBJECT", "Rig", '["side"]')
    channels = (
        Channel("up +", (target,), 0, 2, 0.5, "control"),
        Channel("up -", (target,), -1, 0, 0.5, "control"),
        Channel("side", (other,), 0, 1, 0, "control"),
    )
    values = target_values(channels, np.array([[0.2, 0, 0.1], [0, -0.3, 0]]))
    assert values[target] == pytest.approx([0.7, 0.2])
    assert values[other] == pytest.approx([0.1, 0.0])


@pytest.mark.parametrize("kind", ["float", "array", "bone", "dotted"])
def test_any_number_is_a_target(kind: str) -> None:
    rig = bpy.data.objects.new("Rig", bpy.data.armatures.new("Bones"))
    bpy.context.scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    bone = rig.data.edit_bones.new("ctrl.L")
    bone.tail = (0, 0, 1)
    bpy.ops.object.mode_set(mode="OBJECT")
    rig["smile"] = 0.0
    rig.pose.bones["ctrl.L"]['a".b'] = 0.0
    target = {
        "float": Target("OBJECT", "Rig", '["smile"]'),
        "array": Target("OBJECT", "Rig", "location", 2),
        "bone": Target("OBJECT", "Rig", 'pose.bones["ctrl.L"].location', 1),
        "dotted": Target("OBJECT", "Rig", 'pose.bones["ctrl.L"]["a\\".b"]'),
    }[kind]
    target.set(0.75)
    assert target.get() == 0.75


def test_a_target_that_is_gone() -> None:
    with pytest.raises(InputError, match=r"'Head' \(object\) is no longer"):
        Target("OBJECT", "Head", '["smile"]').get()
