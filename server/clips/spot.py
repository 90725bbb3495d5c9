"""Find expressions in a steadied clip, however long, and tell micro from macro.

What moves is freed of blinks, gaze, speech and the head's own motion, which are told as well.
A micro-expression is one that lasts at most half a second from onset to offset (Yan et al.,
Journal of Nonverbal Behavior 37, 2013).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from .describe_amounts import Floats
from .sampling import Reals
from .spot_curves import REGIONS, Curves, Region, curves_of
from .spot_events import Event, events_of, noise_of
from .spot_eyes import BLINK_SECONDS, closings, gazes
from .spot_speech import beside_speech, left_of_speech, speeches
from .spot_time import frames_apart

Kind = Literal["micro", "macro", "blink", "gaze", "head", "speech"]
#: What counts as an expression among what is spotted.
EXPRESSIONS = ("micro", "macro")

#: A micro-expression lasts no longer than this, from onset to offset.
MICRO_SECONDS = 0.5
#: Shorter than this is no expression but a fault of one frame.
LEAST_SECONDS = 0.04
#: A face whose skin moves by less than this, RMS over the regions in pixels, shows nothing.
LEAST_PIXELS = 0.06
#: What changes more than this from frame to frame is no noise: in few frames a second it may well
#: be the expression.
MOST_NOISE_PIXELS = 0.1
#: A region takes part that moves by this share of the one that moves most, or by so many pixels.
PART_SHARE, PART_PIXELS = 0.35, 0.5
#: Expressions are bridged over blinks and so many seconds before and after them. What slower lids,
#: and eyes that turn, leave beside them lasts as long as they, by this share of both together, and
#: moves the face by so many pixels at most.
BESIDE_BLINK, AS_LONG, LEFT_OF_EYES = 0.05, 0.5, 0.7
#: The head moves where its motion rises by this many pixels.
HEAD_PIXELS = 2.5
#: What steadying leaves of the head's motion, at most, as shares of how far the head moves, and how
#: far it turns out of the plane, from so many seconds before an event to as many after it; and what
#: it leaves of a turn that the event follows, by their correlation over time.
LEFT_OF_HEAD, LEFT_OF_TURN, HEAD_SECONDS = 0.02, 0.1, 0.4
LEFT_WHERE_FOLLOWED, FOLLOWS = 0.2, 0.8


@dataclass(frozen=True)
class Spotted:
    """Something that a face does: `onset`, `apex` and `offset` in seconds from the clip's start,
    the `regions` that move, the most moving first, its kind, and `confidence` 0..1 in it."""

    onset: float
    apex: float
    offset: float
    regions: tuple[Region, ...]
    kind: Kind
    confidence: float

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.offset - self.onset


def spot(
    flows: Reals,
    times: Reals,
    poses: Reals | None = None,
    trust: Reals | None = None,
    seen: Reals | None = None,
) -> list[Spotted]:
    """Return what steadied flows (T, 64, 64, 2) or (T, 32, 32, 2) show at `times` (T,) seconds.

    `poses` (T, 6) are the head's, as the steadier found them; without them no motion of the head
    is told, nor held against expressions. `trust` (T, 64, 64) 0..1 says how far to believe each
    place, `seen` (T, 2) how much is seen of the right and the left eye. In order of onset.
    """
    return spot_in(curves_of(flows, times, poses, trust, seen))


def strongest(spotted: Sequence[Spotted], curves: Curves) -> Spotted | None:
    """Return the expression that moves the face most among what the curves show, None if none."""
    expressions = [event for event in spotted if event.kind in EXPRESSIONS]

    def moved(event: Spotted) -> float:
        # The mouth, which may be speaking, counts only if it takes part.
        own = curves.regions[:, [REGIONS.index(region) for region in event.regions]]
        return float(np.interp(event.apex, curves.times, _whole(own)))

    return max(expressions, key=moved, default=None)


def spot_in(curves: Curves) -> list[Spotted]:
    """Return what the curves show, in order of onset."""
    closed = closings(curves.eyes, curves.times)
    turned = gazes(curves.eyes, curves.witness, closed)
    heads = events_of(curves.head, HEAD_PIXELS)
    regions = _beside_blinks(curves, closed)
    noise = min(noise_of(_whole(regions), frames_apart(curves.times)), MOST_NOISE_PIXELS)
    spoken = speeches(curves, regions, LEAST_PIXELS, noise)
    found = [_told(e, curves.times, ("lids",), "blink") for e in closed]
    found += [_told(e, curves.times, ("lids",), "gaze") for e in turned]
    found += [_told(e, curves.times, (), "head") for e in heads]
    found += [_told(e, curves.times, ("lips", "chin"), "speech") for e in spoken]
    beside = beside_speech(curves, regions, spoken)
    whole = _whole(beside)
    for event in events_of(whole, LEAST_PIXELS, noise):
        event = _witnessed(event, whole, curves)
        lasting = _seconds(event, curves.times)
        least = max(_left_of_head(event, whole, curves), left_of_speech(event, regions, spoken))
        if lasting < LEAST_SECONDS or event.height < least:
            continue
        if any(_is_left_of_eyes(event, e) for e in (*closed, *turned)):
            continue
        kind: Kind = "micro" if lasting <= MICRO_SECONDS else "macro"
        event = replace(event, ratio=min(event.ratio, event.height / max(least, LEAST_PIXELS)))
        found.append(_told(event, curves.times, _parts(beside, event), kind))
    return sorted(found, key=lambda s: s.onset)


def _beside_blinks(curves: Curves, blinks: Sequence[Event]) -> Floats:
    """Return the regions' curves (T, 5) with what a blink does to them bridged over."""
    regions = curves.regions.copy()
    for blink in blinks:
        if _seconds(blink, curves.times) > BLINK_SECONDS:
            continue
        start, end = (_at(frame, curves.times) for frame in (blink.onset, blink.offset))
        first = int(np.searchsorted(curves.times, start - BESIDE_BLINK))
        last = int(np.searchsorted(curves.times, end + BESIDE_BLINK))
        last = min(last, len(regions) - 1)
        share = np.linspace(0, 1, last - first + 1)[:, None]
        bridge = (1 - share) * regions[first] + share * regions[last]
        regions[first : last + 1] = np.minimum(regions[first : last + 1], bridge)
    return regions


