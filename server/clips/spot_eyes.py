"""Tell lids that close from eyes that turn.

Both make the eyes look unlike the neutral's, and carry a flow down. But an eye that turns is seen
as before, and under lids that close there is less of it to be seen (`eyelids.py`). Where that does
not tell, as when lids follow eyes that look down, the iris does: eyes that turn take it along, down
to the lower lid, where it stays in place under lids that close.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from .describe_amounts import Floats, fields, pieces
from .sampling import Reals
from .spot_events import Event, events_of
from .spot_time import smooth
from .template import template

#: Parts of an eye in face units about the keypoints' mean, y down: top, bottom, inner and outer
#: edge as distances from the middle line. The eye; what is seen of it above the lower lid; the
#: upper lid.
EYE, BENEATH, ABOVE = (-0.75, -0.3, 0.2, 1.35), (-0.53, -0.38, 0.45, 1.05), (-0.9, -0.6, 0.45, 1.15)
#: A blink is over within so many seconds; eyes that stay unlike the neutral's for longer than the
#: latter are closed by no passing thing.
BLINK_SECONDS, CLOSED_SECONDS = 0.6, 1.5
#: A blink makes the eyes unlike by this much. So does a smile for longer, and lids that close
#: slowly may do less: then the upper lid has to go down by so many pixels as well.
BLINK_AMOUNT, CLOSING_AMOUNT, LID_PIXELS = 0.25, 0.18, 1.0
#: Eyes as unlike as this are shut, whatever a flow finds in them.
SHUT_AMOUNT = 0.45
#: Closing lids hide this share of what is seen of both eyes before and after, and half as much of
#: either one. Lids that hide less may have closed as well, by what a flow finds in the eyes, but
#: not those that hide less than the latter.
HIDDEN_SHARE, LEAST_HIDDEN = 0.27, 0.15
#: An eye of which usually less than this share of the other is seen, is covered.
COVERED_SHARE = 0.6
#: What hides this share of it as quickly as a blink is one, whatever hides the rest for longer.
MOST_SHARE = 0.7
#: A quick blink is looked at so many seconds before and after, where it has but this share of what
#: makes the eyes unlike.
BESIDE_SECONDS, TOP_SHARE = 0.1, 0.3
#: What is seen of eyes that turn moves by so many pixels at least for all the unlikeness.
TURNED_PIXELS = 3.0
GAZE_AMOUNT = 0.12


@dataclass(frozen=True)
class Eyes:
    """What the eyes do in T frames: how `unlike` (T,) the neutral's they look, 0..1; how far, in
    pixels, what is seen `beneath` (T,) moves and how far the upper lid goes `down` (T,); how far
    they turn, `gaze` (T,), as an amount; how much is `seen` (T, 2) of them, None if not known.

    Where nothing is known of their looks, `unlike` is how far lids or eyes go down, as an amount,
    for as long as a blink.
    """

    unlike: Floats
    beneath: Floats
    down: Floats
    gaze: Floats
    seen: Floats | None = None


def eyes_of(
    amounts: Floats, flows: Reals, trust: Reals | None, seconds: Floats, seen: Reals | None = None
) -> Eyes:
    """Return what the eyes do by steadied flows (T, N, N, 2), the amounts (T, K) of the basis's
    fields in them as they are, and how far they are to be trusted (T, N, N): eyes that close or
    turn look unlike the neutral's, and nothing is believed there. `seen` (T, 2) is how much of
    each eye is seen."""
    open_eyes = None if seen is None else smooth(np.asarray(seen, np.float64), seconds)
    known = fields().basis
    named = {name: amounts[:, k] for k, name in enumerate(known.names)}
    lower = named["gaze down"] - named["gaze up"]
    gaze = np.hypot(named["gaze left"] - named["gaze right"], lower)
    if trust is None:
        # Closing lids take the eyes' picture down with them.
        closed = amounts[:, np.asarray(known.units) == 45].mean(1) + np.maximum(0, lower)
        still = np.zeros(len(seconds))
        return Eyes(_passing(closed, seconds, BLINK_SECONDS), still, still, gaze, open_eyes)
    # The eye that changes more: the other one may be hidden.
    unlike = 1 - np.stack([mean_over(trust, EYE, side) for side in (1, -1)]).min(0)
    beneath, above = (
        smooth(0.5 * (mean_over(flows, part, 1) + mean_over(flows, part, -1)), seconds)
        for part in (BENEATH, ABOVE)
    )
    unlike = smooth(unlike[:, None], seconds).ravel()
    return Eyes(unlike, np.hypot(*beneath.T), above[:, 1], gaze, open_eyes)


def closings(eyes: Eyes, times: Floats) -> list[Event]:
    """Return when lids close and open again, at once or slowly, all the way or not."""
    by_looks = _closings_by_looks(eyes, times)
    if eyes.seen is None:
        return by_looks
    seen = _uncovered(eyes.seen)
    both = _hidden(seen.mean(1), times, CLOSED_SECONDS)
    either = np.min([_hidden(eye, times, CLOSED_SECONDS) for eye in seen.T], axis=0)
    quick = events_of(_hidden(seen.mean(1), times, BLINK_SECONDS), HIDDEN_SHARE, 0.0)
    found: list[Event] = []
    for event in events_of(both, HIDDEN_SHARE, 0.0):
        if either[event.first : event.last + 1].max() > HIDDEN_SHARE / 2:
            # A blink is over where a smile goes on narrowing the eyes.
            within = [q for q in quick if event.first <= q.apex <= event.last]
            found += [q for q in within if q.height > MOST_SHARE * event.height] or [event]
    found += [
        e
        for e in by_looks
        if both[round(e.onset) : round(e.offset) + 1].max() > LEAST_HIDDEN
        and not any(e.onset < f.offset and f.onset < e.offset for f in found)
    ]
    return sorted(found, key=lambda e: e.onset)


def _uncovered(seen: Floats) -> Floats:
    """Return what is seen (T, E) of those of two eyes (T, 2) that nothing covers all along: what
    hair over an eye shows changes with no lid."""
    usual = np.median(seen, axis=0)
    return seen[:, usual >= COVERED_SHARE * usual.max()]


def _hidden(seen: Floats, times: Floats, longest: float) -> Floats:
    """Return which share (T,) of what is `seen` (T,) of eyes before and after is hidden for no
    longer than a time in seconds."""
    passing = _passing(-seen, times, longest)
    return np.asarray(passing / np.maximum(seen + passing, 1e-9))


def _closings_by_looks(eyes: Eyes, times: Floats) -> list[Event]:
    """Return when lids close and open again, by how unlike the neutral's the eyes look."""
    quick = _passing(eyes.unlike, times, BLINK_SECONDS)
    found = [
        e
        for e in events_of(quick, BLINK_AMOUNT)
        if _seconds(e, times) <= BLINK_SECONDS
        and _stands_alone(e, quick, eyes.unlike, times)
        and not _turned(eyes, e)
    ]
    for event in events_of(_passing(eyes.unlike, times, CLOSED_SECONDS), CLOSING_AMOUNT):
        closes = event.height > SHUT_AMOUNT or eyes.down[round(event.apex)] > LID_PIXELS
        apart = not any(e.onset < event.offset and event.onset < e.offset for e in found)
        if closes and apart and not _turned(eyes, event):
            found.append(event)
    return sorted(found, key=lambda e: e.onset)


