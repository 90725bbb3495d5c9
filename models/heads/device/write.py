"""Write shards whose pairs a device draws; see `heads/write.py` for what a shard is."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from ... import devices
from ..families import HeadModel
from ..pairs import Split
from ..write import PAIRS_PER_SHARD, Write, save_shard, shard_path
from .pairs import FRAMES, SETTINGS, Plan, Studio

#: Scenes of a shard.
SCENES = PAIRS_PER_SHARD // (SETTINGS * FRAMES)
#: Threads that draw up scenes, and scenes that are drawn up ahead of the device.
THREADS, AHEAD = 4, 8


def writer_on(name: str) -> Write:
    """Return what writes shards that are drawn on the device of that name, see `devices.chosen`."""
    device = devices.chosen(name)

    def write(
        folder: Path, numbers: Iterable[int], seed: int, families: Sequence[HeadModel], split: Split
    ) -> Iterator[tuple[Path, float]]:
        return write_shards(folder, numbers, seed, Studio(families, device), split)

    return write


def write_shards(
    folder: Path, numbers: Iterable[int], seed: int, studio: Studio, split: Split
) -> Iterator[tuple[Path, float]]:
    """Draw and write the shards of these `numbers`, and give the path of each and how many pairs a
    second it took. What is in one depends on the seed, its number and the studio's heads alone."""
    due = [(n, scene) for n in numbers for scene in range(SCENES)]
    coming: deque[Future[tuple[np.random.Generator, Plan]]] = deque()

    def plan(number: int, scene: int) -> tuple[np.random.Generator, Plan]:
        # The last number keeps these scenes apart from those that numpy draws.
        rng = np.random.default_rng([seed, number, scene, 0 if split == "train" else 1, 1])
        return rng, studio.plan(rng, split)

    with ThreadPoolExecutor(THREADS, thread_name_prefix="plan") as pool:
        coming.extend(pool.submit(plan, *each) for each in due[:AHEAD])
        for start in range(0, len(due), SCENES):
            begin = time.perf_counter()
            scenes = []
            for k in range(start, start + SCENES):
                scenes.append(studio.scene(*coming.popleft().result()))
                if k + AHEAD < len(due):
                    coming.append(pool.submit(plan, *due[k + AHEAD]))
            path = shard_path(folder, due[start][0])
            names = scenes[0][0]
            arrays = {n: np.concatenate([found[n] for found, _ in scenes]) for n in names}
            save_shard(path, arrays, [each for _, meta in scenes for each in meta])
            yield path, PAIRS_PER_SHARD / (time.perf_counter() - begin)
