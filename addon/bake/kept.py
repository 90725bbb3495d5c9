"""The bakes that a file holds: found by what lies on their actions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import bpy

from ...errors import InputError
from .curves import Part, parts_of
from .owners import BlockName, blocks_of, find_block, players_of, settled_record
from .record import BakeRecord, is_bake


@dataclass(frozen=True)
class Kept:
    """A bake in the file: its main action and what is kept of it.

    Holds a reference: not to be kept across undo or the loading of a file.
    """

    action: Any
    record: BakeRecord

    @property
    def name(self) -> str:
        """What the bake is called: as its action."""
        return str(self.action.name)

    @property
    def blocks(self) -> list[BlockName]:
        """The data blocks that the bake moves."""
        return blocks_of(self.record)

    @property
    def parts(self) -> list[Part]:
        """What of the bake plays on each of its blocks."""
        return parts_of(self.action, self.blocks)


def kept_bakes() -> list[Kept]:
    """Return all bakes of the file in the order they were made."""
    found = [
        Kept(action, settled_record(action))
        for action in bpy.data.actions
        if action.library is None and is_bake(action)
    ]
    return sorted(found, key=lambda kept: (kept.record.order, kept.name))


def bakes_of(obj: Any) -> list[Kept]:
    """Return the bakes of a character in the order they were made."""
    keys = obj.data.shape_keys if obj.type == "MESH" else None
    own = None if keys is None else ("KEY", str(keys.name))
    return [
        kept
        for kept in kept_bakes()
        if kept.record.object_name == obj.name or (own is not None and own in kept.blocks)
    ]


def bake_called(obj: Any, name: str) -> Kept:
    """Return a character's bake by its name; raises `InputError` that lists what there is."""
    bakes = bakes_of(obj)
    for kept in bakes:
        if kept.name == name:
            return kept
    names = ", ".join(f"'{kept.name}'" for kept in bakes)
    raise InputError(
        f"'{obj.name}' has no bake called '{name}'.",
        f"Its bakes are: {names}." if bakes else "Nothing is baked on it.",
    )


def as_dragged(kept: Kept) -> BakeRecord:
    """Return a bake's record with its strip as somebody has moved or scaled it since."""
    for part in kept.parts:
        block = find_block((part.id_type, part.id_name))
        for player in () if block is None else players_of(part, block):
            if player != block.animation_data:
                return _moved(kept.record, player)
    return kept.record


def _moved(record: BakeRecord, strip: Any) -> BakeRecord:
    first, scale = float(strip.action_frame_start), float(strip.scale)
    if float(strip.frame_start) == first and scale == 1.0:
        return record
    settings, stretch = record.settings, float(record.stretch)
    start = float(strip.frame_start) + scale * (settings.start_frame * stretch - first)
    timing = settings.timing
    if scale != 1.0:
        given = {
            name: getattr(timing, name) and getattr(timing, name) * scale
            for name in ("onset", "apex", "offset")
        }
        duration = timing.duration or float(record.times[-1])
        timing = replace(timing, duration=duration * scale, **given)
    return record.with_settings(replace(settings, start_frame=start / stretch, timing=timing))
