"""Which textures colour a character: images, tiles and plain colours, over all its meshes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..colour import between, colour_space, turned
from ..images import check_pixels
from ..ocio import working_space
from .stored import Store, check_tile, plain_values, stored_values, tile_image

#: What stands for the tile at the end of a UDIM image's name.
_TILE_NUMBER = re.compile(r"(_?_UDIM_|_?1\d\d\d)$")
#: Number of the first UDIM tile; tiles go ten to a row.
FIRST_TILE = 1001
#: Custom property of a node that a bake put in: the node that it stands in for.
REPLACES = "microface_replaces"


@dataclass(frozen=True)
class Part:
    """Faces that wear a texture: those of an object with these material slots."""

    object_name: str
    slots: frozenset[int]


@dataclass(frozen=True)
class Target:
    """A base-colour texture of a character.

    `name` for files; `parts` the faces that wear it; `image_name` of the Blender image, empty
    where the colour is `plain` (3,) linear Rec.709 and the texture `plain_size` a side; `tile` of
    a UDIM image, 1001 for any other.
    """

    name: str
    parts: tuple[Part, ...]
    image_name: str = ""
    tile: int = FIRST_TILE
    tiled: bool = False
    plain: tuple[float, float, float] = (0.0, 0.0, 0.0)
    plain_size: int = 1024

    @property
    def offset(self) -> tuple[int, int]:
        """Column and row of the tile in texture space."""
        return (self.tile - FIRST_TILE) % 10, (self.tile - FIRST_TILE) // 10

    @property
    def pixels(self) -> NDArray[Any]:
        """The texture's values as stored now, (H,W,3 or 4)."""
        return self.load()[0]

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the texture in texels."""
        if not self.image_name:
            return self.plain_size, self.plain_size
        image = bpy.data.images[self.image_name]
        if not self.tiled:
            return int(image.size[1]), int(image.size[0])
        with tile_image(image, self.tile) as one:
            return int(one.size[1]), int(one.size[0])

    def check(self) -> None:
        """Raise `InputError` for pixels that are not there, or in a space that is no texture's."""
        if not self.image_name:
            return
        image = bpy.data.images[self.image_name]
        colour_space(image.colorspace_settings.name, f"'{image.name}'")
        if self.tiled:
            check_tile(image, self.tile)
        else:
            check_pixels(image)

    def load(self, kind: str = "auto") -> tuple[NDArray[Any], Store]:
        """Return the texture's values as a kind of file stores them, and how; see `stored`."""
        if not self.image_name:
            return plain_values(np.array(self.plain, np.float32), self.plain_size, kind)
        image = bpy.data.images[self.image_name]
        if not self.tiled:
            return stored_values(image, kind)
        with tile_image(image, self.tile) as one:
            return stored_values(one, kind)

    def materials(self) -> list[Any]:
        """Return the materials that show the texture, each once."""
        found = {}
        for part in self.parts:
            for index in sorted(part.slots):
                material = bpy.data.objects[part.object_name].material_slots[index].material
                found[material.name_full] = material
        return list(found.values())


def find_targets(obj: Any, plain_size: int, companions: Sequence[Any] = ()) -> list[Target]:
    """Return the base-colour textures of a mesh object and its companions, one per image or tile.

    A plain base colour gives a texture of that colour, `plain_size` a side. Materials without
    nodes or without a Principled shader are left out, and companions without UVs.
    """
    images: dict[str, dict[str, set[int]]] = {}
    plain: dict[str, tuple[Any, dict[str, set[int]]]] = {}
    for one in (obj, *companions):
        if one != obj and not one.data.uv_layers:
            continue
        for index, slot in enumerate(one.material_slots):
            socket = base_colour_socket(slot.material)
            if socket is None:
                continue
            node = image_node(socket)
            if node is not None:
                slots = images.setdefault(node.image.name, {})
            elif not _linked(socket):
                slots = plain.setdefault(slot.material.name, (socket, {}))[1]
            else:
                continue
            slots.setdefault(one.name, set()).add(index)
    targets = [
        Target(file_name(name), _parts(slots), plain=_colour(socket), plain_size=plain_size)
        for name, (socket, slots) in plain.items()
    ]
    for name, slots in images.items():
        image = bpy.data.images[name]
        if image.source != "TILED":
            targets.append(Target(file_name(name), _parts(slots), name))
            continue
        for tile in image.tiles:
            label = f"{_TILE_NUMBER.sub('', file_name(name))}_{tile.number}"
            targets.append(Target(label, _parts(slots), name, int(tile.number), True))
    return _distinct(targets)


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
        if REPLACES in node:
            stood_for = node.id_data.nodes.get(node[REPLACES])
            waiting += [] if stood_for is None else [stood_for]
        elif node.type == "TEX_IMAGE" and node.image is not None:
            return node
        else:
            waiting += [link.from_node for one in node.inputs for link in one.links]
    return None


def _linked(socket: Any) -> bool:
    """Whether anything but a bake of ours feeds a socket."""
    return any(REPLACES not in link.from_node for link in socket.links)


def _colour(socket: Any) -> tuple[float, float, float]:
    primaries = working_space().primaries
    light = np.array(list(socket.default_value)[:3])
    red, green, blue = turned(light, between(primaries, "Rec.709")).tolist()
    return red, green, blue


def _parts(slots: dict[str, set[int]]) -> tuple[Part, ...]:
    return tuple(Part(name, frozenset(indices)) for name, indices in slots.items())


def _distinct(targets: list[Target]) -> list[Target]:
    """Return the targets with names for files that differ."""
    taken: set[str] = set()
    result = []
    for target in targets:
        name, count = target.name, 1
        while name.lower() in taken:
            count += 1
            name = f"{target.name}_{count}"
        taken.add(name.lower())
        result.append(replace(target, name=name))
    return result


def file_name(name: str) -> str:
    """Return a name of Blender's as one for a file."""
    endings = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".exr", ".tga", ".webp"}
    stem = Path(name).stem if Path(name).suffix.lower() in endings else name
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in stem)
