"""The NLA tracks and strips of bakes."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from .curves import Part, assign, make_parts, played_curves, slot_of, write_curves
from .owners import is_bake_of
from .rest import value_at_rest

#: Names of our tracks: bakes, the static values under them, and the action that was active.
TRACK, REST, BASE = "Microface", "Microface rest", "Microface base"
#: Custom property of the action that holds static values.
IS_REST = "microface_rest"
#: A pushed action plays at least this many frames beyond its keys, on both sides.
MARGIN = 1000


def is_our_strip(strip: Any) -> bool:
    """Return whether a strip plays a bake, or the static values under one."""
    action = strip.action
    return action is not None and (IS_REST in action or is_bake_of(action, strip.id_data))


def is_ours(track: Any) -> bool:
    """Return whether a track was made for bakes and holds nothing else."""
    if track.name.startswith(BASE):
        return True
    return len(track.strips) > 0 and all(is_our_strip(strip) for strip in track.strips)


def our_strips(animation: Any) -> list[Any]:
    """Return the strips that play bakes."""
    return [
        strip
        for track in animation.nla_tracks
        for strip in track.strips
        if is_our_strip(strip) and IS_REST not in strip.action
    ]


def remove_ours(animation: Any, base: str) -> None:
    """Remove the strips of bakes, their tracks if nothing else is in them, and the track `base`."""
    rests = set()
    for track in list(animation.nla_tracks):
        ours = [strip for strip in track.strips if is_our_strip(strip)]
        rests |= {strip.action for strip in ours if IS_REST in strip.action}
        for strip in ours:
            track.strips.remove(strip)
        if (ours and not len(track.strips)) or (base and track.name == base):
            animation.nla_tracks.remove(track)
    for action in rests:
        if not action.users:
            bpy.data.actions.remove(action)


def add_strips(animation: Any, bakes: list[tuple[Part, float, float]]) -> None:
    """Add an additive strip per bake (part, first and last frame), in as few tracks as will do."""
    tracks: list[tuple[Any, list[tuple[float, float]]]] = []
    for part, first, last in bakes:
        last = max(last, first + 1.0 / 64)
        free = [one for one in tracks if all(last < start or first > end for start, end in one[1])]
        if not free:
            free = [(_new_track(animation, TRACK), [])]
            tracks += free
        track, taken = free[0]
        taken.append((first, last))
        strip = _new_strip(track, part.action.name, part.action, part.slot, first, last)
        strip.blend_type, strip.extrapolation = "ADD", "NOTHING"


def add_base(animation: Any) -> str:
    """Move the active action to a track, to play as it did; return that track's name."""
    action, slot = animation.action, slot_of(animation)
    frames = [frame for curve in played_curves(action, slot) for frame in curve.range()]
    # From frame 0 on a strip maps time to itself without rounding.
    first = 0.0
    if frames and min(frames) < 0:
        first = float(np.floor(min(frames))) - MARGIN
    last = max(float(np.ceil(max(frames, default=0.0))), bpy.context.scene.frame_end) + MARGIN
    extrapolation, blend = animation.action_extrapolation, animation.action_blend_type
    assign(animation, None, None)
    track = _new_track(animation, BASE)
    strip = _new_strip(track, action.name, action, slot, first, last)
    strip.blend_type, strip.extrapolation = blend, extrapolation
    return str(track.name)


def add_rest(block: Any, animation: Any, values: dict[tuple[str, int], float]) -> None:
    """Hold static values in a track below the bakes, for these to add to."""
    moved = {path: value for path, value in values.items() if value != value_at_rest(block, *path)}
    if not moved:
        return
    (part,) = make_parts(REST, [(str(block.id_type), str(block.name))])
    part.action[IS_REST] = True
    curves = {path: (np.zeros(1), np.array([value])) for path, value in moved.items()}
    write_curves(part, curves)
    strip = _new_strip(_new_track(animation, REST), REST, part.action, part.slot, 0.0, 1.0)
    strip.blend_type, strip.extrapolation = "REPLACE", "HOLD"


def _new_track(animation: Any, name: str) -> Any:
    tracks = animation.nla_tracks
    track = tracks.new(prev=tracks[-1]) if len(tracks) else tracks.new()
    track.name = name
    return track


def _new_strip(track: Any, name: str, action: Any, slot: Any, first: float, last: float) -> Any:
    """Add a strip that plays `first` to `last` (frames) of an action at the same frames."""
    # Where there is surely room; then it is moved to its place.
    end = max((strip.frame_end for strip in track.strips), default=0.0)
    strip = track.strips.new(name, int(end) + 10, action)
    if slot is not None:
        strip.action_slot = slot
    strip.use_sync_length, strip.use_auto_blend = False, False
    strip.action_frame_start, strip.action_frame_end = first, last
    strip.frame_start_raw = first
    strip.frame_end_raw = last
    strip.scale, strip.repeat = 1.0, 1.0
    return strip