def _witnessed(event: Event, whole: Floats, curves: Curves) -> Event:
    """Return an event with its apex where the head is not turned too far to tell it."""
    if curves.witness[round(event.apex)]:
        return event
    frames = np.arange(event.first, event.last + 1)
    frames = frames[curves.witness[frames]]
    return replace(event, apex=float(frames[whole[frames].argmax()])) if len(frames) else event


def _parts(regions: Floats, event: Event) -> tuple[Region, ...]:
    """Return the regions that rise with an event, the most first."""
    rise = np.array([_rise(regions[:, k], event) for k in range(len(REGIONS))])
    order = np.argsort(-rise)
    least = min(PART_PIXELS, PART_SHARE * float(rise[order[0]]))
    return tuple(REGIONS[k] for k in order if rise[k] > least)


def _rise(curve: Floats, event: Event) -> float:
    apex = round(event.apex)
    return float(curve[apex] - 0.5 * (curve[event.first] + curve[event.last]))


def _left_of_head(event: Event, whole: Floats, curves: Curves) -> float:
    """Return how many pixels steadying leaves of the head's motion about an event, at most."""
    start, end = curves.times[event.first] - HEAD_SECONDS, curves.times[event.last] + HEAD_SECONDS
    near = slice(*np.searchsorted(curves.times, (start, end)))
    head, turn, moved = curves.head[near], curves.turn[near], whole[near]
    if not np.ptp(head):
        return 0.0
    alike = float(np.cov(moved, turn)[0, 1]) > FOLLOWS * float(moved.std() * turn.std())
    share = LEFT_WHERE_FOLLOWED if alike else LEFT_OF_TURN
    return LEFT_OF_HEAD * float(np.ptp(head)) + share * float(np.ptp(turn))


def _is_left_of_eyes(event: Event, eyes: Event) -> bool:
    """Return whether an event is no more than lids or eyes leave beside them."""
    shared = min(event.offset, eyes.offset) - max(event.onset, eyes.onset)
    both = max(event.offset, eyes.offset) - min(event.onset, eyes.onset)
    return shared > AS_LONG * both and event.height < LEFT_OF_EYES


def _whole(regions: Floats) -> Floats:
    """Return how far (T,) the face moves by its regions (T, 5)."""
    return np.asarray(np.sqrt((regions**2).sum(1)))


def _seconds(event: Event, times: Floats) -> float:
    return _at(event.offset, times) - _at(event.onset, times)


def _at(frame: float, times: Floats) -> float:
    return float(np.interp(frame, np.arange(len(times)), times))


def _told(event: Event, times: Floats, parts: tuple[Region, ...], kind: Kind) -> Spotted:
    onset, apex, offset = (_at(f, times) for f in (event.onset, event.apex, event.offset))
    # What is twice the least that counts is probably there, four times as much leaves little doubt.
    confidence = 1 - np.exp(-event.ratio)
    return Spotted(onset, apex, offset, parts, kind, float(confidence))
