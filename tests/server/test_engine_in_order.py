"""Several items at once, their results in order."""

from __future__ import annotations

import threading
from contextlib import closing

import pytest
from microface.server.engine.in_order import batches, in_order


def test_results_come_in_the_order_of_the_items() -> None:
    first = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            assert first.wait(5)  # the second item ends before the first
        first.set()
        return item * item

    assert list(in_order(work, range(20), 3)) == [item * item for item in range(20)]


def test_no_more_is_begun_than_asked_for() -> None:
    taken, running, most = [], 0, 0
    lock = threading.Lock()

    def work(item: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        with lock:
            running -= 1
        return item

    def items() -> object:
        for item in range(50):
            taken.append(item)
            yield item

    results = in_order(work, items(), 2)  # type: ignore[arg-type]
    for expected in range(10):
        assert next(results) == expected
        assert len(taken) <= expected + 3
    results.close()
    assert most <= 2
    assert len(taken) <= 13


def test_a_failure_comes_when_its_result_is_due() -> None:
    def work(item: int) -> int:
        if item == 3:
            raise ValueError("three")
        return item

    results = in_order(work, range(10), 4)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="three"):
        next(results)


def test_closing_waits_for_what_has_begun() -> None:
    before = threading.active_count()
    with closing(in_order(lambda item: item, range(10), 2)) as results:
        next(results)
    assert threading.active_count() == before


def test_batches_lose_nothing() -> None:
    assert list(batches(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(batches([], 3)) == []
