"""Bakes that overlap add up; where the sum would leave a channel's bounds it is cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .shaping import Keys, apart

#: A sum beyond the bounds by less than this is rounding.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Cut:
    """Where a bake is cut for its channel's bounds.

    `channel` as the artist reads it, `first_frame` to `last_frame` in scene frames, `amount` the
    most that is missing, in the channel's unit; `alone` whether the bake goes too far by itself
    (its strength), and not together with others.
    """

    channel: str
    first_frame: float
    last_frame: float
    amount: float
    alone: bool = False

    def __str__(self) -> str:
        """Say it in one line."""
        why = "at this strength" if self.alone else "where bakes overlap"
        return (
            f"{self.channel} is cut by up to {self.amount:.3g} {why}, "
            f"frames {self.first_frame:.1f} to {self.last_frame:.1f}"
        )


def cut_to_bounds(
    own: Keys, below: Sequence[Keys], lower: float, upper: float
) -> tuple[Keys, tuple[float, float, float] | None]:
    """Return a bake's curve, cut so that it and those `below` stay within the bounds together.

    All are curves of changes with straight lines between keys, 0 outside. The second value is
    (first frame, last frame, most that is missing), or None where nothing is: then `own` is
    returned as it is. The cut is exact: keys are added where the sum meets a bound.
    """
    begin, end = own[0][0], own[0][-1]
    below = [one for one in below if one[0][0] < end and one[0][-1] > begin]
    if not below:
        return own, None
    frames = _all_frames([own, *below], own)
    under = sum((_at(frames, one) for one in below), start=np.zeros(len(frames)))
    whole = under + _at(frames, own)
    limit = np.array([lower, upper])
    if _inside(whole, lower, upper) and _inside(under, lower, upper):
        return own, None
    frames = np.unique(
        np.concatenate([frames, *(_meets(frames, one, b) for one in (under, whole) for b in limit)])
    )
    under = sum((_at(frames, one) for one in below), start=np.zeros(len(frames)))
    asked = _at(frames, own)
    given: NDArray[np.float64] = np.clip(under + asked, lower, upper) - np.clip(under, lower, upper)
    missing = np.abs(asked - given)
    missed = np.flatnonzero(missing > ROUNDING)
    if not len(missed):
        return own, None
    first, last = float(frames[missed[0]]), float(frames[missed[-1]])
    return apart(frames, given), (first, last, float(missing.max()))


def _at(frames: NDArray[np.float64], keys: Keys) -> NDArray[np.float64]:
    return np.interp(frames, keys[0], keys[1], left=0.0, right=0.0)


def _all_frames(curves: Sequence[Keys], own: Keys) -> NDArray[np.float64]:
    frames = np.unique(np.concatenate([one[0] for one in curves]))
    return np.asarray(frames[(frames >= own[0][0]) & (frames <= own[0][-1])])


def _inside(values: NDArray[np.float64], lower: float, upper: float) -> bool:
    return bool((values <= upper + ROUNDING).all() and (values >= lower - ROUNDING).all())


def _meets(
    frames: NDArray[np.float64], values: NDArray[np.float64], bound: float
) -> NDArray[np.float64]:
    """Return the frames between samples at which a line of `values` meets the bound."""
    before, after = values[:-1] - bound, values[1:] - bound
    crossing = np.flatnonzero(before * after < 0)
    share = before[crossing] / (before[crossing] - after[crossing])
    return np.asarray(frames[crossing] + share * np.diff(frames)[crossing])
