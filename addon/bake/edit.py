"""Bakes listed, edited and removed, without the server: the weights are kept in the file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from ...errors import InputError
from .kept import Kept, as_dragged, bake_called, bakes_of
from .overlap import Cut
from .record import BakeRecord, write_record
from .retime import Timing, retimed
from .shape_keys import remove_kept
from .shaping import limited_weights, shown
from .stack import cuts_of, fold_drag, is_by_hand, restack


@dataclass(frozen=True)
class BakeInfo:
    """A bake as it lies in the file.

    `name` to call it by, `object_name` of the character, `clip`, `layer` "action" or "nla", `fps`
    of the scene it was made for. What can be edited: `start_frame`, `strength`, `balance`,
    `duration` (seconds from the first source frame to the last), `hold`, `muted`; `clip_duration`
    is the source clip's own. `onset`, `apex`, `offset` in scene frames (of a held apex the first),
    `onset_seconds`, `apex_seconds`, `offset_seconds` from the start, without the hold. `channels`
    that move, the strongest first; `sides` "left", "right" or "" of these; `cuts` where bounds cut
    it; `edited_by_hand` whether its curves are others than were written.
    """

    name: str
    object_name: str
    clip: str
    layer: str
    fps: Fraction
    start_frame: float
    strength: float
    balance: float
    duration: float
    clip_duration: float
    hold: int
    muted: bool
    onset: float
    apex: float
    offset: float
    onset_seconds: float
    apex_seconds: float
    offset_seconds: float
    last_frame: float
    channels: tuple[str, ...]
    sides: tuple[str, ...]
    cuts: tuple[Cut, ...]
    edited_by_hand: bool


def list_bakes(obj: Any) -> list[BakeInfo]:
    """Return the bakes of a character in the order they were made."""
    bakes = bakes_of(obj)
    cuts = cuts_of(bakes)
    return [_info(kept, cuts[kept.name]) for kept in bakes]


def edit_bake(
    obj: Any,
    name: str,
    *,
    strength: float | None = None,
    balance: float | None = None,
    duration: float | None = None,
    start_frame: float | None = None,
    hold: int | None = None,
    muted: bool | None = None,
    onset: float | None = None,
    apex: float | None = None,
    offset: float | None = None,
    discard_hand_edits: bool = False,
) -> BakeInfo:
    """Change a bake's settings; what is None stays. Returns the bake as it is then.

    `strength` 0 to 4 of what was solved; `balance` -1 (the character's right alone) to 1 (its left
    alone); `duration` of the whole clip, and `onset`, `apex`, `offset` from its start, in seconds;
    `start_frame` of the scene; `hold` on how many whole frames the apex is shown; `muted` takes it
    off the character but keeps it in the file. The same settings give the same curves bit for
    bit. Raises `InputError`, with nothing changed, for values out of range, a hold without room,
    and curves edited by hand (unless `discard_hand_edits`).
    """
    kept = fold_drag(bake_called(obj, name))
    old = kept.record.settings
    settings = replace(
        old,
        start_frame=old.start_frame if start_frame is None else float(start_frame),
        strength=old.strength if strength is None else float(strength),
        balance=old.balance if balance is None else float(balance),
        muted=old.muted if muted is None else bool(muted),
        timing=_edited(kept.record, duration, onset, apex, offset, hold),
    )
    record = kept.record.with_settings(settings)
    shown(record)  # Raises where a hold has no room, before anything is changed.
    write_record(kept.action, record)
    try:
        restack(kept.blocks, editing=name, discard=discard_hand_edits)
    except InputError:
        write_record(kept.action, kept.record)
        raise
    edited = Kept(kept.action, record)
    return _info(edited, cuts_of([edited])[name])


def remove_bake(obj: Any, name: str) -> None:
    """Delete a bake: everything it changed is as it was. Raises `InputError` if there is none."""
    remove_kept(bake_called(obj, name))


def _edited(
    record: BakeRecord,
    duration: float | None,
    onset: float | None,
    apex: float | None,
    offset: float | None,
    hold: int | None,
) -> Timing:
    """Return the timing with what is given; what is as in the clip is not written down."""
    timing = record.settings.timing
    natural = record.times
    moments = record.moments
    if duration is not None:
        as_is = duration == float(natural[-1])
        timing = replace(timing, duration=None if as_is else float(duration))
    scale = 1.0 if timing.duration is None else timing.duration / float(natural[-1])

    def moment(given: float | None, kept: float | None, index: int) -> float | None:
        if given is None:
            return kept
        return None if given == float(natural[index]) * scale else float(given)

    return replace(
        timing,
        onset=moment(onset, timing.onset, moments.onset),
        apex=moment(apex, timing.apex, moments.apex),
        offset=moment(offset, timing.offset, moments.offset),
        hold=timing.hold if hold is None else hold,
    )


def _info(kept: Kept, cuts: tuple[Cut, ...]) -> BakeInfo:
    record = as_dragged(kept)
    settings, moments = record.settings, record.moments
    when = shown(record)
    frames = when.source_frames
    seconds = retimed(record.times, moments, settings.timing)
    peak = np.abs(limited_weights(record)).max(axis=0)
    moving = [int(one) for one in np.argsort(-peak, kind="stable") if peak[one] > 0]
    return BakeInfo(
        name=kept.name,
        object_name=record.object_name,
        clip=record.clip,
        layer=record.layer,
        fps=record.fps,
        start_frame=settings.start_frame,
        strength=settings.strength,
        balance=settings.balance,
        duration=float(seconds[-1]),
        clip_duration=float(record.times[-1]),
        hold=settings.timing.hold,
        muted=settings.muted,
        onset=float(frames[moments.onset]),
        apex=float(frames[moments.apex]),
        offset=float(frames[moments.offset]),
        onset_seconds=float(seconds[moments.onset]),
        apex_seconds=float(seconds[moments.apex]),
        offset_seconds=float(seconds[moments.offset]),
        last_frame=float(when.frames[-1]),
        channels=tuple(record.channels[one].name for one in moving),
        sides=tuple(record.sides[one] for one in moving),
        cuts=cuts,
        edited_by_hand=any(is_by_hand(part) for part in kept.parts),
    )
