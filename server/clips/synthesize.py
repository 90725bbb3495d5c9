"""Render a source clip of a built-in head from curves of action units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...models.heads.expressions import RECIPES, expression_weights
from .limits import LONG
from .records import ActionUnit
from .unit_curves import UnitCurve

#: Units that the built-in head has beyond those of the recipes, by stem; True where it has sides.
_FURTHER: dict[int, tuple[str, bool]] = {
    11: ("nasolabialDeepen", True),
    13: ("lipPullSharp", True),
    21: ("neckTighten", False),
    23: ("lipTighten", True),
    38: ("nostrilDilate", False),
    39: ("nostrilCompress", False),
    41: ("lidDroop", True),
}
#: Of the most intensity, what counts as the expression's beginning and end.
_ON_SHARE = 0.02


@dataclass(frozen=True)
class Course:
    """What a clip will show: each shape's canonical amount (T,), and its annotation.

    `onset`, `apex` and `offset` are frames: the last before the motion, its peak, and the first
    after it (the last frame where it does not end).
    """

    weights: dict[str, NDArray[np.float32]]
    fps: Fraction
    frames: int
    onset: int
    apex: int
    offset: int
    units: tuple[ActionUnit, ...]


def known_units() -> tuple[int, ...]:
    """Return the numbers of the action units that can be rendered."""
    numbers = {int(n) for name in RECIPES if (n := name.removeprefix("AU")).isdecimal()}
    return tuple(sorted(numbers | set(_FURTHER)))


def course_of(curves: Sequence[UnitCurve], fps: Fraction, seconds: float | None = None) -> Course:
    """Return what curves make of a clip of `seconds` (up to the last point if None).

    The clip has to begin at rest, as every source clip has. Raises InputError where it does not,
    where a unit cannot be rendered, where nothing moves or where it is shorter than two frames, or
    longer than a recording may be.
    """
    last = max(float(curve.seconds[-1]) for curve in curves) if seconds is None else seconds
    if not last * float(fps) < LONG.max_frames:
        raise InputError(
            f"A clip of {last:g} s has more than {LONG.max_frames} frames.",
            "Give an earlier last time, or --seconds.",
        )
    frames = int(np.floor(last * float(fps) + 1e-6)) + 1
    if frames < 2:
        raise InputError(f"A clip of {last:g} s has one frame.", "Give a later time, or --seconds.")
    times = np.arange(frames) / float(fps)
    weights: dict[str, NDArray[np.float64]] = {}
    total = np.zeros(frames)
    for curve in curves:
        amount = curve.at(times)
        total += amount
        for name, share in _shapes(curve).items():
            weights[name] = weights.get(name, np.zeros(frames)) + share * amount
    peak = float(total.max())
    if peak <= 0:
        raise InputError("Nothing moves in these curves.", "Give intensities over 0.")
    if total[0] > _ON_SHARE * peak:
        raise InputError("The clip does not begin at rest.", "Let every intensity be 0 at time 0.")
    apex = int(total.argmax())
    still = np.flatnonzero(total <= _ON_SHARE * peak)
    before, after = still[still < apex], still[still > apex]
    return Course(
        {name: np.clip(w, 0, 1).astype(np.float32) for name, w in weights.items()},
        fps,
        frames,
        int(before[-1]) if len(before) else 0,
        apex,
        int(after[0]) if len(after) else frames - 1,
        tuple(ActionUnit(c.number, c.side, order) for order, c in enumerate(curves)),
    )


def rendered(
    course: Course, identity: str, pixels: int, noise_levels: float, seed: int
) -> Iterator[NDArray[np.uint8]]:
    """Draw the clip's frames (pixels, pixels, 3) uint8 of a built-in head.

    `noise_levels` is the standard deviation of the sensor's noise in grey levels, drawn from
    `seed`. Raises InputError for an unknown identity.
    """
    from ...head.identity import IDENTITIES
    from .builtin import drawn

    if identity not in IDENTITIES:
        raise InputError(
            f"There is no built-in head {identity!r}.", f"Choose from {', '.join(IDENTITIES)}."
        )
    rng = np.random.default_rng([seed, 100])
    for frame in drawn(identity, course.weights, course.frames, pixels, canonical=True):
        noise = rng.standard_normal(frame.shape, np.float32) * np.float32(noise_levels)
        yield np.asarray(np.clip(frame + noise + 0.5, 0, 255), dtype=np.uint8)


def _shapes(curve: UnitCurve) -> dict[str, float]:
    left, right = float(curve.side != "right"), float(curve.side != "left")
    if curve.number in _FURTHER:
        stem, sided = _FURTHER[curve.number]
        if not sided:
            return {stem: 1.0}
        return {stem + "Left": left, stem + "Right": right}
    name = f"AU{curve.number}"
    if name not in RECIPES:
        raise InputError(
            f"{name} cannot be rendered.",
            f"Choose from {', '.join(str(number) for number in known_units())}.",
        )
    return {n: share for n, share in expression_weights(name, left, right).items() if share}
