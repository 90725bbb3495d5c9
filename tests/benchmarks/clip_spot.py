"""Print how well expressions are spotted in rendered films of unseen heads, and in a baseline.

Not a test: `python tests/benchmarks/clip_spot.py --packs HEADS [--heads N] [--films N]`. Heads of
test identities, with sensor noise, flicker of 1 % and a head that strays by 3 pixels.

- trimmed: films of 0.7 s at 200 frames a second with one micro-expression, every other one with a
  blink after it: median and 90th percentile of the errors in frames;
- long: films of 30 s at 60 frames a second with five micro-expressions, two macro-expressions, six
  blinks and two turns of the head by 3 degrees: precision, recall and F1 at an intersection over
  union of at least 0.5, of all expressions and of micro-expressions as such.

The baseline is like the main directional mean optical flow (Liu et al., IEEE Transactions on
Affective Computing 7, 2016): each region's flow along its main direction, in long films against
the mean of the frames a quarter of a second before and after, and peaks of the third of the regions
that move most over a threshold between mean and maximum (Moilanen et al., ICPR 2014), of which
several are shown.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
from clip_films import BLINK, Act, Episode, Filmed, Stage, steadied
from drawn_heads import heads_parser
from microface.server.clips.spot import Spotted, spot
from microface.server.clips.template import template

HEADS = [(family, number) for number in range(2, 5) for family in ("ict", "makehuman")]
ACTS: tuple[Act, ...] = (
    (("AU4", 0.25, 0.25),),
    (("AU12", 0.12, 0.12), ("AU6", 0.2, 0.2)),
    (("AU1", 0.25, 0.25), ("AU2", 0.2, 0.2)),
    (("AU15", 0.25, 0.25),),
    (("AU14", 0.0, 0.3),),
    (("AU9", 0.25, 0.25),),
)
#: A macro-expression goes this much further.
MACRO = 2.5
IOU = 0.5
#: The baseline's peaks reach one of these shares of the way from its mean to its maximum. Gaps
#: shorter than this, in seconds, are closed, shorter peaks dropped.
BASELINE_SHARES = (0.1, 0.2, 0.35, 0.5)
BASELINE_REACH, BASELINE_GAP, BASELINE_LEAST = 0.25, 0.07, 0.1
#: In films shorter than this, in seconds, it measures against the neutral.
BASELINE_LONG = 3.0

Interval = tuple[float, float, float]  # onset, apex, offset in seconds
Spotter = Callable[[Filmed], list[Interval]]


def trimmed(index: int) -> list[Episode]:
    """Return what the face does in a trimmed film."""
    rng = np.random.default_rng([index, 3])
    onset = float(rng.uniform(0.12, 0.18))
    apex = onset + float(rng.uniform(0.07, 0.14))
    offset = apex + float(rng.uniform(0.09, 0.16))
    episodes = [Episode(onset, apex, offset, ACTS[index % len(ACTS)])]
    if index % 2:
        episodes.append(Episode(offset + 0.02, offset + 0.08, offset + 0.17, BLINK))
    return episodes


def long(index: int) -> list[Episode]:
    """Return what the face does in a film of 30 s."""
    rng = np.random.default_rng([index, 4])
    small = [ACTS[(2 * index + k) % len(ACTS)] for k in range(2)]
    large = tuple((u, MACRO * left, MACRO * right) for u, left, right in small[0])
    kinds = [small[k % 2] for k in range(5)] + [large] * 2 + [BLINK] * 6 + [None] * 2
    episodes = []
    at = 1.0
    for k in rng.permutation(len(kinds)):
        kind = kinds[int(k)]
        if kind == BLINK:
            rise, fall, hold = 0.08, 0.15, 0.02
        elif kind is None:
            rise, fall, hold = 0.5, 0.5, 0.3
        elif kind == large:
            rise, fall, hold = rng.uniform(0.25, 0.5), rng.uniform(0.4, 0.7), rng.uniform(0.2, 0.6)
        else:
            rise, fall, hold = rng.uniform(0.08, 0.17), rng.uniform(0.1, 0.22), 0.03
        apex = at + float(rise + hold / 2)
        offset = apex + float(fall + hold / 2)
        episodes.append(Episode(at, apex, offset, kind, float(hold)))
        at = offset + float(rng.uniform(0.25, 1.6))
    return episodes


def ours(film: Filmed) -> list[Interval]:
    """Return the expressions that the product spots."""
    return [(s.onset, s.apex, s.offset) for s in spotted(film) if s.kind in ("micro", "macro")]


def spotted(film: Filmed) -> list[Spotted]:
    """Return all that the product spots."""
    return spot(film.flows, film.times, film.poses, film.trust)


def baseline(film: Filmed, share: float) -> list[Interval]:
    """Return the expressions that the baseline spots with a threshold at `share`."""
    maps = template(32)
    blocks = []
    for top in np.arange(-1.75, 1.9, 0.6):
        for left in np.arange(-1.4, 1.4, 0.7):
            cells = (maps.y >= top) & (maps.y < top + 0.6) & (maps.x >= left)
            cells &= (maps.x < left + 0.7) & (maps.face > 0.5)
            if cells.sum() >= 6:
                blocks.append(cells)
    frames = np.arange(len(film.times))
    step = max(1, round(BASELINE_REACH / float(np.median(np.diff(film.times)))))
    before, after = np.maximum(0, frames - step), np.minimum(len(frames) - 1, frames + step)
    flows = film.plain
    if film.times[-1] > BASELINE_LONG:
        flows = flows - 0.5 * (flows[before] + flows[after])
    lengths = np.zeros((len(flows), len(blocks)))
    for k, cells in enumerate(blocks):
        part = flows[:, cells]
        bins = np.floor((np.arctan2(part[..., 1], part[..., 0]) / (np.pi / 4)) % 8).astype(int)
        counts = np.stack([(bins == b).sum(1) for b in range(8)], 1)
        main = bins == counts.argmax(1)[:, None]
        mean = (part * main[..., None]).sum(1) / np.maximum(1, main.sum(1))[:, None]
        lengths[:, k] = np.hypot(mean[:, 0], mean[:, 1])
    curve = np.sort(lengths, 1)[:, -len(blocks) // 3 :].mean(1)
    wide = max(1, round(0.03 / float(np.median(np.diff(film.times)))))
    curve = np.convolve(np.pad(curve, wide, "edge"), np.ones(2 * wide + 1), "valid")
    over = np.flatnonzero(curve > curve.mean() + share * (curve.max() - curve.mean()))
    found: list[Interval] = []
    for run in np.split(over, np.flatnonzero(np.diff(film.times[over]) > BASELINE_GAP) + 1):
        if len(run) and film.times[run[-1]] - film.times[run[0]] >= BASELINE_LEAST:
            apex = run[int(curve[run].argmax())]
            found.append((film.times[run[0]], film.times[apex], film.times[run[-1]]))
    return found


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


def matched(told: list[Interval], true: list[Episode]) -> int:
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


def is_expression(episode: Episode) -> bool:
    """Return whether an episode is an expression, neither blink nor turn."""
    return episode.act not in (None, BLINK)


def is_micro(episode: Episode) -> bool:
    """Return whether an episode is a micro-expression."""
    return is_expression(episode) and episode.offset - episode.onset <= 0.5


def print_trimmed(films: list[tuple[Filmed, list[Episode]]]) -> None:
    """Print the table of the trimmed films."""
    print(
        "trimmed        onset           apex           offset   (median, 90th percentile; frames)"
    )
    for name, spotter in spotters().items():
        off = np.stack([errors(spotter(film), told[0], 200) for film, told in films])
        middle, most = np.median(off, axis=0), np.percentile(off, 90, axis=0, method="higher")
        cells = "  ".join(f"{m:5.1f} {n:6.1f}  " for m, n in zip(middle, most, strict=True))
        print(f"{name:14}{cells}", flush=True)


def print_long(films: list[tuple[Filmed, list[Episode]]]) -> None:
    """Print the table of the long films."""
    print("long           precision recall   F1")

    def micro(film: Filmed) -> list[Interval]:
        return [(s.onset, s.apex, s.offset) for s in spotted(film) if s.kind == "micro"]

    for name, spotter in {**spotters(), "micro here": micro}.items():
        hits = told = true = 0
        for film, episodes in films:
            found = spotter(film)
            wanted = [e for e in episodes if (is_micro if "micro" in name else is_expression)(e)]
            hits += matched(found, wanted)
            told += len(found)
            true += len(wanted)
        precision, recall = hits / max(1, told), hits / max(1, true)
        f1 = 2 * hits / max(1, told + true)
        print(f"{name:15}{precision:8.2f}{recall:8.2f}{f1:7.2f}", flush=True)


def main() -> None:
    """Print both tables."""
    parser = heads_parser(__doc__)
    parser.add_argument("--films", type=int, default=12, help="trimmed ones")
    parser.add_argument("--long", type=int, default=2, help="long ones")
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
    films = []
    for index in range(arguments.long):
        episodes = long(index)
        times = np.arange(30 * 60) / 60
        stage = stages[(index + 2) % len(HEADS)]
        films.append((steadied(stage, episodes, times, index, arguments.keep), episodes))
    if films:
        print_long(films)


if __name__ == "__main__":
    main()
