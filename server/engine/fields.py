"""What a source clip does to the character's crop: a frame of it, and a clip's length of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from ..clips.roomy import roomy
from ..clips.sampling import Reals
from .runtime import Animation

Floats = NDArray[np.float32]
#: A share of a mixture: a number, or one for each pixel (256, 256).
Share = float | Floats

#: Times that differ by less than this share of a frame are the same.
SAME_FRAME = 1e-4


@dataclass(frozen=True)
class Fields:
    """One frame's motion and light on the character's crop, float32.

    `flow` (256, 256, 2) backward in pixels of the crop; `edges` (256, 256) 0..1; `residual`
    (256, 256, 3), added where `mask` (256, 256) 0..1 says so; `doubt` (64, 64) pixels, the flow's
    expected error; `steadiness` 0..1, how well the source's head was followed.
    """

    flow: Floats
    edges: Floats
    residual: Floats
    mask: Floats
    doubt: Floats
    steadiness: float

    @classmethod
    def of(cls, flow: Floats, animation: Animation, steadiness: float) -> Fields:
        """Return what the network says of a frame, with its flow smoothed over time."""
        a = animation
        return cls(flow, a.edges, a.residual, a.residual_mask, a.doubt, steadiness)


def mixed(parts: Sequence[tuple[Share, Fields]]) -> Fields:
    """Return a mixture of frames by their shares, which add up to one at each pixel.

    A part whose share is the number 0 is left out; one alone comes back as it is, bit for bit.
    """
    parts = [(share, one) for share, one in parts if not isinstance(share, float) or share != 0]
    if len(parts) == 1:
        return parts[0][1]
    mask = sum(share * one.mask for share, one in parts)
    light = sum(_deep(share * one.mask) * one.residual for share, one in parts)
    return Fields(
        _total([_deep(share) * one.flow for share, one in parts]),
        _total([share * one.edges for share, one in parts]),
        _total([light / _deep(np.maximum(mask, 1e-6))]),
        _total([mask]),
        _total([_coarse(share, one.doubt) * one.doubt for share, one in parts]),
        float(sum(np.mean(share) * one.steadiness for share, one in parts)),
    )


class Track:
    """A clip's length of fields, between whose frames there is motion too."""

    def __init__(self, times: Reals) -> None:
        """Take the frames' times (T,) seconds; `add` then gives the frames."""
        self._times = np.asarray(times, np.float64)
        self._kept: dict[str, NDArray[np.float32]] = {}
        self._steadiness: list[float] = []

    def add(self, one: Fields) -> None:
        """Keep the next frame."""
        count = len(self._steadiness)
        for name in _ARRAYS:
            array: Floats = getattr(one, name)
            if count == 0:
                self._kept[name] = roomy((len(self._times), *array.shape), np.float32)
            self._kept[name][count] = array
        self._steadiness.append(one.steadiness)

    def __getitem__(self, index: int) -> Fields:
        arrays = {name: np.asarray(self._kept[name][index]) for name in _ARRAYS}
        return Fields(**arrays, steadiness=self._steadiness[index])

    def at(self, seconds: float) -> Fields:
        """Return the fields at a time: those of a frame as they are, in between a mixture.

        The motion goes between frames as a cubic through them, so that its speed has no jumps.
        """
        place = float(np.interp(seconds, self._times, np.arange(len(self._times))))
        before = int(place)
        share = place - before
        if min(share, 1 - share) < SAME_FRAME:
            return self[round(place)]
        found = mixed([(1 - share, self[before]), (share, self[before + 1])])
        weights = cubic_weights(share, before, len(self._times))
        flow = self._kept["flow"]
        cubic = _total([np.float32(w) * flow[index] for index, w in weights.items()])
        return replace(found, flow=cubic)


def cubic_weights(share: float, before: int, count: int) -> dict[int, float]:
    """Return the weights of the frames about a place, `share` of the way from the frame `before` to
    the next, of `count` frames: a cubic (Catmull and Rom, 1974) whose ends are repeated."""
    s = share
    found: dict[int, float] = {}
    for step, weight in (
        (-1, (-s + 2 * s**2 - s**3) / 2),
        (0, (2 - 5 * s**2 + 3 * s**3) / 2),
        (1, (s + 4 * s**2 - 3 * s**3) / 2),
        (2, (-(s**2) + s**3) / 2),
    ):
        index = min(max(before + step, 0), count - 1)
        found[index] = found.get(index, 0.0) + weight
    return found


_ARRAYS = tuple(one.name for one in fields(Fields) if one.name != "steadiness")


def _deep(values: Share) -> Share:
    return values if isinstance(values, float) else values[..., None]


def _coarse(share: Share, doubt: Floats) -> Share:
    if isinstance(share, float):
        return share
    small = cv2.resize(share, doubt.shape[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def _total(parts: Sequence[Share | Floats]) -> Floats:
    return np.asarray(sum(parts), np.float32)
