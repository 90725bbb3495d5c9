"""All bakes on a face together: their curves, and what plays on each data block."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import bpy
import numpy as np

from ...errors import InputError
from .curves import Keys, Part, Path, digest, digest_of, write_curves
from .kept import Kept, as_dragged, kept_bakes
from .layers import Laid, check_layers, lay_over, take_off
from .overlap import ROUNDING, Cut, cut_to_bounds
from .owners import BlockName, find_block
from .record import BakeRecord, write_record
from .rest import is_there
from .shaping import (
    asked_weights,
    bounds_of,
    is_silent,
    limited_weights,
    neutral_of,
    shown,
    target_deltas,
)

#: Custom property of a bake's action, with a slot's handle: fingerprint of the curves as written.
WRITTEN = "microface_written_"


@dataclass
class Planned:
    """What a bake is to play on one data block: its curves, and where they are cut."""

    kept: Kept
    part: Part
    replaces: bool
    curves: dict[Path, Keys] = field(default_factory=dict)
    cuts: list[Cut] = field(default_factory=list)


def restack(blocks: Iterable[BlockName], *, editing: str = "", discard: bool = False) -> None:
    """Lay all bakes that are not muted anew over data blocks.

    `editing` is the name of the bake whose settings have changed. Raises `InputError`, with
    nothing changed, where a block's animation cannot be layered, a hold has no room, or the
    curves of that bake were edited by hand since (unless `discard`).
    """
    found = {name: block for name in blocks if (block := find_block(name)) is not None}
    for block in found.values():
        check_layers(block)
    kept = [fold_drag(one) if one.name != editing else one for one in kept_bakes()]
    plans = {name: plan_block(name, kept) for name in found}
    if not discard:
        for plan in (one for planned in plans.values() for one in planned):
            if plan.kept.name == editing and is_by_hand(plan.part) and _differs(plan):
                raise InputError(
                    f"The curves of '{editing}' were edited by hand since the bake.",
                    "Discard these edits on purpose (discard_hand_edits), or leave it as it is.",
                )
    for block in found.values():
        take_off(block)
    for name, block in found.items():
        for plan in plans[name]:
            _write(plan, discard=discard and plan.kept.name == editing)
        lay_over(block, [_laid(plan, block) for plan in plans[name] if plan.curves])
    for one in kept:
        if not found.keys().isdisjoint(one.blocks):
            _keep_alive(one)
    bpy.context.view_layer.update()


def plan_block(name: BlockName, bakes: list[Kept]) -> list[Planned]:
    """Return what each bake that is on is to play on a data block."""
    on = [one for one in bakes if not one.record.settings.muted and name in one.blocks]
    first = next((one for one in on if one.record.layer == "action"), None)
    below: dict[Path, list[Keys]] = {}
    bounds: dict[Path, tuple[float, float]] = {}
    planned = []
    for one in on:
        part = next((part for part in one.parts if (part.id_type, part.id_name) == name), None)
        if part is None:
            continue
        plan = Planned(one, part, one is first)
        neutral, limits = neutral_of(one.record), bounds_of(one.record)
        for target, own in target_deltas(one.record).items():
            if (target.id_type, target.id_name) != name:
                continue
            path = (target.data_path, max(target.index, 0))
            low, high = bounds.get(path, (-np.inf, np.inf))
            low, high = bounds[path] = max(low, limits[target][0]), min(high, limits[target][1])
            silent = is_silent(own)
            if not silent:
                given, missing = cut_to_bounds(own, below.get(path, []), low, high)
                below.setdefault(path, []).append(own)
                if missing is not None:
                    plan.cuts.append(_cut(one.record, target, missing))
                own = given
            if plan.replaces:
                plan.curves[path] = (own[0], own[1] + neutral[target])
            elif not silent:
                plan.curves[path] = own
        planned.append(plan)
    return planned


def cuts_of(bakes: list[Kept]) -> dict[str, tuple[Cut, ...]]:
    """Return where each of some bakes, by name, is cut for its channels' bounds.

    Alone, or together with the bakes below it.
    """
    found = {bake.name: list(_cut_alone(bake.record)) for bake in bakes}
    everything = kept_bakes()
    for name in dict.fromkeys(name for bake in bakes for name in bake.blocks):
        for plan in plan_block(name, everything):
            found.get(plan.kept.name, []).extend(plan.cuts)
    return {name: tuple(dict.fromkeys(cuts)) for name, cuts in found.items()}


def is_by_hand(part: Part) -> bool:
    """Return whether a part's curves are others than were written."""
    written = part.action.get(f"{WRITTEN}{part.handle}")
    return written is not None and written != digest(part)


def fold_drag(kept: Kept) -> Kept:
    """Take it as an edit of a bake where its strip has been moved in the NLA editor."""
    record = as_dragged(kept)
    if record is kept.record:
        return kept
    write_record(kept.action, record)
    return Kept(kept.action, record)


def _differs(plan: Planned) -> bool:
    return bool(plan.part.action.get(f"{WRITTEN}{plan.part.handle}") != digest_of(plan.curves))


def _write(plan: Planned, *, discard: bool) -> None:
    """Write a part's curves, unless they are as they should be or somebody's own work."""
    by_hand = is_by_hand(plan.part)
    if (discard and by_hand) or (_differs(plan) and not by_hand):
        write_curves(plan.part, plan.curves)
        plan.part.action[f"{WRITTEN}{plan.part.handle}"] = digest_of(plan.curves)


def _laid(plan: Planned, block: object) -> Laid:
    there = tuple(path for path in plan.curves if is_there(block, *path))
    first = min(float(frames[0]) for frames, _ in plan.curves.values())
    last = max(float(frames[-1]) for frames, _ in plan.curves.values())
    return Laid(plan.part, there, plan.replaces, first, last)


def _keep_alive(kept: Kept) -> None:
    """Let a bake that plays nowhere stay in the file, and one that plays go with its character."""
    parts = kept.parts
    for action in {part.action for part in parts}:
        plays = any(len(part.curves) for part in parts if part.action == action)
        fake = kept.record.settings.muted or not plays
        if action.use_fake_user != fake:
            action.use_fake_user = fake


def _cut(record: BakeRecord, target: object, missing: tuple[float, float, float]) -> Cut:
    channel = next(one.name for one in record.channels if target in one.targets)
    stretch = float(record.stretch)
    return Cut(channel, missing[0] / stretch, missing[1] / stretch, missing[2])


def _cut_alone(record: BakeRecord) -> Iterable[Cut]:
    when = shown(record)
    missing = np.abs(asked_weights(record) - limited_weights(record))[when.order]
    for channel, column in zip(record.channels, missing.T, strict=True):
        frames = when.frames[column > ROUNDING]
        if len(frames):
            yield Cut(channel.name, float(frames[0]), float(frames[-1]), float(column.max()), True)
