"""What each control of a rig does, found by turning it: bounds, rest, the way it bends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from .knobs import Knob
from .puppet import Puppet

#: A shape key that changes by less than this is not moved.
SMALLEST_CHANGE = 1e-4
#: Steps at which a knob without bounds is tried, in its own unit: it may be in metres or in
#: centimetres, on a rig the size of a fly or of a house.
LADDER = tuple(10.0**power for power in range(-4, 4))
#: Keys that a knob moves at least this much as fast as its fastest decide how far it goes.
COUNTING_SHARE = 0.2
#: Shares of a side's range at which its effect is sampled.
SAMPLES = (0.25, 0.5, 1.0)
#: Two sides whose effects differ by more than this share do different things.
SAME_SHARE = 0.05


@dataclass(frozen=True)
class Effect:
    """What a knob does between `low` and `high` around its `rest`.

    `up` and `down` (K,) float64: change of each driven key per unit, for small moves to each
    side; `is_linear` whether that holds for the whole range.
    """

    knob: Knob
    rest: float
    low: float
    high: float
    up: NDArray[np.float64]
    down: NDArray[np.float64]
    is_linear: bool

    @property
    def has_two_faces(self) -> bool:
        """Whether the knob does one thing on one side of its rest and another on the other."""
        if not (self.low < self.rest < self.high):
            return False
        larger = max(float(np.abs(self.up).max()), float(np.abs(self.down).max()))
        return float(np.abs(self.up - self.down).max()) > SAME_SHARE * larger


def probe(doll: Puppet, knobs: list[Knob]) -> list[Effect]:
    """Turn every knob and return what those do that do something.

    Knobs that share no shape key are turned together: a rig of hundreds is probed in as many
    evaluations as its most crowded key has knobs.
    """
    rests = {id(knob): min(max(knob.rest, knob.low), knob.high) for knob in knobs}
    groups = list(_apart(knobs))
    for group in groups:
        _find_rest(doll, group, rests)
    effects = []
    for group in groups:
        effects += _effects(doll, group, rests)
    return effects


def _apart(knobs: list[Knob]) -> Iterable[list[Knob]]:
    """Split the knobs into groups within which no two have a shape key in common."""
    groups: list[tuple[list[Knob], set[tuple[str, str]]]] = []
    for knob in knobs:
        for group, taken in groups:
            if taken.isdisjoint(knob.sinks):
                group.append(knob)
                taken |= knob.sinks
                break
        else:
            groups.append(([knob], set(knob.sinks)))
    return [group for group, _ in groups]


def _columns(doll: Puppet, knob: Knob) -> NDArray[np.int64]:
    return np.array([index for index, sink in enumerate(doll.sinks) if sink in knob.sinks])


def _turn(
    doll: Puppet, group: list[Knob], values: list[float], rests: dict[int, float]
) -> NDArray[np.float64]:
    """Return the driven keys (K,) with the knobs of a group at given values."""
    for knob, value in zip(group, values, strict=True):
        doll.set(knob.target, value)
    read = doll.read()
    for knob in group:
        doll.set(knob.target, rests[id(knob)])
    return read


def _find_rest(doll: Puppet, group: list[Knob], rests: dict[int, float]) -> None:
    """Let each knob rest where its keys are nearest to zero: zero, its default, or between."""
    tries: list[list[float]] = []
    for knob in group:
        known = [min(max(0.0, knob.low), knob.high), rests[id(knob)], knob.target.get()]
        if isfinite(knob.low) and isfinite(knob.high):
            known += list(np.linspace(knob.low, knob.high, 5))
        if knob.target.data_path.endswith(("location", "rotation_euler", "scale")) and knob.bone:
            known = [rests[id(knob)]]
        tries.append(known)
    best = [np.inf] * len(group)
    for step in range(max(map(len, tries))):
        values = [known[min(step, len(known) - 1)] for known in tries]
        read = np.abs(_turn(doll, group, values, rests))
        for index, knob in enumerate(group):
            total = float(read[_columns(doll, knob)].sum())
            if total < best[index] - SMALLEST_CHANGE:
                best[index] = total
                rests[id(knob)] = values[index]
    for knob in group:
        doll.set(knob.target, rests[id(knob)])


def _effects(doll: Puppet, group: list[Knob], rests: dict[int, float]) -> list[Effect]:
    still = doll.read()
    highs = _reaches(doll, group, rests, still, 1.0)
    lows = _reaches(doll, group, rests, still, -1.0)
    sampled: dict[float, NDArray[np.float64]] = {}
    for share in SAMPLES:
        for side, ends in ((1.0, highs), (-1.0, lows)):
            values = [
                rests[id(knob)] + share * (end - rests[id(knob)])
                for knob, end in zip(group, ends, strict=True)
            ]
            sampled[side * share] = _turn(doll, group, values, rests) - still
    effects = []
    for knob, low, high in zip(group, lows, highs, strict=True):
        mine = np.zeros(len(still))
        mine[_columns(doll, knob)] = 1.0
        rest = rests[id(knob)]
        slopes = {}
        for share, change in sampled.items():
            span = abs(share) * ((high if share > 0 else low) - rest)
            slopes[share] = mine * change / span if span else np.zeros(len(still))
        small = SAMPLES[0]
        up, down = slopes[small], slopes[-small]
        moves = {side: _moves(sampled, mine, side) for side in (1.0, -1.0)}
        if not any(moves.values()):
            continue
        linear = all(
            float(np.abs(slopes[side * share] - slopes[side * small]).max())
            <= SAME_SHARE * float(np.abs(slopes[side * small]).max())
            for side in (1.0, -1.0)
            for share in SAMPLES
            if moves[side]
        )
        effects.append(
            Effect(
                knob,
                rest,
                low if moves[-1.0] else rest,
                high if moves[1.0] else rest,
                up,
                down,
                linear,
            )
        )
    return effects


def _moves(
    sampled: dict[float, NDArray[np.float64]], mine: NDArray[np.float64], side: float
) -> bool:
    return any(
        float(np.abs(mine * sampled[side * share]).max()) > SMALLEST_CHANGE for share in SAMPLES
    )


def _reaches(
    doll: Puppet,
    group: list[Knob],
    rests: dict[int, float],
    still: NDArray[np.float64],
    side: float,
) -> list[float]:
    """Return how far each knob goes to one side: to its bound, or until its keys are at theirs."""
    ends = [knob.high if side > 0 else knob.low for knob in group]
    if all(map(isfinite, ends)):
        return ends
    slope = [np.zeros(len(still)) for _ in group]
    change = [np.zeros(len(still)) for _ in group]
    for rung in LADDER:
        values = [
            rests[id(knob)] if isfinite(end) else rests[id(knob)] + side * rung
            for knob, end in zip(group, ends, strict=True)
        ]
        moved = np.abs(_turn(doll, group, values, rests) - still)
        for index, knob in enumerate(group):
            mine = moved[_columns(doll, knob)] if not isfinite(ends[index]) else np.zeros(1)
            if mine.max(initial=0.0) <= SMALLEST_CHANGE:
                continue
            columns = _columns(doll, knob)
            slope[index][columns] = np.maximum(slope[index][columns], mine / rung)
            change[index][columns] = np.maximum(change[index][columns], mine)
    reached = []
    for knob, end, fast, far in zip(group, ends, slope, change, strict=True):
        if isfinite(end):
            reached.append(end)
            continue
        counting = fast > COUNTING_SHARE * float(fast.max(initial=0.0))
        span = float((far[counting] / fast[counting]).max()) if counting.any() else 0.0
        reached.append(rests[id(knob)] + side * span)
    return reached
