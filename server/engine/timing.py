"""When an expression starts, peaks and ends, from how its motion grows and fades."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..clips.sampling import Reals

Floats = NDArray[np.float64]

#: The expression is on where its motion is over this share of its peak.
ON_SHARE = 0.1
#: Motion within this many robust standard deviations of the frame-to-frame noise is none.
NOISE_DEVIATIONS = 3.0
#: Share of the frames, the most moved ones, that say what the expression's motion looks like.
TYPICAL_SHARE = 0.25
#: A place counts for no more than this multiple of its typical motion.
MOST_OF_TYPICAL = 2.0


@dataclass(frozen=True)
class Moment:
    """An instant of the clip: seconds from its start, and the source frame, between frames too."""

    seconds: float
    frame: float


@dataclass(frozen=True)
class Phases:
    """Onset, apex and offset, and the motion's profile (T,), 1 at its peak.

    The onset is the clip's start, the offset its end, where the motion has no beginning or end in
    it. All are None where nothing moves.
    """

    onset: Moment | None
    apex: Moment | None
    offset: Moment | None
    profile: Floats


def motion_profile(flows: Reals) -> Floats:
    """Return how far (T,) each frame's flow (T, ..., 2) goes along the clip's typical motion.

    Signed, in the flow's unit. A projection, unlike a length, has noise of mean zero. What is
    typical is a median over the most moved frames, and no place counts for more than it typically
    moves, so that a few frames in which a hand hides the face do not pass for the apex.
    """
    flat = np.asarray(flows, np.float64).reshape(len(flows), -1)
    length = np.linalg.norm(flat, axis=1)
    count = max(1, round(TYPICAL_SHARE * len(flat)))
    typical = np.median(flat[np.argsort(length)[-count:]], axis=0)
    size = float(np.linalg.norm(typical))
    if size == 0:
        return np.zeros(len(flat))
    along = flat * typical / size
    along = np.minimum(along, MOST_OF_TYPICAL * typical**2 / size)
    # Per moving place rather than in total, so that the unit stays that of the flow.
    places = max(1.0, size**4 / float((typical**4).sum()))
    return np.asarray(along.sum(1) / np.sqrt(places))


def find_phases(profile: Floats, times: Floats, least: float = 0.0) -> Phases:
    """Return the phases of a motion profile (T,) at `times` (T,) in seconds.

    The apex is found between frames, by a parabola through the peak. A peak of no more than
    `least`, or one within the noise, is no expression.
    """
    still = Phases(None, None, None, np.zeros(len(profile)))
    peak = int(np.argmax(profile))
    height = float(profile[peak])
    noise = _noise(profile)
    if height <= max(least, NOISE_DEVIATIONS * noise, 1e-12):
        return still
    threshold = max(ON_SHARE * height, min(NOISE_DEVIATIONS * noise, 0.5 * height))
    apex = _parabola(profile, peak)
    onset = _crossing(profile, peak, -1, threshold)
    offset = _crossing(profile, peak, 1, threshold)
    on, top, off = (Moment(_at(times, frame), frame) for frame in (onset, apex, offset))
    return Phases(on, top, off, profile / height)


def _noise(profile: Floats) -> float:
    """Return the standard deviation of a smooth profile's noise, from third differences."""
    if len(profile) < 5:
        return 0.0
    return float(np.median(np.abs(np.diff(profile, 3))) / 0.6745 / np.sqrt(20))


def _parabola(profile: Floats, peak: int) -> float:
    if not 0 < peak < len(profile) - 1:
        return float(peak)
    before, top, after = profile[peak - 1 : peak + 2]
    bend = before - 2 * top + after
    return float(peak) if bend >= 0 else float(peak + 0.5 * (before - after) / bend)


def _crossing(profile: Floats, peak: int, step: int, threshold: float) -> float:
    """Return where, going from the peak, the profile first falls below the threshold."""
    index = peak
    while 0 <= index + step < len(profile):
        above, below = float(profile[index]), float(profile[index + step])
        if below < threshold:
            return index + step * (above - threshold) / (above - below)
        index += step
    return float(index)


def _at(times: Floats, frame: float) -> float:
    return float(np.interp(frame, np.arange(len(times)), times))
