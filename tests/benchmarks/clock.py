"""What benchmarks measure with: blocks, calls by turns, memory."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

Name = TypeVar("Name")


def peak(who: int = resource.RUSAGE_SELF) -> float:
    """Return a process's largest memory so far in GB; of children only once they have ended."""
    return resource.getrusage(who).ru_maxrss / 1e6


@contextmanager
def timed(what: str) -> Iterator[dict[str, float]]:
    """Print and give how long the block took, wall clock and processor of this process."""
    wall, processor = time.perf_counter(), time.process_time()
    took: dict[str, float] = {}
    yield took
    took["wall"] = time.perf_counter() - wall
    took["processor"] = time.process_time() - processor
    print(
        f"{what:<52} {took['wall']:7.2f} s  ({took['processor']:.2f} s), peak {peak():.2f} GB",
        flush=True,
    )


def by_turns(
    calls: Mapping[Name, Callable[[], object]], turns: int
) -> dict[Name, tuple[float, float]]:
    """Return for each call its median milliseconds, by the clock and of the processor.

    The calls take turns, so that other work on the machine meets all alike; the first turn warms
    up and does not count.
    """
    took: dict[Name, list[tuple[float, float]]] = {name: [] for name in calls}
    for turn in range(turns + 1):
        for name, call in calls.items():
            start, used = time.perf_counter(), time.process_time()
            call()
            if turn:
                took[name].append((time.perf_counter() - start, time.process_time() - used))
    return {
        name: (
            1000 * statistics.median(wall for wall, _ in entries),
            1000 * statistics.median(used for _, used in entries),
        )
        for name, entries in took.items()
    }
