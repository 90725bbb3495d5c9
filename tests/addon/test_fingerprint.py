"""A bake refuses a character that was edited since its neutral was rendered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import bpy
import numpy as np
import pytest
import synthetic
from microface.addon.character.evaluate import evaluate_face
from microface.addon.character.fingerprint import take_fingerprint
from microface.addon.character.stage import stage
from microface.addon.generated import Generated
from microface.addon.retarget.prepare import view_of
from microface.errors import InputError


@pytest.fixture
def generated(mask: Any) -> Generated:
    _, made = synthetic.generate(mask, np.zeros((2, 6)), resolution=128, samples=0)
    with stage(mask) as on:
        return replace(made, fingerprint=take_fingerprint(mask, evaluate_face(on)))


def delete_a_face(mask: Any) -> None:
    bpy.context.view_layer.objects.active = mask
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="DESELECT")
    bpy.ops.object.mode_set(mode="OBJECT")
    mask.data.polygons[5].select = True
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.delete(type="FACE")
    bpy.ops.object.mode_set(mode="OBJECT")


def move_a_vertex(mask: Any) -> None:
    mask.data.shape_keys.reference_key.data[40].co.z += 0.001


def sculpt_a_key(mask: Any) -> None:
    mask.data.shape_keys.key_blocks["jawOpen"].data[40].co.z += 0.001


def mute_a_key(mask: Any) -> None:
    mask.data.shape_keys.key_blocks["jawOpen"].mute = True


def repaint(mask: Any) -> None:
    node = next(one for one in mask.active_material.node_tree.nodes if one.type == "TEX_IMAGE")
    node.image.pixels[0] = 0.3


def move(mask: Any) -> None:
    mask.location.x += 0.01


def subdivide(mask: Any) -> None:
    mask.modifiers.new("Subdivision", "SUBSURF").levels = 1


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        (delete_a_face, "its faces"),
        (move_a_vertex, "its rest shape"),
        (sculpt_a_key, "its shape keys"),
        (mute_a_key, "what can be keyed of it"),
        (repaint, "the pictures of its materials"),
        (move, "where it stands"),
        (subdivide, "the modifiers"),
    ],
)
def test_edits_are_refused(
    mask: Any, generated: Generated, edit: Callable[[Any], None], what: str
) -> None:
    view_of(mask, generated)
    edit(mask)
    bpy.context.view_layer.update()
    with pytest.raises(InputError, match=rf"'Mask' was edited since .*{what}.* changed") as caught:
        view_of(mask, generated)
    assert caught.value.remedy == "Generate the clip again."


def test_what_is_no_edit(mask: Any, generated: Generated) -> None:
    keys = mask.data.shape_keys.key_blocks
    keys["jawOpen"].value = 0.5
    keys["jawOpen"].keyframe_insert("value", frame=1)
    mask.active_material.roughness = 0.1
    mask.location.x += 1e-5
    bpy.context.scene.frame_set(20)
    view_of(mask, generated)
