"""What a data block's animation was before bakes were laid over it, for putting it back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .curves import HAS_SLOTS, Part, Path, assign, slot_by_handle, slot_of
from .rest import GONE, read_number, write_number

#: Custom properties of a bake's action, each followed by a slot's handle.
STATE, ACTION = "microface_before_", "microface_before_action_"


@dataclass(frozen=True)
class Before:
    """A block's animation without the bakes.

    `animated`: whether it had any animation data. `handle` of the active action's slot (-1: none),
    whether that action had a fake user (`kept`), and how it was blended; `active_track` is the
    place of the active NLA track (-1: none). `values` (path, index, value) of those numbers that
    the bakes move and nothing else animates. `change`: what laying bakes over it did to the active
    action: nothing "", set it to "add", put another on "top", or "push"ed it to the track `base`.
    """

    animated: bool
    handle: int
    last_slot: str
    kept: bool
    blend_type: str
    extrapolation: str
    influence: float
    use_nla: bool
    active_track: int
    values: tuple[tuple[str, int, float], ...]
    change: str = ""
    base: str = ""


def capture(block: Any, animated: Mapping[Path, bool]) -> tuple[Before, Any]:
    """Return a block's state and its active action.

    `animated` says of the numbers that the bakes will move whether the user's animation does too.
    """
    animation = block.animation_data
    action = animation.action if animation else None
    slot = slot_of(animation) if action is not None else None
    before = Before(
        animated=animation is not None,
        handle=-1 if slot is None else int(slot.handle),
        last_slot=str(animation.last_slot_identifier) if animation and HAS_SLOTS else "",
        kept=action is not None and bool(action.use_fake_user),
        blend_type=str(animation.action_blend_type) if animation else "REPLACE",
        extrapolation=str(animation.action_extrapolation) if animation else "HOLD",
        influence=float(animation.action_influence) if animation else 1.0,
        use_nla=bool(animation.use_nla) if animation else True,
        active_track=_active_track(animation),
        values=tuple(
            (path, index, read_number(block, path, index))
            for (path, index), also in animated.items()
            if not also
        ),
    )
    return before, action


def keep_before(part: Part, before: Before, action: Any) -> None:
    """Keep a block's state on a bake's action, with the user's action itself."""
    part.action[f"{STATE}{part.handle}"] = json.dumps(asdict(before))
    if action is not None:
        part.action[f"{ACTION}{part.handle}"] = action


def read_before(part: Part) -> tuple[Before, Any] | None:
    """Return the state and the user's action that a part keeps, or None."""
    text = part.action.get(f"{STATE}{part.handle}")
    if text is None:
        return None
    head = json.loads(text)
    head["values"] = tuple((path, index, value) for path, index, value in head["values"])
    return Before(**head), part.action.get(f"{ACTION}{part.handle}")


def forget_before(part: Part) -> None:
    """Take the state off a bake's action."""
    for name in (f"{STATE}{part.handle}", f"{ACTION}{part.handle}"):
        if name in part.action:
            del part.action[name]


def put_back(block: Any, before: Before, action: Any, *, replaced: bool) -> None:
    """Give a block its animation back; `replaced` says that its active action is not its own."""
    animation = block.animation_data
    if animation is not None:
        if replaced:
            assign(animation, action, slot_by_handle(action, before.handle))
        if before.change in {"add", "top"} and animation.action_blend_type != before.blend_type:
            animation.action_blend_type = before.blend_type
        if before.change == "top":
            animation.action_extrapolation = before.extrapolation
            animation.action_influence = before.influence
            if action is not None and action.library is None:
                action.use_fake_user = before.kept
        if animation.use_nla != before.use_nla:
            animation.use_nla = before.use_nla
        if HAS_SLOTS and animation.action is None:
            animation.last_slot_identifier = before.last_slot
        if _active_track(animation) < 0 <= before.active_track < len(animation.nla_tracks):
            animation.nla_tracks.active = animation.nla_tracks[before.active_track]
        is_bare = not (animation.action or animation.drivers or animation.nla_tracks)
        if is_bare and not before.animated:
            block.animation_data_clear()
    for path, index, value in before.values:
        try:
            write_number(block, path, index, value)
        except GONE:
            continue  # The shape key or control has been deleted since.
    block.update_tag(refresh={"TIME"})


def _active_track(animation: Any) -> int:
    tracks = animation.nla_tracks if animation else ()
    return next((place for place, track in enumerate(tracks) if track.active), -1)
