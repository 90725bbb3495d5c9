"""From solved weights to keyed shape keys and controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ..character.channels import Channel
from ..character.shape_keys import ACTION_PREFIX
from .curves import make_parts, remove_parts
from .kept import Kept, bakes_of, kept_bakes
from .layers import parts_on, plays_animation
from .overlap import Cut
from .owners import blocks_of, drop_everywhere, find_block
from .problem import Solved
from .record import BakeRecord, Settings, write_record
from .retime import Moments, Timing
from .shaping import limited_weights, shown
from .sides import channel_sides
from .stack import cuts_of, restack
from .time import TOLERANCE, TimeBase, onset_apex_offset
from .weights_csv import write_weights

#: Ways to lay a bake over a character.
LAYERS = ("auto", "action", "nla")


@dataclass(frozen=True)
class ShapeKeyBake:
    """Channels keyed from a clip.

    `weights` (T,S) of the S `names` as keyed, exact zeros where nothing speaks for a channel, at
    `times` (T,) seconds from the clip's start as it is timed in the scene; `residual_pixels` (T,)
    what no channel could express; `onset`, `apex`, `offset` source frame indices; `action_name` of
    the new action, which is the bake's name; `time_base` where it lies in the scene; `key_count`
    keys written in all; `layer` "action" or "nla"; `cuts` where bounds cut it.
    """

    object_name: str
    names: tuple[str, ...]
    times: NDArray[np.float64]
    weights: NDArray[np.float64]
    residual_pixels: NDArray[np.float64]
    onset: int
    apex: int
    offset: int
    action_name: str
    time_base: TimeBase
    key_count: int
    layer: str = "action"
    cuts: tuple[Cut, ...] = ()

    def write_csv(self, path: Path) -> None:
        """Write the weights as a table: `time` and a column per channel."""
        write_weights(path, self.names, self.times, self.weights)

    def active(self) -> tuple[str, ...]:
        """Return the names of the channels that move, the strongest first."""
        peak = np.abs(self.weights).max(axis=0)
        order = np.argsort(-peak, kind="stable")
        return tuple(self.names[index] for index in order if peak[index] > 0)


def key_weights(
    obj: Any,
    clip_name: str,
    channels: Sequence[Channel],
    times: NDArray[np.float64],
    solved: Solved,
    time_base: TimeBase,
    *,
    whole_frames: bool = False,
    tolerance: float = TOLERANCE,
    layer: str = "auto",
    strength: float = 1.0,
    balance: float = 0.0,
    timing: Timing | None = None,
    muted: bool = False,
    sides: Sequence[str] = (),
) -> ShapeKeyBake:
    """Key solved weights (T,S) of `channels` (S) at `times` (T,) on a character.

    Keys sit at the clip's true times, on sub-frames; onset, apex and offset are always kept;
    in between, curves are thinned to `tolerance` (weight). With `whole_frames` the curves are
    sampled on the scene's frames instead. `layer` "action": in an action of its own, in which
    every channel has a curve, in place of the block's own action (which is kept); "nla": added to
    what plays already, and only channels that move have curves; "auto": the latter where something
    plays. `strength`, `balance`, `timing` and `muted` can be edited later; `sides` (S) of channels
    whose names do not tell theirs. Raises `InputError` with nothing changed.
    """
    if layer not in LAYERS:
        raise InputError(f"There is no layer '{layer}'.", f"Give one of: {', '.join(LAYERS)}.")
    if not 0 <= tolerance <= 1:
        raise InputError(f"A tolerance of {tolerance:g} cannot be used.", "Give 0 to 1 (weight).")
    if not len(times) or not np.isfinite(solved.weights).all():
        raise InputError("The solved weights hold no numbers.", "Generate the clip again.")
    channels = tuple(channels)
    weights = np.array(solved.weights, np.float64)
    lower = np.array([channel.lower for channel in channels])
    upper = np.array([channel.upper for channel in channels])
    record = BakeRecord(
        order=1 + max((one.record.order for one in kept_bakes()), default=0),
        clip=clip_name,
        object_name=str(obj.name),
        layer="action",
        fps=time_base.fps,
        stretch=time_base.stretch,
        tolerance=float(tolerance),
        whole_frames=whole_frames,
        moments=Moments(*onset_apex_offset(np.clip(weights, lower, upper))),
        channels=channels,
        sides=channel_sides([channel.name for channel in channels], sides),
        times=np.array(times, np.float64),
        weights=weights,
        settings=Settings(
            float(time_base.start_frame), strength, balance, timing or Timing(), muted
        ),
    )
    when = shown(record)
    blocks = [find_block(name) for name in blocks_of(record)]
    busy = any(plays_animation(block) or parts_on(block) for block in blocks if block is not None)
    if layer == "nla" or (layer == "auto" and busy):
        record = replace(record, layer="nla")
    kept = _laid(record, f"{ACTION_PREFIX} {clip_name}")
    return ShapeKeyBake(
        str(obj.name),
        tuple(channel.name for channel in channels),
        _shown_seconds(record, when.source_frames),
        limited_weights(record),
        solved.residual_pixels,
        record.moments.onset,
        record.moments.apex,
        record.moments.offset,
        kept.name,
        time_base,
        sum(len(curve.keyframe_points) for part in kept.parts for curve in part.curves),
        record.layer,
        cuts_of([kept])[kept.name],
    )


def unbake_shape_keys(obj: Any) -> bool:
    """Remove every bake of a character; returns whether there was one.

    Its own animation and sliders are as they were before the bakes.
    """
    bakes = bakes_of(obj)
    for kept in reversed(bakes):
        remove_kept(kept)
    return bool(bakes)


def remove_kept(kept: Kept) -> None:
    """Take a bake off and delete it."""
    name, settings = kept.name, kept.record.settings
    write_record(kept.action, kept.record.with_settings(Settings(muted=True)))
    try:
        restack(kept.blocks, editing=name)
    except InputError:
        write_record(kept.action, kept.record.with_settings(settings))
        raise
    drop_everywhere(kept.parts)
    remove_parts(kept.parts)


def _laid(record: BakeRecord, name: str) -> Kept:
    parts = make_parts(name, blocks_of(record))
    action = parts[0].action
    try:
        write_record(action, record)
        restack(blocks_of(record), editing=str(action.name))
    except InputError:
        remove_parts(parts)
        raise
    return Kept(action, record)


def _shown_seconds(record: BakeRecord, source_frames: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return when each source frame is shown, in seconds; as in the clip unless it is retimed."""
    if record.settings.timing == Timing():
        return record.times
    return record.time_base.seconds(source_frames)
