"""Hulls that draw a character's outline do not hide its face."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
import numpy as np
import pytest
from microface.addon.character.neutral import render_frame
from microface.addon.retarget.prepare import prepare


def ink() -> Any:
    """A black material whose back faces are left out."""
    material = bpy.data.materials.new("Ink")
    material.use_backface_culling = True
    material.diffuse_color = (0, 0, 0, 1)
    return material


def solidified(mask: Any) -> Any:
    """A hull as it is taught for Blender: Solidify, turned inside out."""
    mask.data.materials.append(ink())
    modifier = mask.modifiers.new("Outline", "SOLIDIFY")
    modifier.thickness, modifier.offset, modifier.use_rim = 0.003, 1, False
    modifier.use_flip_normals, modifier.material_offset = True, 1
    return modifier


def by_nodes(mask: Any) -> Any:
    """A hull as VRM characters have it: geometry nodes that are given a material."""
    tree = bpy.data.node_groups.new("Hull", "GeometryNodeTree")
    for name, way, kind in (
        ("Geometry", "INPUT", "NodeSocketGeometry"),
        ("Ink", "INPUT", "NodeSocketMaterial"),
        ("Geometry", "OUTPUT", "NodeSocketGeometry"),
    ):
        tree.interface.new_socket(name, in_out=way, socket_type=kind)
    given, taken = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    names = ("GeometryNodeSetPosition", "GeometryNodeFlipFaces", "GeometryNodeSetMaterial")
    moved, flipped, inked = (tree.nodes.new(name) for name in names)
    joined = tree.nodes.new("GeometryNodeJoinGeometry")
    moved.inputs["Offset"].default_value = (0, -0.003, 0)
    for one, other in (
        (given.outputs[0], moved.inputs["Geometry"]),
        (moved.outputs[0], flipped.inputs["Mesh"]),
        (flipped.outputs[0], inked.inputs["Geometry"]),
        (given.outputs[1], inked.inputs["Material"]),
        (inked.outputs[0], joined.inputs[0]),
        (given.outputs[0], joined.inputs[0]),
        (joined.outputs[0], taken.inputs[0]),
    ):
        tree.links.new(one, other)
    modifier = mask.modifiers.new("Outline", "NODES")
    modifier.node_group = tree
    modifier[tree.interface.items_tree["Ink"].identifier] = ink()
    return modifier


@pytest.mark.parametrize("make", [solidified, by_nodes])
def test_an_outline_does_not_hide_the_face(mask: Any, make: Callable[[Any], Any]) -> None:
    plain = prepare(mask, 128)
    modifier = make(mask)
    drawn = prepare(mask, 128)
    assert np.abs(drawn.neutral.astype(int) - plain.neutral).max() <= 1
    assert np.array_equal(drawn.framing.camera_to_world, plain.framing.camera_to_world)
    played = render_frame(mask, plain.framing, 1.0)
    assert np.abs(played.astype(int) - plain.neutral).max() <= 1
    assert modifier.show_viewport and modifier.show_render


def test_a_solid_skin_is_no_outline(mask: Any) -> None:
    plain = prepare(mask, 128)
    mask.modifiers.new("Thick", "SOLIDIFY").thickness = 0.02
    assert np.abs(prepare(mask, 128).neutral.astype(int) - plain.neutral).max() > 5
