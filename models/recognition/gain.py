"""Whether generated clips help a recogniser that has few labelled ones.

`python -m microface.models.recognition.gain --data PAIRS --samples FILE --test FILE` takes the
sources of a few shards for all that is labelled and puts each on neutral faces of other shards. It
teaches recognisers on the labelled clips alone, with the generated ones, and, for what more
characters give at best, with true renderings of the same expressions on as many characters; and
tests them on people that none has seen.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from ...errors import InputError, MicrofaceError
from ..eam import grid
from ..eam.network import Eam
from ..export import load_weights
from ..heads.write import PAIRS_PER_SHARD
from ..training.data import Shards
from ..training.stages import animated, as_tensors
from ..training.steady import steadied
from .recognise import WEIGHTS, as_pictures, find_points
from .samples import Samples, joined, moved, true_amounts, without_head
from .scores import Interval, as_words, scores
from .train import fit, parted, read_samples, with_threshold

#: Clips that are generated at once.
BATCH = 16
#: Share of the labelled people who set the threshold alone.
KEPT = 0.15
#: What is taught on, in the order of the table.
TAUGHT = ("labelled alone", "with generated clips", "with true renderings")


def generated(network: Eam, shards: Shards, pairs: NDArray[np.int64], seed: int) -> Samples:
    """Return samples of generated frames: the sources of `pairs`, each on the neutral face of a
    pair drawn from behind the last of them."""
    rng = np.random.default_rng(seed)
    faces = rng.integers(pairs.max() + 1, len(shards), len(pairs))
    amounts = true_amounts(shards)
    parts: list[Samples] = []
    for start in range(0, len(pairs), BATCH):
        at = slice(start, start + BATCH)
        batch = shards.batch(pairs[at], ("source_neutral", "source_frame", "measured_flow"))
        batch |= shards.batch(faces[at], ("character_neutral",))
        pair = as_tensors(batch)
        pair = steadied(pair, find_points(network, np.asarray(batch["source_neutral"], np.uint8)))
        with torch.no_grad():
            made = as_pictures(animated(network, pair, paint=True).image.clamp(0, 1))
        rest = np.asarray(batch["character_neutral"], np.uint8)
        points = grid.to_pixels(find_points(network, rest)).numpy().astype(np.float32)
        parts.append(
            Samples(
                without_head(moved(rest, made), points),
                points,
                amounts[pairs[at]],
                np.array([f"face {face // 4}" for face in faces[at]]),
            )
        )
    return joined(parts)


def split_roles(samples: Samples, pairs: NDArray[np.int64]) -> tuple[Samples, Samples]:
    """Return the samples of the sources of `pairs`, and of their characters, of `from_shards`."""
    shard, place = np.divmod(pairs, PAIRS_PER_SHARD)
    sources = shard * 2 * PAIRS_PER_SHARD + place
    return samples.chosen(sources), samples.chosen(sources + PAIRS_PER_SHARD)


def compare(
    sources: Samples, made: Samples, rendered: Samples, test: Samples, steps: int, seed: int
) -> dict[str, Interval]:
    """Return the F1 by unit, on `test`, of what is taught on each of `TAUGHT`.

    `sources` and `rendered` are those of the same pairs, `made` as many again, or several times
    as many, in their order. Each is taught for as many steps.
    """
    learned, kept = parted(sources, KEPT)
    own = np.isin(sources.people, learned.people)
    times = len(made) // len(sources)
    sets = (
        learned,
        joined((learned, made.chosen(np.tile(own, times)))),
        joined((learned, rendered.chosen(own))),
    )
    found: dict[str, Interval] = {}
    for name, taught in zip(TAUGHT, sets, strict=True):
        network = with_threshold(fit(taught, steps, seed), kept)
        reading = read_samples(network, test)
        named = (reading.chance >= network.config.threshold).numpy()
        found[name] = scores(named, reading.amount.numpy(), test.amounts, test.people)["f1"]
    return found


def main(arguments: list[str] | None = None) -> int:
    """Compare as the command line asks; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m microface.models.recognition.gain")
    parser.add_argument("--data", type=Path, required=True, help="folder of pairs-*.npz")
    parser.add_argument("--samples", type=Path, required=True, help="samples of the same folder")
    parser.add_argument("--test", type=Path, required=True, help="samples of held-out people")
    parser.add_argument("--made", type=Path, required=True, help="file for the generated samples")
    parser.add_argument("--shards", type=int, default=10, help="labelled shards (default 10)")
    parser.add_argument("--each", type=int, default=2, help="faces a source is put on (default 2)")
    parser.add_argument("--steps", type=int, default=800, help="steps a training (default 800)")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each (default 3)")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    try:
        shards = Shards(options.data)
        pairs = np.arange(options.shards * PAIRS_PER_SHARD)
        if not 0 < len(pairs) < len(shards):
            raise InputError(f"--shards is {options.shards}.", "Leave shards for other faces.")
        if not options.made.exists():
            network = load_weights(WEIGHTS.with_name("eam.safetensors"))
            each = [generated(network, shards, pairs, k) for k in range(options.each)]
            joined(each).save(options.made)
            print(f"generated {len(pairs)} x {options.each}", flush=True)
        sources, rendered = split_roles(Samples.load(options.samples), pairs)
        made, test = Samples.load(options.made), Samples.load(options.test)
        for seed in range(options.seeds):
            found = compare(sources, made, rendered, test, options.steps, seed)
            cells = (f"{name} {as_words(score)}" for name, score in found.items())
            print(f"seed {seed}: {', '.join(cells)}", flush=True)
    except MicrofaceError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
