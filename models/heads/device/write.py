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
from .pairs import FRAMES, SETTINGS, Drawn, Plan, Studio

#: Scenes of a shard.
SCENES = PAIRS_PER_SHARD // (SETTINGS * FRAMES)
#: Shards after which other heads are taken.
TURN = 64
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
    second were made so far.

    What is in one depends on the seed, its number and how many heads the studio uses at a time.
    Scenes are drawn up and shards are written beside the drawing.
    """
    begin, done = time.perf_counter(), 0
    with ThreadPoolExecutor(THREADS, thread_name_prefix="pairs") as pool:
        writing: Future[Path] | None = None
        scenes = _drawn(pool, numbers, seed, studio, split)
        for number, first in scenes:
            shard = [first, *(next(scenes)[1] for _ in range(SCENES - 1))]
            if writing is not None:
                done += PAIRS_PER_SHARD
                yield writing.result(), done / (time.perf_counter() - begin)
            writing = pool.submit(_save, shard_path(folder, number), shard)
        if writing is not None:
            done += PAIRS_PER_SHARD
            yield writing.result(), done / (time.perf_counter() - begin)


def _drawn(
    pool: ThreadPoolExecutor, numbers: Iterable[int], seed: int, studio: Studio, split: Split
) -> Iterator[tuple[int, Drawn]]:
    """Draw the shards' scenes in their order, the next ones being drawn up meanwhile."""
    due = deque((number, scene) for number in numbers for scene in range(SCENES))
    coming: deque[tuple[int, Future[tuple[np.random.Generator, Plan]]]] = deque()
    while due or coming:
        while due and len(coming) < AHEAD:
            number, scene = due.popleft()
            coming.append((number, pool.submit(_plan, studio, seed, split, number, scene)))
        number, plan = coming.popleft()
        yield number, studio.scene(*plan.result())


def _plan(
    studio: Studio, seed: int, split: Split, number: int, scene: int
) -> tuple[np.random.Generator, Plan]:
    """Return a scene of a shard and the random numbers that go on from there."""
    # The last number keeps these scenes apart from those that numpy draws.
    rng = np.random.default_rng([seed, number, scene, 0 if split == "train" else 1, 1])
    return rng, studio.plan(rng, split, number // TURN)


def _save(path: Path, scenes: list[Drawn]) -> Path:
    """Write a shard of some scenes and return its path."""
    names = scenes[0][0]
    arrays = {name: np.concatenate([found[name] for found, _ in scenes]) for name in names}
    save_shard(path, arrays, [each for _, meta in scenes for each in meta])
    return path
