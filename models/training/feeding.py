"""The pairs of steps to come, read by threads while the device computes."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

from .data import Batch, Shards, draw
from .settings import Settings
from .stages import KEYPOINT_FIELDS

#: Steps that are read ahead of a GPU, and threads that read them.
AHEAD, THREADS = 6, 4
#: Steps after which a run looks for new shards. No step beyond is read ahead, because which pairs
#: it draws depends on how many there are then.
REFRESH_STEPS = 100


def batch_of(shards: Shards, settings: Settings, stage: str, step: int) -> Batch:
    """Return the pairs of a stage's step as stored; they follow from the seed and the step."""
    indices = draw(settings.seed, step, settings.stages[stage].batch, len(shards))
    fields = KEYPOINT_FIELDS if stage in ("keypoints", "points") else ()
    return shards.batch(indices, fields)


def pinned(batch: Batch) -> dict[str, Tensor]:
    """Return a batch in memory that a GPU copies from by itself."""
    return {name: torch.from_numpy(np.asarray(v)).pin_memory() for name, v in batch.items()}


class Feeder:
    """Gives each step its batch, the next ones being read meanwhile; the same ones as without."""

    def __init__(self, shards: Shards, settings: Settings, pin: bool, ahead: int = AHEAD) -> None:
        """`pin` readies batches for a GPU; `ahead` steps at most are read ahead."""
        self._shards, self._settings, self._pin, self._ahead = shards, settings, pin, ahead
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="feeder")
        self._coming: dict[tuple[str, int], Future[Batch | dict[str, Tensor]]] = {}

    def batch(self, stage: str, step: int) -> Batch | dict[str, Tensor]:
        """Return the batch of a stage's step and have the following ones read."""
        wanted = [(stage, step + k) for k in range(1 + min(self._ahead, left(step)))]
        self._coming = {
            key: self._coming.get(key) or self._pool.submit(self._read, *key) for key in wanted
        }
        return self._coming.pop((stage, step)).result()

    def _read(self, stage: str, step: int) -> Batch | dict[str, Tensor]:
        batch = batch_of(self._shards, self._settings, stage, step)
        return pinned(batch) if self._pin else batch

    def close(self) -> None:
        """Stop reading."""
        self._pool.shutdown(cancel_futures=True)


def left(step: int) -> int:
    """Return how many steps after `step` are taken before new shards are looked for."""
    return REFRESH_STEPS - 1 - step % REFRESH_STEPS
