"""Print how well expressions are spotted in rendered films of unseen heads, and in a baseline.

Not a test: `python tests/benchmarks/clip_spot.py --packs HEADS [--films N] [--long N]
[--talking N]`.
Heads of test identities, with sensor noise, flicker of 1 % and a head that strays by 3 pixels.

- trimmed: films of 0.7 s at 200 frames a second with one micro-expression, every other one with a
  blink after it: median and 90th percentile of the errors in frames, and how many are told beside;
- long: films of 30 s at 60 frames a second with five micro-expressions, two macro-expressions, six
  blinks and two turns of the head by 3 degrees: precision, recall and F1 at an intersection over
  union of at least 0.5, of all expressions and of micro-expressions as such;
- talking: films of some 15 s at 60 frames a second in which the face speaks twice, for one to four
  seconds, with a micro-expression of the upper face meanwhile, and has one by itself; a blink, lids
  that close slowly, or half, and eyes that turn: the same, and how often speech, closing lids and
  turning eyes are told as such.

The baseline (`clip_mdmo.py`) is like the main directional mean optical flow, with thresholds
between mean and maximum, of which several are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import cv2
import numpy as np
from clip_episodes import long, talking, trimmed
from clip_films import Episode, Filmed, Shown, Stage, steadied
from clip_mdmo import Interval, baseline
from drawn_heads import heads_parser
from microface.server.clips.spot import EXPRESSIONS, Spotted, spot

HEADS = [(family, number) for number in range(2, 5) for family in ("ict", "makehuman")]
IOU = 0.5
#: Shares of the way from its mean to its maximum that the baseline's peaks reach.
BASELINE_SHARES = (0.1, 0.2, 0.35, 0.5)
Spotter = Callable[[Filmed], list[Interval]]


def ours(film: Filmed) -> list[Interval]:
    """Return the expressions that the product spots."""
    return told_as(film, EXPRESSIONS)


def told_as(film: Filmed, kinds: Sequence[str]) -> list[Interval]:
    """Return what the product spots of some kinds."""
    return [(s.onset, s.apex, s.offset) for s in spotted(film) if s.kind in kinds]


def spotted(film: Filmed) -> list[Spotted]:
    """Return all that the product spots."""
    return spot(film.flows, film.times, film.poses, film.trust, film.eyes)


def spotters() -> dict[str, Spotter]:
    """Return what is compared, by name."""
    every: dict[str, Spotter] = {"here": ours}
    for share in BASELINE_SHARES:
        every[f"baseline {share:g}"] = partial(baseline, share=share)
    return every


def errors(told: list[Interval], true: Episode, fps: float) -> np.ndarray:
    """Return the errors (3,) in frames of the interval nearest in time; inf where there is none."""
    if not told:
        return np.full(3, np.inf)
    best = min(told, key=lambda t: abs(t[1] - true.apex))
    return np.abs(np.subtract(best, (true.onset, true.apex, true.offset))) * fps


def matched(told: list[Interval], true: Sequence[Shown]) -> int:
    """Return how many true episodes have an interval with enough in common, each used once."""
    left = list(told)
    hits = 0
    for episode in true:
        for t in left:
            shared = min(t[2], episode.offset) - max(t[0], episode.onset)
            if shared / (max(t[2], episode.offset) - min(t[0], episode.onset)) >= IOU:
                hits += 1
                left.remove(t)
                break
    return hits


def print_trimmed(films: list[tuple[Filmed, list[Episode]]]) -> None:
    """Print the table of the trimmed films."""
    print(
        "trimmed        onset           apex           offset   (median, 90th percentile; frames)"
        "   told beside"
    )
    for name, spotter in spotters().items():
        told = [spotter(film) for film, _ in films]
        off = np.stack([errors(t, true[0], 200) for t, (_, true) in zip(told, films, strict=True)])
        middle, most = np.median(off, axis=0), np.percentile(off, 90, axis=0, method="higher")
        cells = "  ".join(f"{m:5.1f} {n:6.1f}  " for m, n in zip(middle, most, strict=True))
        print(f"{name:14}{cells}{sum(max(0, len(t) - 1) for t in told):6}", flush=True)


def print_intervals(name: str, films: list[tuple[Filmed, Sequence[Shown]]]) -> None:
    """Print the table of films in which several things happen."""
    print(f"{name:14} precision recall   F1")
    for spotter_name, spotter in spotters().items():
        _print_row(spotter_name, [(spotter(f), _of(shown, EXPRESSIONS)) for f, shown in films])
    micro = ("micro",)
    _print_row("micro here", [(told_as(f, micro), _of(shown, micro)) for f, shown in films])


def print_others(films: list[tuple[Filmed, Sequence[Shown]]]) -> None:
    """Print how often what is no expression is told as what it is."""
    for kind in ("speech", "blink", "gaze"):
        _print_row(kind, [(told_as(f, (kind,)), _of(shown, (kind,))) for f, shown in films])


def _of(shown: Sequence[Shown], kinds: Sequence[str]) -> list[Shown]:
    return [e for e in shown if e.kind in kinds]


def _print_row(name: str, films: list[tuple[list[Interval], list[Shown]]]) -> None:
    hits = sum(matched(*film) for film in films)
    told, true = (sum(map(len, part)) for part in zip(*films, strict=True))
    precision, recall, f1 = hits / max(1, told), hits / max(1, true), 2 * hits / max(1, told + true)
    print(f"{name:15}{precision:8.2f}{recall:8.2f}{f1:7.2f}   {hits} of {true}, {told} told")


def main() -> None:
    """Print the tables."""
    parser = heads_parser(__doc__)
    parser.add_argument("--films", type=int, default=12, help="trimmed ones")
    parser.add_argument("--long", type=int, default=2, help="long ones")
    parser.add_argument("--talking", type=int, default=4, help="ones with speech")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    stages = [Stage(arguments.packs, arguments.keep, *head) for head in HEADS]
    films = []
    for index in range(arguments.films):
        episodes = trimmed(index)
        times = np.arange(140) / 200
        stage = stages[(index + index // len(HEADS)) % len(HEADS)]
        films.append((steadied(stage, episodes, times, index, arguments.keep), episodes))
    if films:
        print_trimmed(films)
    busy: list[tuple[Filmed, Sequence[Shown]]] = []
    for index in range(arguments.long):
        episodes = long(index)
        times = np.arange(30 * 60) / 60
        stage = stages[(index + 2) % len(HEADS)]
        busy.append((steadied(stage, episodes, times, index, arguments.keep), episodes))
    if busy:
        print_intervals("long", busy)
    busy = []
    for index in range(arguments.talking):
        shown = talking(index)
        times = np.arange(round(60 * (max(e.offset for e in shown) + 0.8))) / 60
        stage = stages[index % len(HEADS)]
        busy.append((steadied(stage, shown, times, index, arguments.keep), shown))
    if busy:
        print_intervals("talking", busy)
        print_others(busy)


if __name__ == "__main__":
    main()
