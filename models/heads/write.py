"""Write training pairs to shards: `python -m microface.models.heads.write --out DIR --pairs N`.

A shard `pairs-00000.npz` holds 64 pairs, uncompressed: every array field of `Pair` stacked, and
`meta`, a JSON text with weights, families and identities of each. Its content depends on the seed
and its number alone, so that a run takes up where another stopped: shards that exist are skipped.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import told
from ..arrays import save_arrays
from .families import HeadModel
from .packs import load_ict, load_makehuman
from .pairs import Pair, Split, sample_scene
from .procedural import ProceduralFamily

PAIRS_PER_SHARD = 64

#: Writes the shards of some numbers to a folder, from a seed, families and a split; gives the path
#: of each and how many pairs a second it took.
Write = Callable[
    [Path, Iterable[int], int, Sequence[HeadModel], Split], Iterator[tuple[Path, float]]
]


def load_families(packs: Path | None, cache: Path | None = None) -> list[HeadModel]:
    """Return the families at hand: the built-in head's, and a pack's when its folder is given.

    `cache` is a folder that keeps built heads from run to run.
    """
    families: list[HeadModel] = [ProceduralFamily(cache)]
    if packs is not None:
        families += [load_ict(packs), load_makehuman(packs)]
    return families


def shard_path(folder: Path, number: int) -> Path:
    """Return the path of a shard."""
    return folder / f"pairs-{number:05d}.npz"


def write_shard(
    folder: Path,
    number: int,
    seed: int,
    families: Sequence[HeadModel],
    split: Split,
    frames: int = 4,
) -> Path:
    """Draw and write one shard, aside first and renamed when whole; returns its path."""
    pairs: list[Pair] = []
    scene = 0
    while len(pairs) < PAIRS_PER_SHARD:
        rng = np.random.default_rng([seed, number, scene, 0 if split == "train" else 1])
        pairs += sample_scene(rng, families, split, frames)
        scene += 1
    pairs = pairs[:PAIRS_PER_SHARD]
    meta: list[dict[str, object]] = [
        {"weights": p.weights, "families": p.families, "identities": p.identities} for p in pairs
    ]
    stacked = {name: np.stack([getattr(p, name) for p in pairs]) for name in Pair.arrays()}
    path = shard_path(folder, number)
    save_shard(path, stacked, meta)
    return path


def save_shard(
    path: Path, stacked: Mapping[str, NDArray[Any]], meta: Sequence[Mapping[str, object]]
) -> None:
    """Write pairs, each field of `Pair` stacked, and what is known of each, aside first."""
    save_arrays(path, {"meta": np.array(json.dumps(meta)), **stacked})


def lacking(folder: Path, numbers: Iterable[int]) -> list[int]:
    """Return those of the shards' numbers that are not written yet."""
    return [number for number in numbers if not shard_path(folder, number).exists()]


def main(arguments: list[str] | None = None) -> int:
    """Write the shards; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m microface.models.heads.write")
    parser.add_argument("--out", type=Path, required=True, help="folder for the shards")
    parser.add_argument("--pairs", type=int, required=True, help="how many pairs, rounded up to 64")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--packs", type=Path, default=None, help="folder of the head pack")
    parser.add_argument("--cache", type=Path, default=None, help="folder to keep built heads in")
    parser.add_argument("--split", choices=("train", "test"), default="train")
    parser.add_argument("--first", type=int, default=0, help="number of the first shard")
    parser.add_argument("--step", type=int, default=1, help="write every so many, for several runs")
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), help="draw with torch, on this device"
    )
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)

    def work() -> None:
        count = -(-options.pairs // PAIRS_PER_SHARD)
        numbers = range(options.first, options.first + count * options.step, options.step)
        write: Write = write_by_numpy
        if options.device is not None:
            from .device.write import writer_on

            write = writer_on(options.device)
        families = load_families(options.packs, options.cache)
        options.out.mkdir(parents=True, exist_ok=True)
        todo = lacking(options.out, numbers)
        for path, rate in write(options.out, todo, options.seed, families, options.split):
            print(f"{path} {rate:.1f} pairs/s", flush=True)

    return told(work)


def write_by_numpy(
    folder: Path, numbers: Iterable[int], seed: int, families: Sequence[HeadModel], split: Split
) -> Iterator[tuple[Path, float]]:
    """Write the shards of these `numbers`, and give the path of each and how many pairs a second
    it took."""
    for number in numbers:
        begin = time.perf_counter()
        path = write_shard(folder, number, seed, families, split)
        yield path, PAIRS_PER_SHARD / (time.perf_counter() - begin)


if __name__ == "__main__":
    raise SystemExit(main())
