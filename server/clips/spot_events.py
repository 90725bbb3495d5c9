"""Find where a curve rises and falls back, and when exactly it began, peaked and ended."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .describe_amounts import Floats

#: An event rises over its surroundings by this multiple of the curve's noise.
NOISE_DEVIATIONS = 8.0
#: Two peaks are two events where the curve falls between them to this share of the lower.
VALLEY_SHARE = 0.45
#: What stays over this share of the peak has not ended.
UNDER_WAY_SHARE = 0.5
#: Shares of a rise at which its course is read, to tell where it began.
LOW, HIGH = 0.2, 0.5
#: A rise is told from its foot on, where a smooth step is under way by this share of the rest.
BELOW_FOOT = 0.11
#: A smooth step (3 u^2 - 2 u^3) reaches them at these places of its course.
AT_LOW, AT_HIGH = 0.2871, 0.5


@dataclass(frozen=True)
class Event:
    """A rise and fall: frames, between whole ones too; `height` over its surroundings, `ratio` of
    it to the least that counts. `first` and `last` are whole frames that hold all of it."""

    onset: float
    apex: float
    offset: float
    height: float
    ratio: float
    first: int
    last: int


def events_of(curve: Floats, least: float, noise: float | None = None) -> list[Event]:
    """Return the events of a curve (T,) that rise by at least `least`, in their order."""
    if len(curve) < 3:
        return []
    spread = noise_of(curve) if noise is None else noise
    threshold = max(least, NOISE_DEVIATIONS * spread)
    rest = float(np.percentile(curve, 5))
    found: list[Event] = []
    free = np.ones(len(curve), np.bool_)
    for peak in np.argsort(-curve):
        if curve[peak] - rest < threshold:
            break
        if not free[peak]:
            continue
        first, last = _extent(curve, int(peak), rest, spread)
        if free[first : last + 1].all() or _is_own(curve, int(peak), first, last, free):
            event = _event(curve, int(peak), first, last, threshold)
            if event.ratio >= 1:
                found.append(event)
        free[first : last + 1] = False
    return sorted(found, key=lambda e: e.apex)


def noise_of(curve: Floats, apart: int = 1) -> float:
    """Return the standard deviation of a smooth curve's noise, from second differences of frames
    that are so many `apart`: of neighbours, if noise was smoothed over them, little is left."""
    if len(curve) < 3 + 2 * apart:
        return 0.0
    bends = curve[2 * apart :] - 2 * curve[apart:-apart] + curve[: -2 * apart]
    return float(np.median(np.abs(bends)) / 0.6745 / np.sqrt(6))


def _extent(curve: Floats, peak: int, rest: float, spread: float) -> tuple[int, int]:
    """Return the frames between which the curve belongs to the peak."""
    height = float(curve[peak]) - rest
    ends = []
    for step in (-1, 1):
        index = lowest = peak
        while 0 <= index + step < len(curve):
            index += step
            value = float(curve[index])
            if value < float(curve[lowest]):
                lowest = index
            # It rises again, to another peak.
            if value - float(curve[lowest]) > max(
                4 * spread, (1 / VALLEY_SHARE - 1) * max(float(curve[lowest]) - rest, 0.1 * height)
            ):
                break
            if value - rest < max(0.03 * height, spread):
                lowest = index
                break
        else:
            # It is still under way where the clip begins or ends.
            if float(curve[lowest]) - rest > UNDER_WAY_SHARE * height:
                lowest = index
        ends.append(lowest)
    return ends[0], ends[1]


def _is_own(
    curve: Floats,
    peak: int,
    first: int,
    last: int,
    free: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> bool:
    """Return whether a peak stands apart from the events beside it."""
    inside = np.flatnonzero(~free[first : last + 1]) + first
    return not any(
        float(curve[min(peak, int(k)) : max(peak, int(k)) + 1].min())
        > VALLEY_SHARE * float(curve[peak])
        for k in inside
    )


def _event(curve: Floats, peak: int, first: int, last: int, least: float) -> Event:
    # What begins before the clip or ends after it has no foot there.
    inside = [k for k in (first, last) if 0 < k < len(curve) - 1]
    foot = max(curve[inside]) if inside else min(curve[first], curve[last])
    height = float(curve[peak]) - float(foot)
    onset = _beginning(curve[first : peak + 1], peak - first) + first
    falling = curve[peak : last + 1][::-1]
    offset = last - _beginning(falling, len(falling) - 1)
    under_way = float(curve[peak]) - (1 - UNDER_WAY_SHARE) * height
    if first == 0 and curve[0] > under_way:
        onset = 0.0
    if last == len(curve) - 1 and curve[last] > under_way:
        offset = float(last)
    return Event(
        max(0.0, onset), _apex(curve, peak), min(float(len(curve) - 1), offset),
        height, height / least, first, last,
    )  # fmt: skip


def _apex(curve: Floats, peak: int) -> float:
    """Return the middle of what is nearly as high as the peak."""
    top = float(curve[peak])
    low = high = peak
    while low > 0 and curve[low - 1] > 0.95 * top:
        low -= 1
    while high < len(curve) - 1 and curve[high + 1] > 0.95 * top:
        high += 1
    rows = np.arange(low, high + 1)
    worth = np.maximum(curve[low : high + 1] - 0.94 * top, 1e-12)
    return float((rows * worth).sum() / worth.sum())


def _beginning(rise: Floats, peak: int) -> float:
    """Return where a rise (from its foot to its peak) began, taken for a smooth step."""
    base, top = float(rise[0]), float(rise[peak])
    if peak < 1 or top <= base:
        return 0.0
    shares = (rise[: peak + 1] - base) / (top - base)
    low, high = (_last_crossing(shares, level) for level in (LOW, HIGH))
    steep = (high - low) / (AT_HIGH - AT_LOW)
    return float(np.clip(high - AT_HIGH * steep, -BELOW_FOOT * peak, low))


def _last_crossing(shares: Floats, level: float) -> float:
    below = np.flatnonzero(shares < level)
    if not len(below):
        return 0.0
    k = int(below[-1])
    if k + 1 >= len(shares):
        return float(k)
    return k + (level - float(shares[k])) / (float(shares[k + 1]) - float(shares[k]))
