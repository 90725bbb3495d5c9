"""Which images colour a character, and wiring a baked sequence in and out of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..images import from_linear, image_bytes
from .time import TimeBase

#: Name of the nodes that a bake puts into a material.
NODE_NAME = "Microface"
#: Custom property of such a node: the node that it stands in for.
REPLACES = "microface_replaces"
#: An image sequence that shows its one frame at every frame of the scene.
ALWAYS = -1_000_000


@dataclass(frozen=True)
class Target:
    """A base-colour texture of a character.

    `name` for files; `slots` the material slots that use it; `pixels` (H,W,3 or 4) uint8 as
    stored; `image_name` of the Blender image, empty where the colour is plain.
    """

    name: str
    slots: frozenset[int]
    pixels: NDArray[np.uint8]
    image_name: str


def find_targets(obj: Any, plain_size: int) -> list[Target]:
    """Return the base-colour textures of a mesh object, one per image.

    A plain base colour gives a texture of that colour, `plain_size` a side. Materials without
    nodes or without a Principled shader are left out.
    """
    images: dict[str, set[int]] = {}
    targets: list[Target] = []
    for index, slot in enumerate(obj.material_slots):
        socket = base_colour_socket(slot.material)
        if socket is None:
            continue
        node = image_node(socket)
        if node is not None:
            images.setdefault(node.image.name, set()).add(index)
        elif not socket.is_linked:
            colour = from_linear(np.array(list(socket.default_value)[:3]))
            level = np.rint(colour * 255).astype(np.uint8)
            pixels = np.broadcast_to(level, (plain_size, plain_size, 3)).copy()
            targets.append(Target(_file_name(slot.material.name), frozenset({index}), pixels, ""))
    for name, slots in images.items():
        pixels = image_bytes(bpy.data.images[name])
        if (pixels[..., 3] == 255).all():
            pixels = pixels[..., :3]
        targets.append(Target(_file_name(name), frozenset(slots), pixels.copy(), name))
    return targets


def base_colour_socket(material: Any) -> Any:
    """Return the Base Color input of a material's Principled shader, or None."""
    if material is None or material.node_tree is None or not material.use_nodes:
        return None
    for node in material.node_tree.nodes:
        if node.type == "BSDF_PRINCIPLED":
            return node.inputs["Base Color"]
    return None


def image_node(socket: Any) -> Any:
    """Return the image texture node that feeds a socket, nearest first, or None.

    Nodes that a bake put in are looked through to the one they stand in for.
    """
    waiting = [link.from_node for link in socket.links]
    seen: set[str] = set()
    while waiting:
        node = waiting.pop(0)
        if node.name in seen:
            continue
        seen.add(node.name)
        if node.type == "TEX_IMAGE":
            tree = node.id_data
            if REPLACES in node:
                node = tree.nodes.get(node[REPLACES])
            if node is not None and node.image is not None:
                return node
        else:
            waiting += [link.from_node for one in node.inputs for link in one.links]
    return None


def wire_sequence(
    obj: Any,
    target: Target,
    files: list[Path],
    label: str,
    time_base: TimeBase,
    clip_fps: float,
) -> Any:
    """Show an image sequence in place of a target's texture and return its Blender image.

    `files` one picture per source frame. The scene frame chooses the source frame nearest in
    time, by a driver (so that other animation on the material stays): before the clip the first
    picture shows, after it the last.
    """
    image = bpy.data.images.load(str(files[0]))
    image.name = label
    image.source = "SEQUENCE"
    original = bpy.data.images.get(target.image_name)
    if original is not None:
        image.colorspace_settings.name = original.colorspace_settings.name
        image.alpha_mode = original.alpha_mode
    for index in sorted(target.slots):
        tree = obj.material_slots[index].material.node_tree
        if any(node.image == image for node in _our_nodes(tree)):
            continue
        _wire(tree, obj.material_slots[index].material, image, len(files), time_base, clip_fps)
    return image


def _wire(
    tree: Any, material: Any, image: Any, count: int, time_base: TimeBase, clip_fps: float
) -> None:
    _unwire(tree)
    socket = base_colour_socket(material)
    old = image_node(socket)
    node = tree.nodes.new("ShaderNodeTexImage")
    node.name = node.label = NODE_NAME
    node[REPLACES] = "" if old is None else old.name
    node.image = image
    if old is None:
        node.location = (socket.node.location.x - 320, socket.node.location.y)
        tree.links.new(node.outputs["Color"], socket)
    else:
        node.location = (old.location.x, old.location.y + 300)
        node.interpolation, node.extension = old.interpolation, old.extension
        for link in list(old.inputs["Vector"].links):
            tree.links.new(link.from_socket, node.inputs["Vector"])
        for link in list(old.outputs["Color"].links):
            tree.links.new(node.outputs["Color"], link.to_socket)
    user = node.image_user
    user.frame_start, user.frame_duration = ALWAYS, 1
    user.use_auto_refresh = True
    driver = user.driver_add("frame_offset").driver
    driver.type = "SCRIPTED"
    ratio = clip_fps / float(time_base.fps)
    driver.expression = (
        f"min(max(floor((frame - {time_base.start_frame:g}) * {ratio:.9g} + 0.5), 0), {count - 1})"
        " - 1"
    )


def unwire_sequences(obj: Any) -> int:
    """Take every baked sequence out of a character's materials; return how many there were.

    The textures are as before; the pictures on disk stay.
    """
    count = 0
    for slot in obj.material_slots:
        if slot.material is not None and slot.material.node_tree is not None:
            count += _unwire(slot.material.node_tree)
    return count


def _unwire(tree: Any) -> int:
    nodes = _our_nodes(tree)
    for node in nodes:
        old = tree.nodes.get(node[REPLACES]) if node[REPLACES] else None
        if old is not None:
            for link in list(node.outputs["Color"].links):
                tree.links.new(old.outputs["Color"], link.to_socket)
        node.image_user.driver_remove("frame_offset")
        image = node.image
        tree.nodes.remove(node)
        if image is not None and image.users == 0:
            bpy.data.images.remove(image)
    if nodes and tree.animation_data is not None and not _animated(tree.animation_data):
        tree.animation_data_clear()
    return len(nodes)


def _our_nodes(tree: Any) -> list[Any]:
    return [node for node in tree.nodes if node.type == "TEX_IMAGE" and REPLACES in node]


def _animated(animation: Any) -> bool:
    return bool(animation.action or animation.drivers or animation.nla_tracks)


def _file_name(name: str) -> str:
    stem = Path(name).stem if Path(name).suffix in {".png", ".jpg", ".jpeg", ".tif"} else name
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in stem)
