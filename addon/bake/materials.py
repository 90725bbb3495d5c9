"""Wiring a baked sequence into a character's materials, and taking it out again."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ..colour import SPACES
from ..files import load_linked
from ..ocio import set_space
from .targets import REPLACES, Target, base_colour_socket, find_targets, image_node
from .time import TimeBase

__all__ = [
    "NODE_NAME",
    "REPLACES",
    "Target",
    "base_colour_socket",
    "colour_output",
    "find_targets",
    "has_bake",
    "image_node",
    "stand_in",
    "unwire",
    "unwire_sequences",
    "wire_sequence",
]

#: Name of the nodes that a bake puts into a material.
NODE_NAME = "Microface"
#: Custom property of the nodes that help such a node.
HELPS = "microface_helps"
#: Custom property of such a node: whether the tree had animation data before.
ANIMATED = "microface_animated"
#: An image sequence that shows its one frame at every frame of the scene.
ALWAYS = -1_000_000


def wire_sequence(
    target: Target,
    files: list[Path],
    label: str,
    colour_space: str,
    time_base: TimeBase,
    clip_fps: float,
) -> str:
    """Show an image sequence in place of a target's texture; return its Blender image's name.

    `files` one picture per source frame. The scene frame chooses the source frame nearest in
    time, by a driver (so that other animation on the material stays): before the clip the first
    picture shows, after it the last. The materials must not show another bake: see `unwire`.
    """
    image = load_linked(files[0])
    image.name = label
    image.source = "SEQUENCE"
    set_space(image, SPACES[colour_space])
    original = bpy.data.images.get(target.image_name)
    if original is not None:
        image.alpha_mode = original.alpha_mode
    # A driver sees the frame as curves do, after Blender's time remapping.
    ratio = clip_fps / float(time_base.fps * time_base.stretch)
    (start,) = time_base.curve_frames(np.array([time_base.start_frame]))
    expression = (
        f"min(max(floor((frame - {start:.9g}) * {ratio:.9g} + 0.5), 0), {len(files) - 1}) - 1"
    )
    for material in target.materials():
        _wire(material, image, target, expression)
    return str(image.name)


def _wire(material: Any, image: Any, target: Target, expression: str) -> None:
    tree = material.node_tree
    animated = tree.animation_data is not None
    node = tree.nodes.new("ShaderNodeTexImage")
    node.name = node.label = NODE_NAME
    node.image = image
    if target.tiled:
        last, output, vector = _beside_other_tiles(material, node, target)
        stand_in(material, last, output, vector)
        node[REPLACES] = last[REPLACES]
        node[HELPS] = last.name
    else:
        old = image_node(base_colour_socket(material))
        if old is not None:
            node.interpolation, node.extension = old.interpolation, old.extension
        stand_in(material, node, node.outputs["Color"], node.inputs["Vector"])
    node[ANIMATED] = animated
    user = node.image_user
    user.frame_start, user.frame_duration = ALWAYS, 1
    user.use_auto_refresh = True
    driver = user.driver_add("frame_offset").driver
    driver.type = "SCRIPTED"
    driver.expression = expression


def stand_in(material: Any, node: Any, output: Any, vector: Any) -> Any:
    """Let a node's `output` take the place of what colours a material; return that node, or None.

    Its `vector` input gets the coordinates that the texture is looked up with.
    """
    tree = material.node_tree
    socket = base_colour_socket(material)
    old = _shown(tree, image_node(socket))
    node[REPLACES] = "" if old is None else old.name
    if old is None:
        node.location = (socket.node.location.x - 320, socket.node.location.y)
        tree.links.new(output, socket)
        return None
    node.location = (old.location.x, old.location.y + 300)
    texture = image_node(socket)
    for link in list(texture.inputs["Vector"].links):
        tree.links.new(link.from_socket, vector)
    for link in list(colour_output(old).links):
        if HELPS not in link.to_node and link.to_node != node:
            tree.links.new(output, link.to_socket)
    return old


def _shown(tree: Any, texture: Any) -> Any:
    """Return what shows in a texture node's place now: itself, or the last that stands in."""
    standing = {one[REPLACES]: one for one in tree.nodes if REPLACES in one and HELPS not in one}
    shown = texture
    while shown is not None and shown.name in standing:
        shown = standing[shown.name]
    return shown


def _stood_for(tree: Any, node: Any) -> Any:
    """Return the user's own node that a node of ours, or a row of them, stands in for, or None."""
    while node is not None and REPLACES in node:
        node = tree.nodes.get(node[REPLACES]) if node[REPLACES] else None
    return node


