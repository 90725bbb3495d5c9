"""Whether a generated clip says what its source said, as the recogniser reads both.

`python -m microface.models.evaluation.agreement --data TEST` prints it for every method over
held-out pairs, as `microface evaluate --meaning` does below its own table.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...errors import told
from ..eam.network import Eam
from ..export import load_weights
from ..recognition.network import WEIGHTS, Recogniser, load_recogniser
from ..recognition.recognise import Recognised, as_pictures, find_points, read, seen
from ..recognition.samples import Pictures, true_amounts
from ..recognition.scores import Interval, as_words, scores
from ..training.data import Shards
from .run import Answered, answered, labels

Scores = dict[str, Interval]

#: Row of the source's own pictures.
SOURCE = "the source"


def agreement(
    source: Pictures,
    generated: Pictures,
    keypoints: Eam,
    recogniser: Recogniser,
    source_neutral: Pictures | None = None,
    generated_neutral: Pictures | None = None,
) -> Scores:
    """Return how far frames `generated` (T, 256, 256, 3) of a character say what their `source`
    frames (T, 256, 256, 3) say; see `recognition.scores.scores`, with the source for the truth.

    Pictures are RGB crops about the face. A neutral (256, 256, 3) that is not given is the first
    frame. Intervals are over frames. Raises ValueError where the clips differ in length.
    """
    if len(source) != len(generated):
        raise ValueError(f"{len(source)} source frames and {len(generated)} generated ones")
    said = []
    for frames, rest in ((source, source_neutral), (generated, generated_neutral)):
        neutral = frames[:1] if rest is None else rest[None]
        motions = seen(neutral, frames, find_points(keypoints, neutral))
        said.append(read(motions, recogniser))
    return agreed(said[0], said[1], range(len(source)))


def agreed(source: Recognised, generated: Recognised, groups: Sequence[object]) -> Scores:
    """Return the scores of what is read in `generated` against what is read in `source`."""
    return scores(generated.named, generated.amount, source.told, groups)


class Watch:
    """Sees how `SOURCE`'s pictures and each method's move, batch by batch of `run.answered`;
    `network` finds the keypoints in them."""

    def __init__(self, network: Eam) -> None:
        self.network = network
        #: Indices of the pairs that were seen.
        self.chosen: list[int] = []
        self._motions: dict[str, list[Tensor]] = {}

    def __call__(self, batch: Answered) -> None:
        """Take a batch in."""
        self.chosen += batch.indices
        source, frames, rest = (
            as_pictures(batch.stored[name])
            for name in ("source_neutral", "source_frame", "character_neutral")
        )
        self._take(SOURCE, seen(source, frames, find_points(self.network, source)))
        points = find_points(self.network, rest)
        for name, result in batch.results.items():
            self._take(name, seen(rest, result.images, points))

    def _take(self, name: str, motion: Tensor) -> None:
        self._motions.setdefault(name, []).append(motion)

    @property
    def motions(self) -> dict[str, Tensor]:
        """The motion in windows, (P, ...) as `recognition.recognise.seen` returns it."""
        return {name: torch.cat(parts) for name, parts in self._motions.items()}


def meaning(watch: Watch, recogniser: Recogniser, shards: Shards) -> dict[str, dict[str, Scores]]:
    """Return the scores of `SOURCE`'s pictures and of each method's that were watched, against
    the true units, `truth`, and against what the recogniser reads in the source, `source`."""
    known, truth = labels(shards), true_amounts(shards)[watch.chosen]
    groups = [known[index][0] for index in watch.chosen]
    found = {name: read(motion, recogniser) for name, motion in watch.motions.items()}
    return {
        name: {
            "truth": scores(one.named, one.amount, truth, groups),
            "source": agreed(found[SOURCE], one, groups),
        }
        for name, one in found.items()
    }


def as_json(found: dict[str, dict[str, Scores]]) -> dict[str, object]:
    """Return the same for JSON: null for a score of which there is no case."""

    def plain(interval: Interval) -> dict[str, float | None]:
        keys = ("value", "low", "high")
        return {k: None if np.isnan(v) else v for k, v in zip(keys, interval, strict=True)}

    return {
        name: {
            against: {score: plain(interval) for score, interval in row.items()}
            for against, row in rows.items()
        }
        for name, rows in found.items()
    }


def as_markdown(found: dict[str, dict[str, Scores]]) -> str:
    """Return the table: a row a method and truth, a column a score."""
    names = list(next(iter(found.values()))["truth"])
    lines = [f"| read in | against | {' | '.join(names)} |", "|---" * (len(names) + 2) + "|"]
    for against, words in (("truth", "the true units"), ("source", "those read in the source")):
        for name, rows in found.items():
            if name == SOURCE and against == "source":
                continue
            cells = " | ".join(as_words(rows[against][column]) for column in names)
            lines.append(f"| {name} | {words} | {cells} |")
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Measure as the command line asks; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m microface.models.evaluation.agreement")
    parser.add_argument("--data", type=Path, required=True, help="folder of held-out pairs-*.npz")
    parser.add_argument("--pairs", type=int, default=256, help="pairs to measure (default 256)")
    parser.add_argument("--weights", type=Path, help="the network's (default: those that ship)")
    parser.add_argument("--recogniser", type=Path, default=WEIGHTS, help="its weights")
    options = parser.parse_args(arguments)

    def work() -> None:
        network = load_weights(options.weights or WEIGHTS.with_name("eam.safetensors"))
        recogniser = load_recogniser(options.recogniser)
        shards, watch = Shards(options.data), Watch(network)
        for batch in answered(network, shards, options.pairs):
            watch(batch)
        print(as_markdown(meaning(watch, recogniser, shards)))

    return told(work)


if __name__ == "__main__":
    raise SystemExit(main())
