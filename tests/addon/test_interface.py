"""The add-on's registration and its panel's state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bpy
import pytest
from microface import register, unregister


@pytest.fixture
def enabled() -> Iterator[None]:
    register()
    yield
    unregister()


def test_register_and_unregister_twice() -> None:
    for _ in range(2):
        register()
        assert hasattr(bpy.types, "MICROFACE_PT_main")
        assert bpy.context.scene.microface.strength == 1.0
        unregister()
        assert not hasattr(bpy.types, "MICROFACE_PT_main")
        assert not hasattr(bpy.types.Scene, "microface")
        assert not hasattr(bpy.types.WindowManager, "microface_desk")


def test_settings_are_saved_with_the_scene(enabled: None, mask: Any) -> None:
    settings = bpy.context.scene.microface
    settings.character = mask
    settings.clip_builtin = "lip-corner-left"
    settings.strength = 0.3
    assert settings.character == mask
    assert settings.clip_source == "BUILTIN"


def test_the_builtin_character_is_added_and_chosen(enabled: None, mask: Any) -> None:
    mask.select_set(True)
    assert bpy.ops.microface.add_character(identity="lars") == {"FINISHED"}
    lars = bpy.data.objects["Lars"]
    assert bpy.context.scene.microface.character == lars
    assert bpy.context.view_layer.objects.active == lars
    assert bpy.context.selected_objects == [lars]
    assert "jawOpen" in lars.data.shape_keys.key_blocks


@pytest.mark.parametrize(
    ("operator", "what"),
    [
        ("generate", "No character is chosen"),
        ("bake_shape_keys", "No character is chosen"),
        ("unbake", "No character is chosen"),
    ],
)
def test_operators_report_what_and_remedy(enabled: None, operator: str, what: str) -> None:
    with pytest.raises(RuntimeError, match=f"{what}.*Choose the mesh"):
        getattr(bpy.ops.microface, operator)()


def test_baking_before_generating_says_so(enabled: None, mask: Any) -> None:
    bpy.context.scene.microface.character = mask
    with pytest.raises(RuntimeError, match="Press Generate first"):
        bpy.ops.microface.bake_shape_keys()


def test_mending_a_finding(enabled: None, mask: Any) -> None:
    from microface.addon.api import preflight

    key = mask.data.shape_keys.key_blocks["jawOpen"]
    key.mute = True
    bpy.context.scene.microface.character = mask
    assert [finding.fix for finding in preflight(mask)] == ["unmute"]
    bpy.ops.microface.fix(fix="unmute")
    assert not key.mute
    assert preflight(mask) == []