def _beside_other_tiles(material: Any, node: Any, target: Target) -> tuple[Any, Any, Any]:
    """Show an image node on one UDIM tile only: return the mixing node, its output, its vector.

    Blender has no sequence of tiled images. Inside the tile the node's picture shows, elsewhere
    what showed before.
    """
    tree = material.node_tree
    node.extension = "EXTEND"
    texture = image_node(base_colour_socket(material))
    node.interpolation = texture.interpolation
    shift = tree.nodes.new("ShaderNodeVectorMath")
    shift.operation = "SUBTRACT"
    shift.inputs[1].default_value = (*target.offset, 0.0)
    floor = tree.nodes.new("ShaderNodeVectorMath")
    floor.operation = "FLOOR"
    length = tree.nodes.new("ShaderNodeVectorMath")
    length.operation = "LENGTH"
    inside = tree.nodes.new("ShaderNodeMath")
    inside.operation = "LESS_THAN"
    inside.inputs[1].default_value = 0.5
    mix = tree.nodes.new("ShaderNodeMix")
    mix.data_type = "RGBA"
    mix.name = mix.label = f"{NODE_NAME} {target.tile}"
    tree.links.new(shift.outputs["Vector"], node.inputs["Vector"])
    tree.links.new(shift.outputs["Vector"], floor.inputs[0])
    tree.links.new(floor.outputs["Vector"], length.inputs[0])
    tree.links.new(length.outputs["Value"], inside.inputs[0])
    tree.links.new(inside.outputs["Value"], mix.inputs["Factor"])
    colours = [one for one in mix.inputs if one.type == "RGBA"]
    before = _shown(tree, texture)
    tree.links.new(colour_output(before), colours[0])
    tree.links.new(node.outputs["Color"], colours[1])
    helpers = [shift, floor, length, inside]
    if not texture.inputs["Vector"].links:
        place = tree.nodes.new("ShaderNodeUVMap")
        tree.links.new(place.outputs["UV"], shift.inputs[0])
        helpers.append(place)
    for one in helpers:
        one[HELPS] = mix.name
    output = next(one for one in mix.outputs if one.type == "RGBA")
    return mix, output, shift.inputs[0]


def colour_output(node: Any) -> Any:
    """Return the output of a node that carries its colour."""
    return next(one for one in node.outputs if one.type == "RGBA")


def unwire_sequences(obj: Any, companions: Iterable[Any] = ()) -> int:
    """Take every bake out of a character's materials; return how many there were.

    The textures are as before; the pictures on disk stay.
    """
    materials = {
        slot.material.name_full: slot.material
        for one in (obj, *companions)
        for slot in one.material_slots
        if slot.material is not None
    }
    return unwire(materials.values())


def has_bake(material: Any) -> bool:
    """Return whether a material shows a bake."""
    return any(REPLACES in node for node in material.node_tree.nodes)


def unwire(materials: Iterable[Any]) -> int:
    """Take every bake out of materials; return how many nodes stood in for a texture."""
    count = 0
    for material in materials:
        if material.node_tree is not None:
            count += _unwire(material.node_tree)
    return count


def _unwire(tree: Any) -> int:
    ours = [node for node in tree.nodes if REPLACES in node or HELPS in node]
    animated = all(node.get(ANIMATED, True) for node in ours)
    count = 0
    for node in [node for node in ours if REPLACES in node and HELPS not in node]:
        old = _stood_for(tree, node)
        for link in list(colour_output(node).links) if old is not None else ():
            tree.links.new(colour_output(old), link.to_socket)
        count += 1
    for node in ours:
        _remove(tree, node)
    if ours and not animated and tree.animation_data is not None:
        data = tree.animation_data
        if not (data.action or data.drivers or data.nla_tracks):
            tree.animation_data_clear()
    return count


def _remove(tree: Any, node: Any) -> None:
    image = group = None
    if node.type == "TEX_IMAGE":
        node.image_user.driver_remove("frame_offset")
        image = node.image
    elif node.type == "GROUP":
        group = node.node_tree
    tree.nodes.remove(node)
    if image is not None and image.users == 0:
        bpy.data.images.remove(image)
    if group is not None and group.users == 0:
        _remove_group(group)


def _remove_group(group: Any) -> None:
    """Remove a node group of ours with its images and its action."""
    images = {node.image for node in group.nodes if node.type == "TEX_IMAGE" and node.image}
    action = group.animation_data.action if group.animation_data else None
    bpy.data.node_groups.remove(group)
    for image in images:
        if image.users == 0:
            bpy.data.images.remove(image)
    if action is not None and action.users == 0:
        bpy.data.actions.remove(action)
