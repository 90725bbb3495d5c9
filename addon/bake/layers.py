"""Bakes laid over a data block's own animation, and taken off again without a trace.

What plays on a block is worked out anew from what is its own and the bakes that are on, whenever
that changes: all bakes are taken off, then those that are on are laid over it in the order they
were made. So any order of baking, muting and removing ends in the same state.

Blender evaluates NLA tracks from below, and the active action last. A bake is an additive strip
in a track. Where the active action moves the same numbers it is set to *add* to what is below
(exact where rest is 0, as for shape keys), or, where that would change its own values, it plays
from a track below the bakes for as long as these are there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ...errors import InputError
from .before import Before, capture, forget_before, keep_before, put_back, read_before
from .curves import HAS_SLOTS, Part, Path, assign, played_curves, slot_of
from .owners import is_bake_of
from .rest import rests_at_zero
from .strips import add_base, add_rest, add_strips, is_our_strip, is_ours, our_strips, remove_ours


@dataclass(frozen=True)
class Laid:
    """A bake to lay over a block: its part there, the numbers it moves, and its curve frames.

    `replaces`: whether the block's own action is to stop for it.
    """

    part: Part
    paths: tuple[Path, ...]
    replaces: bool
    first: float
    last: float


def check_layers(block: Any) -> None:
    """Raise `InputError` where a block's animation cannot be layered as it stands."""
    animation = block.animation_data
    if animation is None:
        return
    if animation.use_tweak_mode:
        raise InputError(
            f"'{block.name}' is in the tweak mode of the NLA editor.",
            "Leave it first (Tab in the NLA editor).",
        )
    tracks = [track for track in animation.nla_tracks if not is_ours(track)]
    if any(track.is_solo for track in tracks):
        raise InputError(
            f"An NLA track of '{block.name}' plays solo, so that a bake would not be seen.",
            "Turn off the star of that track in the NLA editor.",
        )
    if tracks and not animation.use_nla:
        raise InputError(
            f"The NLA tracks of '{block.name}' are turned off as a whole.",
            "Turn them on in the NLA editor (the box beside its name), or mute single tracks.",
        )
    if animation.action is not None and animation.action_influence != 1.0:
        raise InputError(
            f"The action of '{block.name}' plays with an influence of "
            f"{animation.action_influence:g}, which no bake can be laid over.",
            "Push it down in the NLA editor first.",
        )


def plays_animation(block: Any) -> bool:
    """Return whether a block has animation of its own (an action or an NLA strip)."""
    held = own_state(block)
    animation = block.animation_data
    if held is not None:
        return held[1] is not None or bool(_own_strips(block))
    return animation is not None and (animation.action is not None or bool(_own_strips(block)))


def own_state(block: Any) -> tuple[Before, Any] | None:
    """Return what lies under the bakes on a block, or None where there are no bakes."""
    for part in parts_on(block):
        found = read_before(part)
        if found is not None:
            return found
    return None


def parts_on(block: Any) -> list[Part]:
    """Return the parts of bakes that lie on a block now."""
    animation = block.animation_data
    if animation is None:
        return []
    found = []
    for holder in (animation, *our_strips(animation)):
        if holder.action is None or (HAS_SLOTS and slot_of(holder) is None):
            continue
        if not is_bake_of(holder.action, block):
            continue
        part = Part(str(block.id_type), str(block.name), holder.action, slot_of(holder))
        if read_before(part) is not None:
            found.append(part)
    return found


def take_off(block: Any) -> None:
    """Take every bake off a block: its animation is as if there had never been one."""
    held = own_state(block)
    if held is None:
        return
    before, action = held
    parts, animation = parts_on(block), block.animation_data
    is_top = any(part.action == animation.action for part in parts)
    # Whoever keyed meanwhile has an action on top; then the pushed one stays in its track.
    is_pushed = bool(before.base) and animation.action is None
    remove_ours(animation, before.base if is_pushed or is_top else "")
    put_back(block, before, action, replaced=is_top or is_pushed)
    for part in parts:
        forget_before(part)


def lay_over(block: Any, bakes: list[Laid]) -> None:
    """Lay bakes over a block that has none on it, in this order."""
    if not bakes:
        return
    animation = block.animation_data
    under = _strip_paths(block)
    active = {} if animation is None else _paths(animation.action, slot_of(animation))
    moved = dict.fromkeys(path for bake in bakes for path in bake.paths)
    before, action = capture(block, {path: path in under or path in active for path in moved})
    animation = animation or block.animation_data_create()
    top = next((bake for bake in bakes if bake.replaces), None)
    if top is not None:
        before = replace(before, change="top")
        if action is not None and action.library is None:
            action.use_fake_user = True
        assign(animation, top.part.action, top.part.slot)
        animation.action_blend_type, animation.action_extrapolation = "REPLACE", "HOLD"
        animation.action_influence = 1.0
        active = _paths(top.part.action, top.part.slot)
    strips = [bake for bake in bakes if bake is not top]
    if strips:
        animation.use_nla = True
        paths = dict.fromkeys(path for bake in strips for path in bake.paths)
        if not active.keys().isdisjoint(paths) and animation.action_blend_type == "REPLACE":
            before = _make_room(block, animation, before, active, under)
        values = {(path, index): value for path, index, value in before.values}
        ground = {path: values[path] for path in paths if path in values and path not in active}
        add_rest(block, animation, ground)
        add_strips(animation, [(one.part, one.first, one.last) for one in strips])
    for bake in bakes:
        keep_before(bake.part, before, action)
    block.update_tag(refresh={"TIME"})


def _make_room(
    block: Any, animation: Any, before: Before, active: dict[Path, None], under: dict[Path, None]
) -> Before:
    """See that the active action lets the strips below it through."""
    if active.keys().isdisjoint(under) and all(rests_at_zero(block, *path) for path in active):
        animation.action_blend_type = "ADD"
        return replace(before, change=before.change or "add")
    return replace(before, change=before.change or "push", base=add_base(animation))


def _paths(action: Any, slot: Any) -> dict[Path, None]:
    if action is None:
        return {}
    return {
        (str(curve.data_path), int(curve.array_index)): None
        for curve in played_curves(action, slot)
    }


def _own_strips(block: Any) -> list[Any]:
    animation = block.animation_data
    tracks = [] if animation is None else animation.nla_tracks
    return [
        strip
        for track in tracks
        if not track.mute and not is_ours(track)
        for strip in track.strips
        if not is_our_strip(strip)
    ]


def _strip_paths(block: Any) -> dict[Path, None]:
    found: dict[Path, None] = {}
    for strip in _own_strips(block):
        found |= _paths(strip.action, slot_of(strip))
    return found
