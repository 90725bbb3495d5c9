"""Work on several items at once, and hand the results on in the items' order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(
    work: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Generator[Result, None, None]:
    """Yield `work(item)` for each item, in order, made by `workers` threads.

    Items are taken, in the caller's thread, no further than one beyond those worked on. What `work`
    raises comes when its result is due. When the generator is closed, or raises, what has begun is
    waited for and what has not is dropped.
    """
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def batches(items: Iterable[Item], count: int) -> Iterator[list[Item]]:
    """Yield the items in lists of `count`, the last one with what is left."""
    left = iter(items)
    while some := list(islice(left, count)):
        yield some
