"""From a bake's record to its curves: pure numbers, the same ones every time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..character.channels import Target
from .record import BakeRecord
from .retime import held, retimed
from .sides import gains
from .time import thin, whole_between

#: A curve's keys: curve frames (N,), rising, and values (N,); straight lines between them.
Keys = tuple[NDArray[np.float64], NDArray[np.float64]]

#: Blender merges keys that lie within a hundredth of a frame.
MERGED_FRAMES = 0.0101

#: Where a clip does not begin or end at rest, the expression comes or goes in this time.
RELEASE_SECONDS = 0.1


@dataclass(frozen=True)
class Shown:
    """When the samples of a bake are shown.

    `frames` (N,) scene frames, rising, and `order` (N,) which source frame each shows (the apex
    twice where it is held); `keep` which of the N are onset, apex and offset.
    """

    frames: NDArray[np.float64]
    order: NDArray[np.int64]
    keep: tuple[int, ...]

    @property
    def source_frames(self) -> NDArray[np.float64]:
        """The scene frame of each source frame, (T,): of a held apex the first."""
        _, first = np.unique(self.order, return_index=True)
        return np.asarray(self.frames[first])


def shown(record: BakeRecord) -> Shown:
    """Return when a bake's samples are shown; raises `InputError` for a hold without room."""
    settings = record.settings
    seconds = retimed(record.times, record.moments, settings.timing)
    frames = record.time_base.frames(seconds)
    frames, order = held(frames, record.moments, settings.timing.hold)
    moments = (record.moments.onset, record.moments.apex, record.moments.offset)
    return Shown(frames, order, tuple(int(one) for one in np.flatnonzero(np.isin(order, moments))))


def asked_weights(record: BakeRecord) -> NDArray[np.float64]:
    """Return the weights (T,S) at a bake's strength and balance, before any limit."""
    factors = record.settings.strength * gains(record.sides, record.settings.balance)
    if (factors == 1.0).all():
        return record.weights
    return np.asarray(record.weights * factors)


def limited_weights(record: BakeRecord) -> NDArray[np.float64]:
    """Return the weights (T,S) within each channel's bounds."""
    lower = np.array([channel.lower for channel in record.channels])
    upper = np.array([channel.upper for channel in record.channels])
    return np.clip(asked_weights(record), lower, upper)


@lru_cache(maxsize=512)
def target_deltas(record: BakeRecord) -> Mapping[Target, Keys]:
    """Return the keys of each target as changes from its neutral; silent targets have one of 0.

    Keys lie at the clip's true times, thinned to the tolerance with onset, apex and offset always
    kept, or on every whole scene frame. Each begins and ends at 0.
    """
    when = shown(record)
    weights = limited_weights(record)[when.order]
    sums: dict[Target, NDArray[np.float64]] = {}
    slack: dict[Target, float] = {}
    for channel, column in zip(record.channels, weights.T, strict=True):
        span = channel.unit
        for target in channel.targets:
            sums[target] = sums[target] + column if target in sums else column
            slack[target] = min(slack.get(target, np.inf), record.tolerance * span)
    return {target: _keys(record, when, values, slack[target]) for target, values in sums.items()}


def bounds_of(record: BakeRecord) -> dict[Target, tuple[float, float]]:
    """Return how far each target may be moved from its neutral, down and up."""
    bounds: dict[Target, tuple[float, float]] = {}
    for channel in record.channels:
        for target in channel.targets:
            low, high = bounds.get(target, (0.0, 0.0))
            bounds[target] = (low + channel.lower, high + channel.upper)
    return bounds


def neutral_of(record: BakeRecord) -> dict[Target, float]:
    """Return each target's value at rest."""
    return {target: one.neutral for one in record.channels for target in one.targets}


def is_silent(keys: Keys) -> bool:
    """Return whether a curve of changes changes nothing."""
    return not keys[1].any()


def _keys(record: BakeRecord, when: Shown, values: NDArray[np.float64], slack: float) -> Keys:
    base = record.time_base
    if not values.any():
        return base.curve_frames(when.frames[:1]), np.zeros(1)
    if record.whole_frames:
        frames = whole_between(when.frames).astype(np.float64)
        values = np.interp(frames, when.frames, values)
    else:
        chosen = thin(when.frames, values, when.keep, slack)
        frames, values = when.frames[chosen], values[chosen]
    frames, values = _released(frames, values, RELEASE_SECONDS * float(base.fps), record)
    return apart(base.curve_frames(frames), values)


def _released(
    frames: NDArray[np.float64], values: NDArray[np.float64], release: float, record: BakeRecord
) -> Keys:
    """Let a curve come from 0 and go to 0, for nothing of it to stay for the rest of the shot."""
    if record.whole_frames:
        release = float(np.ceil(release))
    if values[0] != 0.0:
        frames = np.concatenate([frames[:1] - release, frames])
        values = np.concatenate([[0.0], values])
    if values[-1] != 0.0:
        frames = np.concatenate([frames, frames[-1:] + release])
        values = np.concatenate([values, [0.0]])
    return frames, values


def apart(frames: NDArray[Any], values: NDArray[np.float64]) -> Keys:
    """Leave out keys that Blender would merge, in its 32 bits, with the one before.

    Of two such keys the one that says more stays; the first and the last always do.
    """
    coarse = frames.astype(np.float32)
    kept = [0]
    for index in range(1, len(frames)):
        if coarse[index] - coarse[kept[-1]] > MERGED_FRAMES:
            kept.append(index)
        elif len(kept) > 1 and (
            index == len(frames) - 1 or abs(values[index]) > abs(values[kept[-1]])
        ):
            kept[-1] = index
    return frames[kept], values[kept]
