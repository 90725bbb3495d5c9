"""Smooth the motion over time, a few frames late, without blunting a micro-expression.

Whittaker's smoother (Eilers, Analytical Chemistry 75, 2003): least squares with a penalty on second
differences, worked out for each frame in a window about it, at the frames' true times. Sensor noise
differs from frame to frame, a face does not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..clips.sampling import Reals

Floats = NDArray[np.float64]
T = TypeVar("T")

#: Time constant: what lasts 65 ms in all keeps 97 % of its height, 100 ms 99 %.
TIME_CONSTANT_SECONDS = 0.005
#: A window reaches this many time constants to each side.
REACH = 4.2


def window(times: Reals, index: int) -> tuple[int, Floats]:
    """Return (first frame, weights) with which frame `index` is smoothed; the weights' sum is 1.

    `times` (T,) seconds, rising. A frame whose neighbours are far stands alone.
    """
    reach = REACH * TIME_CONSTANT_SECONDS
    first = int(np.searchsorted(times, times[index] - reach))
    end = int(np.searchsorted(times, times[index] + reach, side="right"))
    near = np.asarray(times[first:end], np.float64)
    if len(near) < 3:
        return index, np.ones(1)
    step = np.diff(near)
    second = np.zeros((len(near) - 2, len(near)))
    for row in range(len(near) - 2):
        before, after = step[row], step[row + 1]
        second[row, row : row + 3] = (1 / before, -1 / before - 1 / after, 1 / after)
    # Divided differences, made those of even steps of the time constant.
    second *= TIME_CONSTANT_SECONDS * TIME_CONSTANT_SECONDS / step.mean()
    smoother = np.linalg.inv(np.eye(len(near)) + second.T @ second)
    return first, smoother[index - first]


def smoothed(
    fields: Iterable[tuple[NDArray[np.float32], T]], times: Reals, rest: int
) -> Iterator[tuple[NDArray[np.float32], T]]:
    """Yield the fields smoothed over time, each with what came along with it.

    `fields` come one a frame, of one shape, at `times` (T,) seconds. Where a field is exactly zero
    all through a window it stays so, and that of the frame `rest` stays as it came. No more fields
    are held than two windows need.
    """
    held: deque[tuple[NDArray[np.float32], T]] = deque()
    start = done = 0
    windows = [window(times, index) for index in range(len(times))]
    for arrived, field in enumerate(fields):
        held.append(field)
        while done < len(windows) and sum(_span(windows[done])) <= arrived + 1:
            first, weights = windows[done]
            while start < first and start < done:
                held.popleft()
                start += 1
            own, along = held[done - start]
            if done != rest and len(weights) > 1:
                parts = zip(weights, list(held)[first - start :], strict=False)
                own = np.asarray(sum(np.float32(w) * part for w, (part, _) in parts), np.float32)
            yield own, along
            done += 1


def _span(entry: tuple[int, Floats]) -> tuple[int, int]:
    return entry[0], len(entry[1])
