"""Whether generated clips help a recogniser that has few labelled ones.

    python -m microface.models.recognition.gain --data PAIRS --samples FILE --test FILE --out DIR

takes the sources of a few shards for all that is labelled and puts each on a neutral face of
another shard. It teaches recognisers on the labelled clips alone, with the generated ones, and, for
what more characters give at best, with true renderings of the same expressions on as many
characters; and tests them on people that none has seen. What DIR holds is not done again, so that
several such commands with seeds of their own share the work.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from ...errors import InputError, told
from ..eam.network import Eam
from ..export import load_weights
from ..heads.write import PAIRS_PER_SHARD
from ..training.data import SERVED, Shards
from ..training.passes import animated
from ..training.served import as_served
from ..training.stages import as_tensors
from .network import WEIGHTS, Recogniser
from .recognise import as_pictures
from .samples import Samples, joined, moved, true_amounts, without_head
from .scores import PRESENT, Measure, as_words, by_unit, f_sums, interval, ratio
from .train import fit, parted, read_samples, with_threshold

#: Clips that are generated at once.
BATCH = 16
#: Pairs that show the same two people.
FRAMES = 4
#: Share of the labelled people who set the threshold alone.
KEPT = 0.15
#: What is taught on, in the order of the table.
TAUGHT = {
    "alone": "the labelled clips alone",
    "rendered": "with true renderings",
    "generated": "with generated clips",
}


def generated(
    network: Eam, shards: Shards, pairs: NDArray[np.int64], faces: NDArray[np.int64]
) -> Samples:
    """Return samples of generated frames: the sources of `pairs`, each on the neutral face of the
    character of one of `faces`, pairs as well."""
    amounts = true_amounts(shards)
    parts: list[Samples] = []
    for start in range(0, len(pairs), BATCH):
        at = slice(start, start + BATCH)
        batch = shards.batch(pairs[at], ("source_neutral", "source_frame", *SERVED))
        batch |= shards.batch(faces[at], ("character_neutral", "character_points"))
        with torch.no_grad():
            made = animated(network, as_served(as_tensors(batch)), paint=True).image.clamp(0, 1)
        rest = np.asarray(batch["character_neutral"], np.uint8)
        points = np.asarray(batch["character_points"], np.float32)
        flow = without_head(moved(rest, as_pictures(made)), points)
        people = np.array([f"face {face // FRAMES}" for face in faces[at]])
        parts.append(Samples(flow, points, amounts[pairs[at]], people))
    return joined(parts)


def split_roles(samples: Samples, pairs: NDArray[np.int64]) -> tuple[Samples, Samples]:
    """Return the samples of the sources of `pairs`, and of their characters, of `from_shards`."""
    shard, place = np.divmod(pairs, PAIRS_PER_SHARD)
    sources = shard * 2 * PAIRS_PER_SHARD + place
    return samples.chosen(sources), samples.chosen(sources + PAIRS_PER_SHARD)


def learned(sources: Samples, more: Samples | None, steps: int, seed: int) -> Recogniser:
    """Return a recogniser taught on the `sources` of most people, for `steps` steps.

    `more` are samples of the same pairs on other faces, in the same order, that are added. The
    threshold is that of the sources' other people.
    """
    taught, kept = parted(sources, KEPT)
    if more is not None:
        taught = joined((taught, more.chosen(np.isin(sources.people, taught.people))))
    return with_threshold(fit(taught, steps, seed), kept)


def tested(network: Recogniser, test: Samples) -> NDArray[np.float64]:
    """Return the sums (M, 2) that F1 by unit is made of, a row a sample of `test`."""
    named = (read_samples(network, test).chance >= network.config.threshold).numpy()
    there, open_ = test.amounts >= PRESENT, (test.amounts > 0) & (test.amounts < PRESENT)
    return f_sums(by_unit(named), by_unit(there), by_unit(open_))


def table(folder: Path, people: NDArray[np.str_]) -> str:
    """Return the F1 of what `folder` holds, over all seeds, and what is gained on `alone`."""
    sums = {name: sum(np.load(path) for path in folder.glob(f"{name}-*.npy")) for name in TAUGHT}
    alone = ratio(sums["alone"])
    lines = ["| taught on | F1 | gained |", "|---|---|---|"]
    for name, words in TAUGHT.items():
        score = ratio(sums[name])

        def gained(weights: NDArray[np.float64], score: Measure = score) -> float:
            return score(weights) - alone(weights)

        lines.append(
            f"| {words} | {as_words(interval(score, people))} "
            f"| {as_words(interval(gained, people)) if name != 'alone' else ''} |"
        )
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Compare as the command line asks; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m microface.models.recognition.gain")
    parser.add_argument("--data", type=Path, required=True, help="folder of pairs-*.npz")
    parser.add_argument("--samples", type=Path, required=True, help="samples of the same folder")
    parser.add_argument("--test", type=Path, required=True, help="samples of held-out people")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="what is kept")
    parser.add_argument("--taught", nargs="+", choices=TAUGHT, default=list(TAUGHT))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--shards", type=int, default=10, help="labelled shards (default 10)")
    parser.add_argument("--steps", type=int, default=500, help="steps a training (default 500)")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    return told(lambda: compare(options))


def compare(options: argparse.Namespace) -> None:
    """Teach and test what the command line asks for and is not there, and print the table."""
    shards, test = Shards(options.data), Samples.load(options.test)
    pairs = np.arange(options.shards * PAIRS_PER_SHARD)
    if not 0 < len(pairs) < len(shards):
        raise InputError(f"--shards is {options.shards}.", "Leave shards for other faces.")
    sources, rendered = split_roles(Samples.load(options.samples), pairs)
    options.out.mkdir(parents=True, exist_ok=True)
    made = options.out / "generated.npz"
    if "generated" in options.taught and not made.exists():
        network = load_weights(WEIGHTS.with_name("eam.safetensors"))
        faces = np.random.default_rng(0).integers(len(pairs), len(shards), len(pairs))
        generated(network, shards, pairs, faces).save(made)
    for name in options.taught:
        more = None if name == "alone" else rendered
        if name == "generated":
            more = Samples.load(made)
        for seed in options.seeds:
            kept = options.out / f"{name}-{seed}.npy"
            if not kept.exists():
                recogniser = learned(sources, more, options.steps, seed)
                np.save(kept, tested(recogniser, test))
                print(f"{kept}", flush=True)
    if all(list(options.out.glob(f"{name}-*.npy")) for name in TAUGHT):
        print(table(options.out, test.people))


if __name__ == "__main__":
    raise SystemExit(main())