def _turned(eyes: Eyes, event: Event) -> bool:
    """Return whether eyes turn in an event, rather than being hidden by lids."""
    frame = round(event.apex)
    unlike = float(eyes.unlike[frame])
    return unlike < SHUT_AMOUNT and float(eyes.beneath[frame]) > TURNED_PIXELS * unlike


def _stands_alone(event: Event, quick: Floats, unlike: Floats, times: Floats) -> bool:
    """Return whether a blink is no more than the top of lids that close slowly: these are soon as
    before beside it, a smile that narrows the eyes for long goes on."""
    frame = round(event.apex)
    floor = float(unlike[frame] - quick[frame])
    start, end = np.interp((event.onset, event.offset), np.arange(len(times)), times)
    beside = np.interp((start - BESIDE_SECONDS, end + BESIDE_SECONDS), times, unlike)
    return floor < TOP_SHARE * unlike[frame] or float(beside.mean()) > 0.5 * floor


def gazes(eyes: Eyes, witness: NDArray[np.bool_], closed: Sequence[Event]) -> list[Event]:
    """Return when eyes turn away; closing lids hide them, and what they seem to do then is not
    told, nor where the head is turned too far to bear `witness` (T,)."""
    return [
        e
        for e in events_of(eyes.gaze, GAZE_AMOUNT)
        if witness[round(e.apex)] and not any(c.first <= e.apex <= c.last for c in closed)
    ]


def mean_over(values: Reals, part: tuple[float, float, float, float], side: int) -> Floats:
    """Return the means (T, ...) of values (T, N, N, ...) over a part of the face on a side (1 for
    the left one)."""
    maps = template(values.shape[1])
    top, bottom, inner, outer = part
    across = side * maps.x
    cells = (maps.y >= top) & (maps.y < bottom) & (across >= inner) & (across < outer)
    cells &= maps.face > 0.5
    return np.concatenate([values[p][:, cells].mean(1, np.float64) for p in pieces(len(values))])


def _seconds(event: Event, times: Floats) -> float:
    return float(np.diff(np.interp((event.onset, event.offset), np.arange(len(times)), times))[0])


def _passing(curve: Floats, seconds: Floats, longest: float) -> Floats:
    """Return what of a curve (T,) passes within a time in seconds."""
    step = max(1e-9, float(np.median(np.diff(seconds, append=np.inf))))
    kernel = np.ones((1, max(1, round(longest / step))))
    return np.asarray(cv2.morphologyEx(curve[None], cv2.MORPH_TOPHAT, kernel)[0])
