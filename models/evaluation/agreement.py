"""Whether a generated clip says what its source said, as the recogniser reads both.

`python -m microface.models.evaluation.agreement --data TEST` prints it for every method over
held-out pairs, as `microface evaluate --meaning` does below its own table.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ...errors import MicrofaceError
from ..eam.network import Eam
from ..export import load_weights
from ..recognition.network import Recogniser, load_recogniser
from ..recognition.recognise import WEIGHTS, Recognised, as_pictures, find_points, recognise
from ..recognition.samples import Pictures, true_amounts
from ..recognition.scores import Interval, as_words, scores
from ..training.data import Shards
from ..training.steady import steadied
from .methods import METHODS
from .run import batches, labels

Scores = dict[str, Interval]


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
        points = find_points(keypoints, neutral)
        said.append(recognise(neutral, frames, points, recogniser))
    return agreed(said[0], said[1], range(len(source)))


def agreed(source: Recognised, generated: Recognised, groups: Sequence[object]) -> Scores:
    """Return the scores of what is read in `generated` against what is read in `source`."""
    return scores(generated.named, generated.amount, source.told, groups)


def joined(parts: Sequence[Recognised]) -> Recognised:
    """Return what batches show as one."""
    return Recognised(
        np.concatenate([part.chance for part in parts]),
        np.concatenate([part.named for part in parts]),
        np.concatenate([part.amount for part in parts]),
    )


def meaning(
    network: Eam, recogniser: Recogniser, shards: Shards, pairs: int
) -> dict[str, dict[str, Scores]]:
    """Return for `the source` and each method's pictures their scores against the true units,
    `truth`, and against what the recogniser reads in the source, `source`."""
    read: dict[str, list[Recognised]] = {"the source": [], **{name: [] for name in METHODS}}
    chosen: list[int] = []
    with torch.no_grad():
        for indices, shaken in batches(shards, pairs):
            chosen += indices.tolist()
            rest, frames = (as_pictures(shaken[f"source_{name}"]) for name in ("neutral", "frame"))
            points = find_points(network, rest)
            pair = steadied(shaken, points)
            read["the source"].append(recognise(rest, frames, points, recogniser))
            rest = as_pictures(pair["character_neutral"])
            points = find_points(network, rest)
            for name, method in METHODS.items():
                frames = method(network, pair).images
                read[name].append(recognise(rest, frames, points, recogniser))
    known = labels(shards)
    groups = [known[index][0] for index in chosen]
    truth = true_amounts(shards)[chosen]
    whole = {name: joined(parts) for name, parts in read.items()}
    return {
        name: {
            "truth": scores(found.named, found.amount, truth, groups),
            "source": agreed(whole["the source"], found, groups),
        }
        for name, found in whole.items()
    }


def as_markdown(found: dict[str, dict[str, Scores]]) -> str:
    """Return the table: a row a method and truth, a column a score."""
    names = list(next(iter(found.values()))["truth"])
    lines = [f"| read in | against | {' | '.join(names)} |", "|---" * (len(names) + 2) + "|"]
    for against, words in (("truth", "the true units"), ("source", "those read in the source")):
        for name, rows in found.items():
            if name == "the source" and against == "source":
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
    try:
        network = load_weights(options.weights or WEIGHTS.with_name("eam.safetensors"))
        recogniser = load_recogniser(options.recogniser)
        print(as_markdown(meaning(network, recogniser, Shards(options.data), options.pairs)))
    except MicrofaceError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
