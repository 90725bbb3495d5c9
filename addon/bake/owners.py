"""Whose a bake is: its record names data blocks, and blocks are renamed and duplicated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

import bpy

from ...errors import InputError
from ..character.channel import COLLECTIONS, Target
from .curves import MAIN, Part, parts_of, slot_of
from .record import BakeRecord, is_bake, read_record

#: Name of a data block: (id_type, id_name).
BlockName = tuple[str, str]


@lru_cache(maxsize=512)
def blocks_of(record: BakeRecord) -> list[BlockName]:
    """Return the data blocks that a bake moves, in the order of its channels."""
    targets = (target for channel in record.channels for target in channel.targets)
    return list(dict.fromkeys((target.id_type, target.id_name) for target in targets))


def settled_record(action: Any) -> BakeRecord:
    """Return an action's record with its blocks as they are called now.

    A block that does not play its part, while another one does, was renamed, or the action came to
    the other one with a duplicate of the character.
    """
    record = read_record(action)
    renamed: dict[BlockName, str] = {}
    if not record.settings.muted:
        for part in parts_of(action, blocks_of(record)):
            name = (part.id_type, part.id_name)
            block = find_block(name)
            other = None
            if block is None or not _plays(block, part):
                other = next(_others(part, block), None)
            if other is not None:
                renamed[name] = str(other.name)
    return _renamed(record, renamed) if renamed else record


def is_bake_of(action: Any, block: Any) -> bool:
    """Return whether an action is, or is part of, a bake on a data block."""
    main = action.get(MAIN, action)
    if not is_bake(main):
        return False
    name = (str(block.id_type), str(block.name))
    return name in blocks_of(read_record(main)) or name in blocks_of(settled_record(main))


def find_block(name: BlockName) -> Any:
    """Return a data block, or None if it is gone."""
    try:
        return Target(name[0], name[1], "").block()
    except InputError:
        return None


def players_of(part: Part, block: Any) -> Iterator[Any]:
    """Yield what plays a part on a block: its `AnimData`, strips."""
    animation = block.animation_data
    if animation is None:
        return
    action, slot = part.action, part.slot
    if animation.action == action and slot_of(animation) == slot:
        yield animation
    for track in animation.nla_tracks:
        for strip in track.strips:
            if strip.action == action and slot_of(strip) == slot:
                yield strip


def drop_everywhere(parts: list[Part]) -> None:
    """Take a bake off every block that plays it still, such as those of duplicates."""
    for part in parts:
        for block in _others(part, None):
            animation = block.animation_data
            if animation.action == part.action:
                animation.action = None
            for track in list(animation.nla_tracks):
                ours = [strip for strip in track.strips if strip.action == part.action]
                for strip in ours:
                    track.strips.remove(strip)
                if ours and not len(track.strips):
                    animation.nla_tracks.remove(track)


def _others(part: Part, block: Any) -> Iterator[Any]:
    for one in getattr(bpy.data, COLLECTIONS[part.id_type]):
        if one.library is None and one != block and _plays(one, part):
            yield one


def _plays(block: Any, part: Part) -> bool:
    return any(True for _ in players_of(part, block))


def _renamed(record: BakeRecord, names: dict[BlockName, str]) -> BakeRecord:
    def target(one: Target) -> Target:
        return replace(one, id_name=names.get((one.id_type, one.id_name), one.id_name))

    channels = tuple(
        replace(channel, targets=tuple(target(one) for one in channel.targets))
        for channel in record.channels
    )
    owner = record.object_name
    if bpy.data.objects.get(owner) is None or any(kind == "KEY" for kind, _ in names):
        owner = _owner(channels[0].targets[0], owner)
    return replace(record, channels=channels, object_name=owner)


def _owner(target: Target, otherwise: str) -> str:
    """Return the name of the first object that has a shape key block."""
    for obj in bpy.data.objects:
        keys = obj.data.shape_keys if obj.type == "MESH" else None
        if keys is not None and (target.id_type, target.id_name) == ("KEY", keys.name):
            return str(obj.name)
    return otherwise
