"""Non-negative matrix factorisation: what happens over time as a few maps, each with a curve.

Hierarchical alternating least squares (Cichocki, Zdunek, Amari, "Hierarchical ALS algorithms for
nonnegative matrix factorization", ICA 2007), in plain numpy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: Rounds of updates of maps and curves in turn; it ends sooner when nothing changes any more.
ROUNDS = 300
#: Rounds that are enough for maps alone.
MAP_ROUNDS = 60
#: One map more is worth it if it explains so much more.
WORTH = 0.1
#: A round that improves the error by a smaller share than this is the last.
SETTLED = 1e-6
TINY = 1e-12


@dataclass(frozen=True)
class Factors:
    """`maps` (N,K) and `curves` (K,T), none below 0, each curve with a peak of 1.

    `explained` 0..1: the share of the squares of the data that their product has.
    """

    maps: Floats
    curves: Floats
    explained: float


def smoother(frames: int, time_constant: float) -> Floats:
    """Return what makes curves (K,T) smooth when they are multiplied by it, (T,T).

    The least squares of a curve's change and its second differences (Whittaker 1923); what lasts
    a good deal longer than the time constant, in frames, is kept. 0 changes nothing.
    """
    second = np.diff(np.eye(frames), 2, axis=0)
    return np.asarray(np.linalg.inv(np.eye(frames) + time_constant**4 * second.T @ second))


def factorise(data: Floats, count: int, smooth: Floats | None = None) -> Factors:
    """Return `count` maps and curves whose product comes near to `data` (N,T), none below 0.

    Begins with the rows that differ most from each other, so that the result is the same every
    time. `smooth` (T,T) of `smoother` keeps curves from jumping.
    """
    data = np.asarray(data, np.float64)
    if (data < 0).any():
        raise ValueError("the data has values below 0")
    smooth = np.eye(data.shape[1]) if smooth is None else smooth
    curves = np.maximum(_first_curves(data, count) @ smooth, 0)
    maps = fit_maps(data @ curves.T, curves)
    power = float((data**2).sum())
    error = np.inf
    for _ in range(ROUNDS):
        gram, cross = maps.T @ maps, maps.T @ data
        for k in range(len(curves)):
            if gram[k, k] > TINY:
                step = (cross[k] - gram[k] @ curves) / gram[k, k]
                curves[k] = np.maximum((curves[k] + step) @ smooth, 0)
        maps = _descend(maps, data @ curves.T, curves @ curves.T, 1)
        before, error = error, float(((data - maps @ curves) ** 2).sum())
        if before - error <= SETTLED * max(power, TINY):
            break
    peak = curves.max(axis=1)
    used = (peak > TINY) & (maps.max(axis=0, initial=0) > TINY)
    maps, curves = maps[:, used] * peak[used], curves[used] / peak[used, None]
    order = np.argsort(-(maps**2).sum(axis=0) * (curves**2).sum(axis=1), kind="stable")
    explained = 1 - float(((data - maps @ curves) ** 2).sum()) / power if power > 0 else 1.0
    return Factors(maps[:, order], curves[order], explained)


def factorise_to(data: Floats, share: float, most: int, smooth: Floats | None = None) -> Factors:
    """Return as few maps as explain a `share` (0..1) of the data, at most `most`.

    No further map is made where it would explain hardly more.
    """
    found = factorise(data, 1, smooth)
    for count in range(2, most + 1):
        if found.explained >= share:
            break
        more = factorise(data, count, smooth)
        if more.explained < found.explained + WORTH:
            break
        found = more
    return found


def fit_maps(cross: Floats, curves: Floats) -> Floats:
    """Return the maps (N,K), none below 0, that fit data best with given curves (K,T).

    `cross` (N,K) is the data times the curves transposed: all that is needed of the data, so that
    it can be summed up frame by frame.
    """
    return _descend(np.zeros_like(cross), cross, curves @ curves.T, MAP_ROUNDS)


def _descend(maps: Floats, cross: Floats, gram: Floats, rounds: int) -> Floats:
    for _ in range(rounds):
        for k in range(maps.shape[1]):
            if gram[k, k] > TINY:
                step = (cross[:, k] - maps @ gram[:, k]) / gram[k, k]
                maps[:, k] = np.maximum(maps[:, k] + step, 0)
    return maps


def _first_curves(data: Floats, count: int) -> Floats:
    """Return up to `count` rows of the data that point most apart (successive projections)."""
    length = np.sqrt((data**2).sum(axis=1))
    left = data.copy()
    chosen: list[int] = []
    for _ in range(min(count, *data.shape)):
        size = (left**2).sum(axis=1)
        best = int(size.argmax())
        if size[best] <= TINY * max(float(length.max(initial=0)) ** 2, TINY):
            break
        chosen.append(best)
        axis = left[best] / np.sqrt(size[best])
        left = left - (left @ axis)[:, None] * axis
    if not chosen:
        return np.zeros((1, data.shape[1]))
    return np.asarray(data[chosen] / np.maximum(length[chosen, None], TINY))
