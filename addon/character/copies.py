"""Copies of a face's objects that refer to one another as the originals do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import bpy

from .family import has_keys, stands_behind
from .resting import resting_values
from .shape_keys import driven_keys


@dataclass
class Cast:
    """Who stands on a stage in whose place.

    `actors` in the order of the originals (an original that needs no copy stands in for itself);
    `stand_ins` from a data block (object, mesh, key) to its copy.
    """

    actors: list[Any]
    stand_ins: dict[Any, Any] = field(default_factory=dict)

    def remove(self) -> None:
        """Delete the copies."""
        copies = list(self.stand_ins.values())
        meshes = [block for block in copies if block.id_type == "MESH"]
        for block in copies:
            if block.id_type == "OBJECT":
                bpy.data.objects.remove(block)
        for block in meshes:
            bpy.data.meshes.remove(block)
        self.stand_ins.clear()


def cast_neutral(originals: Sequence[Any]) -> Cast:
    """Copy what has shape keys, and what refers to a copy; the copies stand at their neutral."""
    cast = Cast([])
    chosen = {one for one in originals if has_keys(one)}
    while True:
        more = {
            one
            for one in originals
            if one not in chosen and any(used in chosen for _, _, used in references(one))
        }
        if not more:
            break
        chosen |= more
    try:
        for one in originals:
            cast.actors.append(_copy(one, cast) if one in chosen else one)
    except BaseException:
        cast.remove()
        raise
    for copy in cast.actors:
        _relink(copy, cast.stand_ins)
    cast.actors[0].hide_render = stands_behind(originals[0], originals[1:])
    return cast


def _copy(original: Any, cast: Cast) -> Any:
    copy = cast.stand_ins[original] = original.copy()
    copy.hide_render = copy.hide_viewport = False
    if not has_keys(original):
        return copy
    copy.data = cast.stand_ins[original.data] = original.data.copy()
    copy.show_only_shape_key = False
    block, keys = original.data.shape_keys, copy.data.shape_keys
    cast.stand_ins[block] = keys
    driven, rest = driven_keys(keys), resting_values(block)
    if keys.animation_data is not None:
        keys.animation_data.action = None
        for track in list(keys.animation_data.nla_tracks):
            keys.animation_data.nla_tracks.remove(track)
    # What a rig drives (a corrective shape, say) goes on following it.
    for key in keys.key_blocks:
        if key.name not in driven:
            key.value = rest[key.name]
    return copy


def references(obj: Any) -> Iterator[tuple[Any, str, Any]]:
    """Yield (owner, property, object) for what an object refers to, its rig's bones left out."""
    if obj.parent is not None:
        yield obj, "parent", obj.parent
    for owner in (*obj.modifiers, *obj.constraints):
        for prop in owner.bl_rna.properties:
            if prop.type == "POINTER" and not prop.is_readonly:
                used = getattr(owner, prop.identifier)
                if isinstance(used, bpy.types.Object):
                    yield owner, prop.identifier, used
        if getattr(owner, "type", "") == "NODES":
            for name, used in owner.items():
                if isinstance(used, bpy.types.Object):
                    yield owner, f'["{name}"]', used


def _relink(copy: Any, stand_ins: dict[Any, Any]) -> None:
    if copy not in stand_ins.values():
        return
    for owner, name, used in list(references(copy)):
        if used not in stand_ins:
            continue
        if name.startswith("["):
            owner[name[2:-2]] = stand_ins[used]
        elif name == "parent":
            inverse = copy.matrix_parent_inverse.copy()
            copy.parent = stand_ins[used]
            copy.matrix_parent_inverse = inverse
        else:
            setattr(owner, name, stand_ins[used])
    blocks = [copy, copy.data, getattr(copy.data, "shape_keys", None)]
    for block in blocks:
        animation = getattr(block, "animation_data", None)
        if animation is not None and block in stand_ins.values():
            for curve in animation.drivers:
                relink_driver(curve.driver, stand_ins)


def relink_driver(driver: Any, stand_ins: dict[Any, Any]) -> None:
    """Let a driver's variables read the copies instead of the originals."""
    for variable in driver.variables:
        if variable.type == "CONTEXT_PROP":
            continue
        for target in variable.targets:
            if target.id in stand_ins:
                target.id = stand_ins[target.id]
