"""When a clip's expression starts, peaks and ends.

The strongest expression that is spotted tells; where none is, how the motion grows and fades.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..clips.sampling import Reals
from ..clips.spot import Spotted, spot_in, strongest
from ..clips.spot_curves import curves_of

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
    it. All are None where nothing moves. `told_by` says what found them.
    """

    onset: Moment | None
    apex: Moment | None
    offset: Moment | None
    profile: Floats
    told_by: Literal["spotting", "profile"] = "profile"

    @property
    def seconds(self) -> tuple[float, float, float] | None:
        """Onset, apex and offset in seconds, None where nothing moves."""
        if self.onset is None or self.apex is None or self.offset is None:
            return None
        return self.onset.seconds, self.apex.seconds, self.offset.seconds


def phases_of(
    flows: Reals,
    times: Reals,
    poses: Reals | None = None,
    trust: Reals | None = None,
    seen: Reals | None = None,
    least: float = 0.0,
) -> Phases:
    """Return the phases of the strongest expression in steadied flows (T, 64, 64, 2).

    At `times` (T,) seconds; `poses` (T, 6) are the head's, `trust` (T, 64, 64) 0..1 says how far to
    believe each place, `seen` (T, 2) how much is seen of the eyes. These are the moments that
    looking a clip over tells. Where nothing is spotted that lasts and reaches as an expression
    does, the motion's profile tells them, if it peaks above `least`.
    """
    seconds = np.asarray(times, np.float64)
    phases = find_phases(motion_profile(flows), seconds, least)
    curves = curves_of(flows, seconds, poses, trust, seen)
    event = strongest(spot_in(curves), curves)
    if event is None:
        return phases
    onset, apex, offset = moments_of(event, seconds)
    return replace(phases, onset=onset, apex=apex, offset=offset, told_by="spotting")


def shown(phases: Phases, own: Floats, times: Floats, profile: Floats) -> Phases:
    """Return a clip's phases as they are when its times `own` (N,) are shown at `times` (N,).

    `profile` (N,) is that of what is shown, 1 at its peak.
    """

    def moved(moment: Moment | None) -> Moment | None:
        if moment is None:
            return None
        frame = float(np.interp(moment.seconds, own, np.arange(len(own))))
        return Moment(float(np.interp(moment.seconds, own, times)), frame)

    onset, apex, offset = map(moved, (phases.onset, phases.apex, phases.offset))
    return Phases(onset, apex, offset, profile, phases.told_by)


def moments_of(
    event: Spotted | None, times: Floats
) -> tuple[Moment | None, Moment | None, Moment | None]:
    """Return onset, apex and offset of what was spotted in a clip of frames at `times` (T,)."""
    if event is None:
        return None, None, None
    frames = np.arange(len(times))
    onset, apex, offset = (
        Moment(seconds, float(np.interp(seconds, times, frames)))
        for seconds in (event.onset, event.apex, event.offset)
    )
    return onset, apex, offset


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
