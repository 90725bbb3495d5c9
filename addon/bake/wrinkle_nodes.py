"""Wrinkle maps in a material: one node group with a keyed value per map, so that Play shows them.

The keys lie on the group, which is ours alone: other animation on the material stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..colour import DATA
from ..files import load_linked
from ..generated import Generated
from ..ocio import set_space, working_space
from .curves import Keys, assign, make_parts, write_curves
from .factors import Factors
from .materials import ANIMATED, HELPS, NODE_NAME, colour_output, stand_in, unwire_sequences
from .shading import Shading
from .targets import Target, base_colour_socket
from .texture import Cast, find_painters
from .time import TOLERANCE, TimeBase, thin
from .wrinkles import EXPLAINED, MOST_MAPS, WrinkleMaps, make_maps

#: Solved shapes lie within this share of the picture's height of where they should.
PLACED = 340


def bake_maps(
    cast: Cast,
    generated: Generated,
    folder: Path,
    time_base: TimeBase,
    *,
    weights: NDArray[np.float64] | None = None,
    shading: Shading | None = None,
    kind: str = "png16",
    plain_size: int = 1024,
    explained: float = EXPLAINED,
    most: int = MOST_MAPS,
    provenance: Mapping[str, Any] | None = None,
) -> tuple[WrinkleMaps, ...]:
    """Write the maps of every texture that changes into `folder/<texture>/` and wire them in.

    Over `weights` only what is beyond a slight misplacement of the solved shapes is kept (see
    `registration`), and textures on which nothing is seen then have no maps.
    The arguments are those of `bake_textures` and `make_maps`.
    """
    primaries = working_space().primaries
    misplaced = 0 if weights is None else max(1, round(generated.neutral.shape[0] / PLACED))
    factors = Factors(cast.view, generated, primaries, weights, shading, misplaced=misplaced)
    painters, _ = find_painters(cast, factors, "auto", plain_size, {}, primaries)
    made = [
        make_maps(
            target.name,
            painter,
            generated.times,
            folder / target.name,
            kind,
            generated.fps,
            provenance or {},
            share=explained,
            most=most,
        )
        for target, painter in painters
    ]
    # A bake takes the place of the one before, and only when its pictures are there.
    unwire_sequences(cast.obj, cast.companions)
    result = []
    for (target, _), maps in zip(painters, made, strict=True):
        if maps is None:
            continue
        label = f"Microface {generated.clip_name} {target.name}"
        group = wire_maps(target, maps, label, generated.times, time_base)
        result.append(replace(maps, group_name=group))
    return tuple(result)


def wire_maps(
    target: Target, maps: WrinkleMaps, label: str, times: NDArray[np.float64], base: TimeBase
) -> str:
    """Multiply a target's texture by its maps, weighted over time; return the group's name.

    Each map has a value node named after it in the group, keyed at the clip's true times, thinned
    to a tolerance. The materials must not show another bake.
    """
    group = _group(label, target, maps)
    block = [("NODETREE", str(group.name))]
    (part,) = make_parts(label, block)
    write_curves(part, _curves(maps, times, base))
    assign(group.animation_data_create(), part.action, part.slot)
    for material in target.materials():
        tree = material.node_tree
        animated = tree.animation_data is not None
        node = tree.nodes.new("ShaderNodeGroup")
        node.node_tree = group
        node.name = node.label = NODE_NAME
        socket = base_colour_socket(material)
        old = stand_in(material, node, node.outputs["Color"], node.inputs["Vector"])
        node[ANIMATED] = animated
        if old is None:
            node.inputs["Color"].default_value = socket.default_value
        else:
            tree.links.new(colour_output(old), node.inputs["Color"])
        if not node.inputs["Vector"].links:
            place = tree.nodes.new("ShaderNodeUVMap")
            place.location = (node.location.x - 200, node.location.y - 120)
            place[HELPS] = node.name
            tree.links.new(place.outputs["UV"], node.inputs["Vector"])
    return str(group.name)


def _curves(
    maps: WrinkleMaps, times: NDArray[np.float64], base: TimeBase
) -> dict[tuple[str, int], Keys]:
    frames = base.curve_frames(base.frames(times))
    curves = {}
    for name, weights in zip(maps.names, maps.curves, strict=True):
        chosen = thin(frames, weights, (int(weights.argmax()),), TOLERANCE)
        curves[f'nodes["{name}"].outputs[0].default_value', 0] = (frames[chosen], weights[chosen])
    return curves


def _group(label: str, target: Target, maps: WrinkleMaps) -> Any:
    tree = bpy.data.node_groups.new(label, "ShaderNodeTree")
    for name, kind, way in (
        ("Color", "NodeSocketColor", "INPUT"),
        ("Vector", "NodeSocketVector", "INPUT"),
        ("Color", "NodeSocketColor", "OUTPUT"),
    ):
        tree.interface.new_socket(name, in_out=way, socket_type=kind)
    given, result = tree.nodes.new("NodeGroupInput"), tree.nodes.new("NodeGroupOutput")
    shown, place = given.outputs["Color"], given.outputs["Vector"]
    if target.tiled:
        shift = tree.nodes.new("ShaderNodeVectorMath")
        shift.operation = "SUBTRACT"
        shift.inputs[1].default_value = (*target.offset, 0.0)
        tree.links.new(place, shift.inputs[0])
        place = shift.outputs["Vector"]
    for row, (name, path) in enumerate(zip(maps.names, maps.files, strict=True)):
        weight = tree.nodes.new("ShaderNodeValue")
        weight.name = weight.label = name
        weight.outputs[0].default_value = 0.0
        picture = tree.nodes.new("ShaderNodeTexImage")
        picture.image = load_linked(path)
        picture.image.name = f"{label} {name}"
        set_space(picture.image, DATA)
        # Elsewhere the picture repeats itself; a tile's picture is 1 all along its border.
        picture.extension = "EXTEND" if target.tiled else "REPEAT"
        scale = tree.nodes.new("ShaderNodeVectorMath")
        scale.operation = "SCALE"
        scale.inputs["Scale"].default_value = maps.range
        mix = tree.nodes.new("ShaderNodeMix")
        mix.data_type, mix.blend_type = "RGBA", "MULTIPLY"
        colours = [one for one in mix.inputs if one.type == "RGBA"]
        tree.links.new(place, picture.inputs["Vector"])
        tree.links.new(picture.outputs["Color"], scale.inputs[0])
        tree.links.new(weight.outputs[0], mix.inputs["Factor"])
        tree.links.new(shown, colours[0])
        tree.links.new(scale.outputs["Vector"], colours[1])
        for column, node in enumerate((weight, picture, scale, mix)):
            node.location = (-600 + 200 * column, -300 * row)
        shown = next(one for one in mix.outputs if one.type == "RGBA")
    given.location, result.location = (-800, 0), (400, 0)
    tree.links.new(shown, result.inputs["Color"])
    return tree
