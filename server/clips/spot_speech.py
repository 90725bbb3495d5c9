"""Find when somebody speaks, and what the face beside the mouth does meanwhile.

Speech opens and closes the mouth several times in a row, some times a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from .describe_amounts import Floats
from .spot_curves import REGIONS, UPPER, Curves
from .spot_events import NOISE_DEVIATIONS, Event
from .spot_time import smooth

#: The mouth opens so often, and so often a second, a syllable no more than so many seconds after
#: the one before.
SYLLABLES, SYLLABLES_A_SECOND, APART_SECONDS = 3, 1.5, 0.8
#: A syllable opens and closes it by so many pixels at least, by these shares of what it opens and
#: of how far lips and chin move within so many seconds, and so many times as far as it trembles.
OPENING_PIXELS, OPENING_SHARE, MOUTH_SHARE, TREMBLING, ABOUT_SECONDS = 0.8, 0.15, 0.1, 3.0, 2.0
#: What is quicker than a mouth trembles: what a Gaussian of this deviation takes off.
TREMBLING_SECONDS = 0.03
#: A syllable begins where the mouth has opened by this share.
SHUT_SHARE = 0.2
#: Speech goes on for so many seconds at most beyond its last syllable, and as many before its
#: first, while the mouth moves by this share of its most; pauses are no longer.
BESIDE_SECONDS, AT_REST = 0.25, 0.05
#: What speech seems to do beside the mouth, at most, as a share of how far the mouth moves.
BESIDE_MOUTH = 0.08
MOUTH = [REGIONS.index("lips"), REGIONS.index("chin")]


def speeches(curves: Curves, regions: Floats, least: float, noise: float) -> list[Event]:
    """Return each time somebody speaks; the mouth is at rest where its `regions` (T, 5) move by
    less than `least` pixels and `noise`."""
    mouth, times = mouth_of(regions), curves.times
    runs: list[list[Event]] = []
    for syllable in _syllables(curves.opening, mouth, times):
        if runs and times[round(syllable.apex)] - times[round(runs[-1][-1].apex)] < APART_SECONDS:
            runs[-1].append(syllable)
        else:
            runs.append([syllable])
    rest = max(least, NOISE_DEVIATIONS * noise)
    spoken: list[Event] = []
    for speech in (_speech(run, mouth, times, rest) for run in runs if _speaks(run, times)):
        if spoken and times[speech.first] - times[spoken[-1].last] <= BESIDE_SECONDS:
            spoken[-1] = _joined(spoken[-1], speech)
        else:
            spoken.append(speech)
    return spoken


def beside_speech(curves: Curves, regions: Floats, spoken: Sequence[Event]) -> Floats:
    """Return regions (T, 5) without what the mouth does while somebody speaks."""
    beside = regions.copy()
    for speech in spoken:
        frames = slice(speech.first, speech.last + 1)
        own = np.minimum(curves.upper[frames], regions[frames, : len(UPPER)])
        beside[frames] = 0
        beside[frames, : len(UPPER)] = own
    return beside


def left_of_speech(event: Event, regions: Floats, spoken: Sequence[Event]) -> float:
    """Return how far speech seems to move the face beside the mouth in an event, at most."""
    if not any(speech.first <= event.apex <= speech.last for speech in spoken):
        return 0.0
    frames = slice(event.first, event.last + 1)
    return BESIDE_MOUTH * float(mouth_of(regions[frames]).max())


def mouth_of(regions: Floats) -> Floats:
    """Return how far (T,) lips and chin move by the regions (T, 5)."""
    return np.asarray(np.hypot(*regions[:, MOUTH].T))


def _syllables(opening: Floats, mouth: Floats, times: Floats) -> list[Event]:
    """Return each time that an opening (T,) of the mouth rises and falls again by enough."""
    seen, opening = opening, smooth(opening[:, None], times, TREMBLING_SECONDS).ravel()
    step = float(np.median(np.diff(times)))
    about = np.ones((1, max(1, round(ABOUT_SECONDS / step))))
    most = cv2.dilate(opening[None], about)[0]
    ways = most - cv2.erode(opening[None], about)[0]
    moved = cv2.dilate(mouth[None], about)[0]
    least = np.maximum(OPENING_SHARE * ways, MOUTH_SHARE * moved)
    trembling = np.sqrt(cv2.blur((seen - opening)[None] ** 2, about.shape[::-1])[0])
    least = np.maximum(np.maximum(least, TREMBLING * trembling), OPENING_PIXELS)
    found: list[Event] = []
    first = top = 0
    rising = False
    for frame, value in enumerate(opening):
        if not rising:
            first = frame if value < opening[first] else first
            rising, top = value - opening[first] >= least[frame], frame
            continue
        top = frame if value > opening[top] else top
        if opening[top] - value >= least[top]:
            height = float(opening[top] - max(opening[first], value))
            # The mouth may have been at rest for long.
            rise = opening[first:top] - opening[first]
            shut = np.flatnonzero(rise <= SHUT_SHARE * (opening[top] - opening[first]))
            begun = first + int(shut[-1])
            ratio = height / float(least[top])
            found.append(Event(begun, top, frame, height, ratio, begun, frame))
            rising, first = False, frame
    return found


def _speaks(run: Sequence[Event], times: Floats) -> bool:
    """Return whether there are syllables enough in a run, and enough a second."""
    seconds = float(times[run[-1].last] - times[run[0].first])
    return len(run) >= max(SYLLABLES, SYLLABLES_A_SECOND * seconds)


def _speech(run: Sequence[Event], mouth: Floats, times: Floats, rest: float) -> Event:
    """Return a run of syllables as one event, from where the mouth (T,) begins to move, by more
    than `rest`, to where it has come to rest, if that is near."""
    first, last = run[0].first, run[-1].last
    still = max(rest, AT_REST * float(mouth[first : last + 1].max()))
    beside = (times[first] - BESIDE_SECONDS, times[last] + BESIDE_SECONDS)
    least, most = np.clip(np.searchsorted(times, beside), 0, len(times) - 1)
    first, last = _at_rest(mouth, first, int(least), still), _at_rest(mouth, last, int(most), still)
    height, ratio = np.median([(s.height, s.ratio) for s in run], axis=0)
    return replace(
        max(run, key=lambda s: s.height), onset=float(first), offset=float(last),
        height=float(height), ratio=float(ratio), first=first, last=last,
    )  # fmt: skip


def _joined(event: Event, other: Event) -> Event:
    """Return two events as one, with the apex of the surer."""
    return replace(
        max(event, other, key=lambda e: e.ratio),
        onset=event.onset, offset=other.offset, first=event.first, last=other.last,
    )  # fmt: skip


def _at_rest(mouth: Floats, frame: int, end: int, still: float) -> int:
    """Return the frame, from one on to the `end`, at which a mouth (T,) has come to rest: it moves
    by no more than `still`, and no less in the next."""
    step = 1 if end > frame else -1
    while frame != end and (mouth[frame + step] > still or mouth[frame + step] < mouth[frame]):
        frame += step
    return frame
