"""What the light does that a texture must not carry: gloss, and the shading of moved shapes.

A picture is base colour times diffuse light, plus gloss that does not ask for the colour. Gloss is
had from a render with black base colours; the shading of moved shapes from renders of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..character.channels import target_values
from ..character.framing import Framing
from ..character.neutral import SAMPLES, render_stage
from ..character.stage import Stage, find_companions, home_scene, stage
from .materials import has_bake, unwire
from .targets import Target, base_colour_socket, find_targets, image_node

#: Frames whose shapes are rendered, at most; the others' shading is composed of theirs.
MOST_ANCHORS = 3
#: A further anchor must say this share of the strongest frame's weights anew.
ANCHOR_SHARE = 0.08

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Anchor:
    """A frame whose solved shapes were rendered: `picture` and its `gloss`, (R,R,3) uint8."""

    frame: int
    picture: Picture
    gloss: Picture


@dataclass(frozen=True)
class Shading:
    """Renders that take the light out of a ratio.

    `gloss` (R,R,3) uint8: the neutral with black base colours. `anchors`: the solved shapes at
    some frames, empty where the texture plays alone; `shares` (T,A): how each frame's shading is
    composed of the anchors'.
    """

    gloss: Picture
    anchors: tuple[Anchor, ...] = ()
    shares: NDArray[np.float64] | None = None


def render_shading(
    obj: Any,
    scene_frame: float,
    framing: Framing,
    targets: Sequence[Target],
    weights: NDArray[np.floating[Any]] | None = None,
    *,
    samples: int = SAMPLES,
) -> Shading:
    """Render the gloss of the neutral and, with `weights` (T,S) of channels, some solved frames.

    One render, and two more an anchor.
    """
    frames, shares = choose_anchors(weights) if weights is not None else ([], None)
    with stage(obj) as on:
        whole = int(np.floor(scene_frame))
        on.scene.frame_set(whole, subframe=scene_frame - whole)
        rest = np.zeros(len(on.channels))
        poses = [rest, *(weights[frame] for frame in frames if weights is not None)]

        def pictures(poses: Sequence[NDArray[np.floating[Any]]]) -> list[Picture]:
            found = []
            for pose in poses:
                _pose(on, pose)
                found.append(render_stage(on, framing, samples=samples))
            return found

        with dressed(on, targets, unbaked):
            lit = pictures(poses[1:])
        with dressed(on, targets, blackened):
            gloss, *dark = pictures(poses)
        _pose(on, rest)
    anchors = (Anchor(*one) for one in zip(frames, lit, dark, strict=True))
    return Shading(gloss, tuple(anchors), shares)


def choose_anchors(
    weights: NDArray[np.floating[Any]],
) -> tuple[list[int], NDArray[np.float64]]:
    """Return the frames that span the weights (T,S) best, and each frame's shares (T,A) of them.

    The strongest frame first, then whatever the chosen ones say least of. A clip at rest has none.
    """
    left = np.asarray(weights, np.float64)
    peak = float(np.sqrt((left**2).sum(axis=1)).max(initial=0))
    chosen: list[int] = []
    shares = np.zeros((len(left), 0))
    while len(chosen) < MOST_ANCHORS:
        length = np.sqrt((left**2).sum(axis=1))
        worst = int(length.argmax())
        if length[worst] <= ANCHOR_SHARE * peak:
            break
        chosen.append(worst)
        basis = np.asarray(weights[chosen], np.float64)
        shares = np.linalg.lstsq(basis.T, np.asarray(weights, np.float64).T, rcond=None)[0].T
        left = weights - shares @ basis
    return chosen, shares


@contextmanager
def dressed(on: Stage, targets: Sequence[Target], tailor: Callable[[Any], Any]) -> Iterator[None]:
    """Stand copies of the cast on the stage that wear what `tailor` makes of their materials."""
    originals = [on.original, *find_companions(on.original, home_scene(on.original))]
    actors = [on.obj, *on.companions]
    cast = {str(one.name): actor for one, actor in zip(originals, actors, strict=True)}
    slots: dict[str, set[int]] = {}
    for target in targets:
        for part in target.parts:
            slots.setdefault(part.object_name, set()).update(part.slots)
    made: list[Any] = []
    worn: dict[str, Any] = {}
    members = on.scene.collection.objects
    try:
        for name in slots.keys() & cast.keys():
            copy = cast[name].copy()
            made.append(copy)
            for index in sorted(slots[name]):
                material = cast[name].material_slots[index].material
                if material.name_full not in worn:
                    worn[material.name_full] = tailor(material)
                copy.material_slots[index].link = "OBJECT"
                copy.material_slots[index].material = worn[material.name_full]
            members.unlink(cast[name])
            members.link(copy)
        yield
    finally:
        for one in cast.values():
            if one.name not in members:
                members.link(one)
        for copy in made:
            bpy.data.objects.remove(copy)
        for material in worn.values():
            bpy.data.materials.remove(material)


@contextmanager
def without_bakes(on: Stage) -> Iterator[None]:
    """Show a stage's character without the textures that bakes put into its materials.

    A neutral must not carry the expression of an earlier bake that plays at that frame.
    """
    companions = [
        one for one in find_companions(on.original, home_scene(on.original)) if one.type == "MESH"
    ]
    baked = [
        target
        for target in find_targets(on.original, 1, companions)
        if any(has_bake(material) for material in target.materials())
    ]
    with dressed(on, baked, unbaked):
        yield


def unbaked(material: Any) -> Any:
    """Return a copy of a material without what a bake put in."""
    copy = material.copy()
    unwire([copy])
    return copy


def blackened(material: Any) -> Any:
    """Return a copy of a material whose texture, or plain base colour, is black."""
    copy = unbaked(material)
    tree = copy.node_tree
    socket = base_colour_socket(copy)
    node = image_node(socket)
    if node is None:
        socket.default_value = (0.0, 0.0, 0.0, 1.0)
        return copy
    black = tree.nodes.new("ShaderNodeRGB")
    black.outputs[0].default_value = (0.0, 0.0, 0.0, 1.0)
    for link in list(node.outputs["Color"].links):
        tree.links.new(black.outputs[0], link.to_socket)
    return copy


def _pose(on: Stage, weights: NDArray[np.floating[Any]]) -> None:
    for target, values in target_values(on.channels, weights[None]).items():
        on.set(target, float(values[0]))
