"""Write training pairs to shards: `python -m microface.models.heads.write --out DIR --pairs N`.

A shard `pairs-00000.npz` holds 64 pairs, uncompressed: every array field of `Pair` stacked, and
`meta`, a JSON text with weights, families and identities of each. Its content depends on the seed
and its number alone, so that a run takes up where another stopped: shards that exist are skipped.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from ...errors import told
from .families import HeadModel
from .packs import load_ict, load_makehuman
from .pairs import Pair, Split, sample_scene
from .procedural import ProceduralFamily

PAIRS_PER_SHARD = 64


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
    meta = [
        {"weights": p.weights, "families": p.families, "identities": p.identities} for p in pairs
    ]
    stacked = {name: np.stack([getattr(p, name) for p in pairs]) for name in Pair.arrays()}
    path = shard_path(folder, number)
    aside = path.with_suffix(".part")
    with aside.open("wb") as file:
        np.savez(file, meta=np.array(json.dumps(meta)), **stacked)
    aside.replace(path)
    return path


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
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)

    def work() -> None:
        families = load_families(options.packs, options.cache)
        options.out.mkdir(parents=True, exist_ok=True)
        count = -(-options.pairs // PAIRS_PER_SHARD)
        for number in range(options.first, options.first + count * options.step, options.step):
            if shard_path(options.out, number).exists():
                continue
            begin = time.perf_counter()
            path = write_shard(options.out, number, options.seed, families, options.split)
            rate = PAIRS_PER_SHARD / (time.perf_counter() - begin)
            print(f"{path} {rate:.1f} pairs/s", flush=True)

    return told(work)


if __name__ == "__main__":
    raise SystemExit(main())
