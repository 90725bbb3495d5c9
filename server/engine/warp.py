"""Other times for a clip: when what of it is shown, and at which times frames are made."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from ...errors import InputError
from ..protocol.timing import Retiming, moved_moments

Floats = NDArray[np.float64]

#: A clip may be stretched to this many frames.
MOST_FRAMES = 2000
#: Times that differ by less than this, in seconds, are the same.
SAME_SECONDS = 1e-6


class Warp:
    """Which time of a clip is shown when: through knots, never backwards, without a kink in speed.

    A monotone cubic (Fritsch and Carlson, SIAM Journal on Numerical Analysis 17, 1980).
    """

    def __init__(self, own: Sequence[float], shown: Sequence[float]) -> None:
        """Take the knots: times of the clip (K,), and when they are shown (K,), both rising.

        Of two of one time the later counts. Raises InputError where the clip would run backwards.
        """
        knots = {at: time for time, at in dict(zip(own, shown, strict=True)).items()}
        self._shown = np.array(list(knots), np.float64)
        self._own = np.array(list(knots.values()), np.float64)
        if (np.diff(self._shown) < 0).any() or (np.diff(self._own) < 0).any():
            raise InputError(
                "The clip would run backwards.", "Give times that rise, in the clip and anew."
            )
        self.is_identity = bool(np.array_equal(self._shown, self._own))
        self._curve = None if self.is_identity else PchipInterpolator(self._shown, self._own)

    @property
    def seconds(self) -> float:
        """When the last knot is shown."""
        return float(self._shown[-1])

    def __call__(self, shown: Floats) -> Floats:
        """Return the clip's own times (N,) that are shown at the times (N,), seconds."""
        if self._curve is None:
            return shown
        found = self._curve(np.clip(shown, self._shown[0], self._shown[-1]))
        return np.asarray(np.clip(found, self._own[0], self._own[-1]), np.float64)


def warp_of(timing: Retiming, moments: Sequence[float] | None, seconds: float) -> Warp:
    """Return the warp that a timing asks of a clip that lasts `seconds`.

    `moments` are its onset, apex and offset, None where it has none. Raises InputError for times
    that cannot be, and where a moment is to be moved that is not there.
    """
    if timing.moves_moments and moments is None:
        raise InputError(
            "Nothing moves in the clip, so it has no onset, apex or offset.",
            "Give a duration, or other times.",
        )
    duration = timing.duration if timing.factor is None else timing.factor * seconds
    natural = [0.0, *(moments or (0.0, 0.0, 0.0)), seconds]
    wanted = moved_moments(natural, duration, timing.onset, timing.apex, timing.offset)
    kept = range(5) if timing.moves_moments else (0, 4)
    knots = {natural[place]: wanted[place] for place in kept} | dict(timing.knots)
    last = max(timing.knots, default=(0.0, 0.0))
    if last[0] > seconds:
        raise InputError(
            f"The clip ends at {seconds:g} s and has no {last[0]:g} s.", "Give an earlier time."
        )
    if timing.knots and duration is None and last[0] < seconds and not timing.moves_moments:
        knots[seconds] = last[1] + seconds - last[0]
    ordered = sorted(knots.items())
    return Warp([own for own, _ in ordered], [shown for _, shown in ordered])


def frame_times(warp: Warp, fps: Fraction) -> Floats:
    """Return when frames are made (N,) at a rate, from 0 to the end; InputError for too many."""
    count = int(np.floor(warp.seconds * float(fps) + SAME_SECONDS)) + 1
    if count > MOST_FRAMES:
        raise InputError(
            f"{warp.seconds:g} s at {float(fps):g} frames a second are {count} frames.",
            f"Give a shorter duration or a lower rate; {MOST_FRAMES} are the most.",
        )
    return np.arange(count) / float(fps)
