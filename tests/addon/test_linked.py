"""Characters that come linked from another file."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from microface import register, unregister
from microface.addon.bake.edit import remove_bake
from microface.addon.bake.problem import Solved
from microface.addon.bake.shape_keys import key_weights
from microface.addon.bake.time import TimeBase
from microface.addon.character.channels import face_channels
from microface.addon.character.fixes import fix
from microface.addon.character.preflight import Severity, preflight
from microface.addon.character.stage import stage
from microface.addon.character.view import view_face
from rigs import mouth_rig


@pytest.fixture
def linked(mask: Any, tmp_path: Path) -> Any:
    """The mask, linked into an empty file."""
    path = tmp_path / "library.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(str(path), link=True) as (_, wanted):
        wanted.objects = ["Mask"]
    obj = wanted.objects[0]
    bpy.context.scene.collection.objects.link(obj)
    bpy.context.view_layer.update()
    return obj


def test_linked_data_is_refused_with_a_fix(linked: Any) -> None:
    (finding,) = (one for one in preflight(linked) if one.severity is Severity.ERROR)
    assert "linked from another file" in finding.what
    assert finding.fix == "override"


def test_the_panel_goes_on_with_the_override(linked: Any) -> None:
    register()
    try:
        settings = bpy.context.scene.microface
        settings.character = linked
        assert bpy.ops.microface.fix(fix="override") == {"FINISHED"}
        assert settings.character.library is None
        assert not [one for one in preflight(settings.character) if one.severity is Severity.ERROR]
    finally:
        unregister()


def test_an_override_is_baked(linked: Any) -> None:
    mask = fix(linked, "override")
    assert not [one for one in preflight(mask) if one.severity is Severity.ERROR]
    with stage(mask) as on:
        names = view_face(on, 128).face.keys.names
    weights = np.zeros((3, len(names)))
    weights[1, 0] = 0.4
    times = np.arange(3) / 24
    key_weights(
        mask,
        "smile",
        face_channels(mask),
        times,
        Solved(weights, np.zeros(3)),
        TimeBase(Fraction(24)),
    )
    bpy.context.scene.frame_set(2)
    assert mask.data.shape_keys.key_blocks[names[0]].value == pytest.approx(0.4)


@pytest.fixture
def linked_rig(mask: Any, tmp_path: Path) -> Any:
    """The mask with a rig that deforms and drives it, linked as a collection into an empty file."""
    rig = mouth_rig(mask)
    mask.modifiers.new("Armature", "ARMATURE").object = rig
    hero = bpy.data.collections.new("Hero")
    bpy.context.scene.collection.children.link(hero)
    for one in (mask, rig):
        hero.objects.link(one)
        bpy.context.scene.collection.objects.unlink(one)
    path = tmp_path / "hero.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(str(path), link=True) as (_, wanted):
        wanted.collections = ["Hero"]
    bpy.context.scene.collection.children.link(wanted.collections[0])
    bpy.context.view_layer.update()
    return bpy.data.objects["Mask"]


def test_an_override_takes_the_rig_along(linked_rig: Any) -> None:
    assert "linked from another file" in preflight(linked_rig)[0].what
    made = fix(linked_rig, "override")
    assert made.library is None
    assert made.data.library is None
    rig = next(one for one in bpy.data.objects if one.type == "ARMATURE" and one.library is None)
    assert made.modifiers["Armature"].object == rig
    assert not [one for one in preflight(made) if one.severity is Severity.ERROR]
    controls = {one.name: one for one in face_channels(made) if one.kind == "control"}
    assert list(controls) == ["mouth.L loc Y +", "mouth.L loc Y -"]
    (target,) = controls["mouth.L loc Y +"].targets
    assert target.block() == rig
    target.set(0.005)
    bpy.context.view_layer.update()
    assert made.data.shape_keys.key_blocks["mouthSmileLeft"].value == pytest.approx(0.5)


def test_a_linked_rig_is_baked_saved_and_freed(linked_rig: Any, tmp_path: Path) -> None:
    """The control of an override is keyed in the file that links it, and moves the linked keys."""
    made = fix(linked_rig, "override")
    channels = face_channels(made)
    index = [one.name for one in channels].index("mouth.L loc Y +")
    weights = np.zeros((3, len(channels)))
    weights[1, index] = 0.004
    solved = Solved(weights, np.zeros(3))
    bake = key_weights(made, "smile", channels, np.arange(3) / 24, solved, TimeBase(Fraction(24)))
    path = tmp_path / "shot.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.open_mainfile(filepath=str(path))
    made = next(one for one in bpy.data.objects if one.name == "Mask" and one.library is None)
    bpy.context.scene.frame_set(2)
    smile = made.evaluated_get(bpy.context.evaluated_depsgraph_get()).data.shape_keys
    assert smile.key_blocks["mouthSmileLeft"].value == pytest.approx(0.4, abs=1e-4)
    remove_bake(made, bake.action_name)
    bpy.context.scene.frame_set(2)
    assert made.data.shape_keys.key_blocks["mouthSmileLeft"].value == pytest.approx(0, abs=1e-6)
