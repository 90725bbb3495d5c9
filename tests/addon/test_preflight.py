"""What would go wrong is told before it does, with a remedy, and mended where it can be."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
import pytest
from microface.addon.character.fixes import FIXES
from microface.addon.character.preflight import Severity, preflight
from microface.addon.character.channels import face_channels
from microface.addon.retarget.prepare import find_character, prepare
from microface.errors import InputError


def whats(obj: Any, severity: Severity) -> str:
    return " ".join(one.what for one in preflight(obj) if one.severity is severity)


def test_a_good_character_has_no_findings(mask: Any) -> None:
    assert preflight(mask) == []


def test_every_fix_is_known(mask: Any) -> None:
    mask.data.uv_layers.remove(mask.data.uv_layers[0])
    mask.data.shape_keys.key_blocks["jawOpen"].mute = True
    mask.data.shape_keys.key_blocks["cheekPuff"].value = 0.3
    mask.hide_render = True
    mask.scale = (1, 2, 1)
    bpy.context.view_layer.update()
    fixes = {finding.fix for finding in preflight(mask)}
    assert fixes == {"unwrap", "unmute", "zero", "show", "apply-scale"}
    for name in sorted(fixes):
        FIXES[name](mask)
    bpy.context.view_layer.update()
    assert preflight(mask) == []
    assert mask.scale[1] == pytest.approx(1)


def test_no_shape_keys() -> None:
    mesh = bpy.data.meshes.new("Cube")
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    cube = bpy.data.objects.new("Cube", mesh)
    bpy.context.scene.collection.objects.link(cube)
    assert "no shape keys" in whats(cube, Severity.ERROR)
    with pytest.raises(InputError, match="no shape keys"):
        prepare(cube, 128)


def test_not_a_mesh() -> None:
    empty = bpy.data.objects.new("Empty", None)
    assert "is not a mesh" in whats(empty, Severity.ERROR)
    assert "is not a mesh" in whats(None, Severity.ERROR)


def test_invalid_coordinates(mask: Any) -> None:
    key = mask.data.shape_keys.key_blocks["jawOpen"]
    key.data[7].co = (float("nan"), 0, 0)
    assert "invalid (NaN)" in whats(mask, Severity.ERROR)
    with pytest.raises(InputError, match=r"jawOpen.*1 vertices.*NaN"):
        prepare(mask, 128)


def test_driven_keys_are_left_alone(mask: Any) -> None:
    key = mask.data.shape_keys.key_blocks["jawOpen"]
    key.driver_add("value").driver.expression = "0.5"
    assert "1 shape keys are driven (such as 'jawOpen')" in whats(mask, Severity.WARNING)
    assert "jawOpen" not in {channel.name for channel in face_channels(mask)}


def test_no_key_is_free(mask: Any) -> None:
    for key in mask.data.shape_keys.key_blocks:
        key.mute = True
    assert "No shape key" in whats(mask, Severity.ERROR)


def test_animated_keys_are_noted(mask: Any) -> None:
    mask.data.shape_keys.key_blocks["jawOpen"].keyframe_insert("value", frame=1)
    assert "already animated" in whats(mask, Severity.NOTE)


def test_ranges_include_zero(mask: Any) -> None:
    key = mask.data.shape_keys.key_blocks["jawOpen"]
    key.slider_min, key.slider_max = -0.5, 2.0
    channel = next(one for one in face_channels(mask) if one.name == "jawOpen")
    assert (channel.lower, channel.upper, channel.neutral) == (-0.5, 2.0, 0.0)
    assert all(one.lower <= 0 <= one.upper for one in face_channels(mask))


def test_an_unknown_object_lists_the_known(mask: Any) -> None:
    with pytest.raises(InputError, match=r"no object called 'Haed'.*shape keys are: Mask"):
        find_character("Haed")


def test_keys_that_move_nothing_are_no_face(mask: Any) -> None:
    block = mask.data.shape_keys
    rest = np.empty(len(mask.data.vertices) * 3, np.float32)
    block.reference_key.data.foreach_get("co", rest)
    for key in block.key_blocks[1:]:
        key.data.foreach_set("co", rest)
    with pytest.raises(InputError, match="No face was found"):
        prepare(mask, 128)
