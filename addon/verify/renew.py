"""Bring evidence up to date with bakes that were edited or removed through Microface since."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ...report.proof.evidence import Event
from ...report.proof.measures import CURVE_SLACK
from ..bake.kept import as_dragged, bakes_of
from ..bake.record import BakeRecord
from ..bake.shaping import limited_weights, shown
from .collect import curve_tolerance


def renewed(obj: Any, events: tuple[Event, ...]) -> Iterator[Event]:
    """Yield the events whose bakes are there and on, as they were edited.

    Strength, balance, timing and start may be edited; what such a bake is to play is what its
    record on the action says, and is no longer what was generated: its surface is held to what it
    does now.
    """
    kept = {one.name: one for one in bakes_of(obj)}
    for event in events:
        if not event.targets:
            yield event
            continue
        bake = kept.get(event.action)
        if bake is None:
            continue
        record = as_dragged(bake)
        if not record.settings.muted:
            yield _as_edited(obj, event, record)


def _as_edited(obj: Any, event: Event, record: BakeRecord) -> Event:
    names = [channel.name for channel in record.channels]
    columns = [names.index(name) for name in event.channels]
    weights = limited_weights(record)[:, columns].astype(np.float32)
    frames = shown(record).source_frames
    same = np.allclose(frames, event.frames, atol=1e-6) and np.array_equal(weights, event.weights)
    if same:
        return event
    start = float(record.settings.start_frame)
    edited = replace(
        event,
        weights=weights,
        frames=frames,
        start_frame=start,
        times=(frames - start) / float(record.fps),
        provenance={**event.provenance, "edited": _told(record)},
    )
    # No account of the solve holds for it any more: the next measures are its limits.
    limits = {key: one for key, one in event.limits.items() if key != "motion_unexplained"}
    tolerance = curve_tolerance(obj, edited)
    return replace(edited, limits=limits | {"curve_error": tolerance + CURVE_SLACK})


def _told(record: BakeRecord) -> str:
    one = record.settings
    said = f"strength {one.strength:g}, balance {one.balance:g}, start {one.start_frame:g}"
    return f"{said}, timing {one.timing}"
