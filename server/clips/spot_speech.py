"""Find when somebody speaks, and what the face beside the mouth does meanwhile.

Speech opens and closes the mouth several times in a row, the jaw dropping with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .describe_amounts import Floats
from .spot_curves import REGIONS, UPPER, Curves
from .spot_events import NOISE_DEVIATIONS, Event, events_of

#: The jaw opens so often, and so often a second, with pauses of at most so many seconds.
SYLLABLES, SYLLABLES_A_SECOND, PAUSE_SECONDS = 3, 1.5, 0.25
#: It opens by this amount at least, and jaw and mouth by this share of the widest that they do.
JAW_AMOUNT, OPENING_SHARE = 0.02, 0.1
#: The mouth rests where it moves by less than this share of an event.
AT_REST = 0.05
#: What speech seems to do beside the mouth, at most, as a share of how far the mouth moves.
BESIDE_MOUTH = 0.08
MOUTH = [REGIONS.index("lips"), REGIONS.index("chin")]


def speeches(curves: Curves, regions: Floats, least: float, noise: float) -> list[Event]:
    """Return each time somebody speaks, by how far `regions` (T, 5) move; the mouth's own events
    rise by at least `least` pixels over `noise`."""
    mouth = mouth_of(regions)
    events = [e for e in events_of(mouth, least, noise) if _is_of_mouth(regions, e)]
    runs: list[Event] = []
    rest = max(least, NOISE_DEVIATIONS * noise)
    for event in (_with_beside(e, mouth, rest) for e in events):
        if runs and curves.times[event.first] - curves.times[runs[-1].last] <= PAUSE_SECONDS:
            runs[-1] = _joined(runs[-1], event)
        else:
            runs.append(event)
    return [run for run in runs if _speaks(run, curves, mouth)]


def beside_speech(curves: Curves, regions: Floats, spoken: Sequence[Event]) -> Floats:
    """Return regions (T, 5) without what the mouth does while somebody speaks."""
    beside = regions.copy()
    for speech in spoken:
        frames = slice(speech.first, speech.last + 1)
        own = np.minimum(curves.upper[frames], regions[frames, : len(UPPER)])
        beside[frames] = 0
        beside[frames, : len(UPPER)] = own
    return beside


def is_left_of_speech(event: Event, regions: Floats, spoken: Sequence[Event]) -> bool:
    """Return whether an event is no more than speech seems to do beside the mouth."""
    frames = slice(event.first, event.last + 1)
    speaks = any(speech.first <= event.apex <= speech.last for speech in spoken)
    return speaks and event.height < BESIDE_MOUTH * float(mouth_of(regions[frames]).max())


def mouth_of(regions: Floats) -> Floats:
    """Return how far (T,) lips and chin move by the regions (T, 5)."""
    return np.asarray(np.hypot(*regions[:, MOUTH].T))


def _is_of_mouth(regions: Floats, event: Event) -> bool:
    """Return whether the mouth moves most in an event."""
    return int(regions[round(event.apex)].argmax()) in MOUTH


def _with_beside(event: Event, mouth: Floats, rest: float) -> Event:
    """Return an event with what moves the mouth (T,) on before and after it, by more than `rest`: a
    vowel that does not stand apart from the next one is no event of its own."""
    first, last, still = event.first, event.last, max(rest, AT_REST * event.height)
    while first > 0 and mouth[first - 1] > still:
        first -= 1
    while last < len(mouth) - 1 and mouth[last + 1] > still:
        last += 1
    onset = event.onset if first == event.first else float(first)
    offset = event.offset if last == event.last else float(last)
    return replace(event, onset=onset, offset=offset, first=first, last=last)


def _joined(event: Event, other: Event) -> Event:
    """Return two events as one, with the apex of the stronger."""
    return replace(
        max(event, other, key=lambda e: e.height),
        onset=min(event.onset, other.onset), offset=max(event.offset, other.offset),
        first=min(event.first, other.first), last=max(event.last, other.last),
    )  # fmt: skip


def _speaks(run: Event, curves: Curves, mouth: Floats) -> bool:
    """Return whether the mouth opens often enough, the jaw dropping and lips and chin with it."""
    frames = slice(run.first, run.last + 1)
    jaw = curves.jaw[frames]
    least = max(JAW_AMOUNT, OPENING_SHARE * float(jaw.max()))
    openings = min(
        _openings(jaw, least), _openings(mouth[frames], OPENING_SHARE * float(mouth[frames].max()))
    )
    seconds = float(curves.times[run.last] - curves.times[run.first])
    return openings >= max(SYLLABLES, SYLLABLES_A_SECOND * seconds)


def _openings(curve: Floats, least: float) -> int:
    """Return how often a curve rises and falls again by as much."""
    count, rising, turn = 0, False, float(curve[0])
    for value in map(float, curve):
        if rising:
            turn = max(turn, value)
            if turn - value >= least:
                count, rising, turn = count + 1, False, value
        else:
            turn = min(turn, value)
            if value - turn >= least:
                rising, turn = True, value
    return count
