"""Retiming a clip: another duration, other moments of onset, apex and offset, a held apex."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...server.protocol.timing import moved_moments

#: A hold may be this many frames long.
LONGEST_HOLD = 100_000


@dataclass(frozen=True)
class Moments:
    """Source frame indices at which the expression begins, peaks and has gone."""

    onset: int
    apex: int
    offset: int


@dataclass(frozen=True)
class Timing:
    """How a clip is to be timed; None leaves a moment as it is.

    `duration` of the whole clip, and `onset`, `apex`, `offset` from its start, in seconds. `hold`:
    on how many whole scene frames the apex is shown in full; 0 leaves it at its true time, which
    may lie between two frames.
    """

    duration: float | None = None
    onset: float | None = None
    apex: float | None = None
    offset: float | None = None
    hold: int = 0

    def __post_init__(self) -> None:
        for name in ("duration", "onset", "apex", "offset"):
            seconds = getattr(self, name)
            if seconds is not None and not 0 <= seconds <= 86_400:
                raise InputError(f"A clip's {name} of {seconds:g} s makes no sense.", "Give less.")
        if self.duration is not None and self.duration <= 0:
            raise InputError("A clip cannot last 0 seconds.", "Give a duration above 0.")
        if self.hold != int(self.hold) or not 0 <= self.hold <= LONGEST_HOLD:
            raise InputError(
                f"The apex cannot be held for {self.hold:g} frames.",
                "Give whole frames, 0 or more.",
            )


def retimed(seconds: NDArray[np.float64], moments: Moments, timing: Timing) -> NDArray[np.float64]:
    """Return when each source frame is shown (T,) seconds, for `seconds` (T,) from the start.

    Moments come where `moved_moments` says; time runs evenly between them. What is not changed
    comes out bit for bit. Raises `InputError` where the moments are out of order.
    """
    natural = [float(seconds[index]) for index in (0, *_indices(moments), len(seconds) - 1)]
    wanted = moved_moments(natural, timing.duration, timing.onset, timing.apex, timing.offset)
    return _warped(seconds, natural, wanted)


def held(
    frames: NDArray[np.float64], moments: Moments, hold: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the frames (N,) and source indices (N,) of samples that hold the apex.

    `frames` (T,) scene frames of the source frames. The apex goes to the nearest whole frame, and
    stays for `hold` whole frames (its index comes twice then); onset and offset stay where they
    are, rise and fall make room. Raises `InputError` if there is no room.
    """
    order = np.arange(len(frames))
    if hold == 0:
        return frames, order
    onset, apex, offset = (float(frames[index]) for index in _indices(moments))
    earliest = int(np.ceil(onset)) if moments.onset == moments.apex else int(np.floor(onset)) + 1
    latest = int(np.floor(offset)) if moments.offset == moments.apex else int(np.ceil(offset)) - 1
    latest -= hold - 1
    if latest < earliest:
        raise InputError(
            f"The apex cannot be held for {hold} frames between onset ({onset:.2f}) and offset "
            f"({offset:.2f}).",
            "Hold it for fewer frames, or give the clip a longer duration.",
        )
    first = min(max(int(np.floor(apex - (hold - 1) / 2 + 0.5)), earliest), latest)
    last = first + hold - 1
    rise = _warped(frames[: moments.apex + 1], [onset, apex], [onset, float(first)])
    fall = _warped(frames[moments.apex :], [apex, offset], [float(last), offset])
    if hold == 1:
        return np.concatenate([rise, fall[1:]]), order
    return np.concatenate([rise, fall]), np.insert(order, moments.apex, moments.apex)


def _indices(moments: Moments) -> tuple[int, int, int]:
    return moments.onset, moments.apex, moments.offset


def _warped(values: NDArray[Any], natural: list[float], wanted: list[float]) -> NDArray[np.float64]:
    """Map `values` piece by piece so that `natural` comes to `wanted`; the rest is shifted."""
    result = np.array(values, np.float64)
    for start, end, to_start, to_end in zip(
        natural[:-1], natural[1:], wanted[:-1], wanted[1:], strict=True
    ):
        if start == end or (start == to_start and end == to_end):
            continue
        inside = (values > start) & (values < end)
        share = (values[inside] - start) / (end - start)
        result[inside] = np.clip(to_start + share * (to_end - to_start), to_start, to_end)
    for value, to_value in zip(natural, wanted, strict=True):
        result[values == value] = to_value
    result[values < natural[0]] += wanted[0] - natural[0]
    result[values > natural[-1]] += wanted[-1] - natural[-1]
    return result
