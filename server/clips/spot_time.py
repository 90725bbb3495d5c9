"""Smooth what is measured over time, and take off what changes too slowly to be an expression."""

from __future__ import annotations

import numpy as np

from .describe_amounts import Floats, Rows, pieces
from .roomy import roomy

#: Slow change is what moves less within this time; macro-expressions last up to 4 s.
DRIFT_SECONDS = 9.0
#: Where a clip begins or ends, the time is shorter, but not more than this.
LEAST_DRIFT_SECONDS = 6.0
#: The running median is worked out this often, from at most so many frames, the calmer half of a
#: window by how much moves within the last of these times: somebody who speaks moves for long.
KNOT_SECONDS, MEDIAN_FRAMES, CALM_SECONDS = 0.75, 70, 0.25
#: A clip shorter than this has no drift to speak of.
LONG_SECONDS = 6.0
#: Noise between frames is smoothed over this time (standard deviation of a Gaussian).
SMOOTH_SECONDS = 0.008


def without_drift(rows: Rows, seconds: Floats) -> Rows:
    """Return rows (T, R) less their running median where the clip is long."""
    if seconds[-1] - seconds[0] < LONG_SECONDS:
        return rows
    knots = np.arange(seconds[0], seconds[-1] + KNOT_SECONDS, KNOT_SECONDS)
    usual = np.empty((len(knots), rows.shape[1]), np.float32)
    moving = _moving(rows, seconds)
    begins, ends = float(seconds[0]), float(seconds[-1])
    for index, knot in enumerate(knots):
        start = max(begins, min(knot - DRIFT_SECONDS / 2, ends - LEAST_DRIFT_SECONDS))
        end = min(ends, max(knot + DRIFT_SECONDS / 2, begins + LEAST_DRIFT_SECONDS))
        first, last = np.searchsorted(seconds, (start, end))
        calm = first + np.flatnonzero(moving[first:last] <= np.median(moving[first:last]))
        # So many a window: a median of more costs time and tells no more.
        usual[index] = np.median(rows[calm[:: max(1, len(calm) // MEDIAN_FRAMES)]], axis=0)
    place = (seconds - knots[0]) / KNOT_SECONDS
    before = np.clip(place.astype(int), 0, len(knots) - 2)
    share = (place - before)[:, None].astype(np.float32)
    result = roomy(rows.shape, np.float32)
    for part in pieces(len(rows)):
        low, high = usual[before[part]], usual[before[part] + 1]
        result[part] = rows[part] - (1 - share[part]) * low - share[part] * high
    return result


def _moving(rows: Rows, seconds: Floats) -> Floats:
    """Return how much (T,) moves about each of the rows (T, R)."""
    change = np.zeros(len(rows))
    for part in pieces(len(rows)):
        before = rows[max(0, part.start - 1) : part.stop - 1]
        change[max(1, part.start) : part.stop] = np.abs(
            rows[max(1, part.start) : part.stop] - before
        ).mean(1)
    step = float(np.median(np.diff(seconds)))
    return _along(change[:, None], max(0.4, 0.5 * CALM_SECONDS / step)).ravel()


def smooth(values: Floats, seconds: Floats, over: float = SMOOTH_SECONDS) -> Floats:
    """Return values (T, K) smoothed `over` a time in seconds, their mean at each place kept."""
    if len(seconds) < 3:
        return values
    step = float(np.median(np.diff(seconds)))
    sigma = over / step
    if sigma < 0.4:
        return values
    return _along(values, sigma)


def frames_apart(seconds: Floats) -> int:
    """Return how many frames apart the noise of what is smoothed is a frame's own again."""
    return max(1, int(2 * SMOOTH_SECONDS / float(np.median(np.diff(seconds)))))


def _along(values: Floats, sigma: float) -> Floats:
    reach = max(1, int(np.ceil(3 * sigma)))
    offsets = np.arange(-reach, reach + 1)
    kernel = np.exp(-0.5 * (offsets / sigma) ** 2)
    kernel /= kernel.sum()
    # Mirrored at the ends: the last frame, repeated, would count there for most, noise and all.
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="reflect")
    return sum(
        (k * padded[i : i + len(values)] for i, k in enumerate(kernel)), np.zeros_like(values)
    )
