"""Bounded least squares over a whole clip, smooth in time: the inner problem of the solve."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Time constant, in seconds, of the smoothing: what lasts 65 ms keeps 98 % of its height.
SMOOTHING_SECONDS = 0.008
#: Descents end when no weight moves the picture by more than this share of the largest motion.
CONVERGED = 5e-5
MAX_STEPS = 600
#: Likewise for coordinate descent, which only ranks choices.
SETTLED, MAX_SWEEPS = 2e-3, 60


def curvature(times: Floats) -> Floats:
    """Return the smoothness penalty (T, T): squared second differences, in units of the data.

    Whittaker's smoother, its strength such that it cuts off at `SMOOTHING_SECONDS` whatever the
    frame rate; nothing for clips too slow for it to matter.
    """
    count = len(times)
    if count < 3:
        return np.zeros((count, count))
    step = float(np.median(np.diff(times)))
    second = np.zeros((count - 2, count))
    rows = np.arange(count - 2)
    second[rows, rows], second[rows, rows + 1], second[rows, rows + 2] = 1, -2, 1
    return np.asarray((SMOOTHING_SECONDS / step) ** 4 * second.T @ second)


def minimise(
    hessian: Floats,
    linear: Floats,
    lower: Floats,
    upper: Floats,
    smooth: Floats,
    start: Floats,
) -> Floats:
    """Return the weights (T, K) with the least cost within their bounds (K,).

    The cost is sum_t (w H w / 2 - g_t w) + sum_k H_kk w_k' L w_k / 2 for the Hessian H (K, K),
    linear terms g (T, K) and smoothness L (T, T). Accelerated projected gradient with restarts
    (Beck and Teboulle 2009; O'Donoghue and Candes 2015) on weights scaled to a unit diagonal.
    """
    scale = 1 / np.sqrt(np.maximum(np.diag(hessian), 1e-30))
    h = hessian * scale[:, None] * scale
    g = linear * scale
    low, high = lower / scale, upper / scale
    steepest = float(np.linalg.eigvalsh(h)[-1])
    if smooth.any():
        steepest += float(np.linalg.norm(smooth, 2))
    now = np.clip(start / scale, low, high)
    ahead, momentum = now, 1.0
    for _ in range(MAX_STEPS):
        slope = ahead @ h - g + smooth @ ahead
        then = np.clip(ahead - slope / steepest, low, high)
        move = then - now
        if float(((ahead - then) * move).sum()) > 0:
            momentum = 1.0
        after = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = then + (momentum - 1) / after * move
        now, momentum = then, after
        if float(np.abs(move).max(initial=0)) <= CONVERGED * float(np.abs(now).max(initial=0)):
            break
    return np.asarray(now * scale)


def descend(hessian: Floats, linear: Floats, lower: Floats, upper: Floats, start: Floats) -> Floats:
    """Return `minimise` without smoothness, for few keys K and many starts: coordinate descent.

    Faster than the gradient where K is small, because a sweep costs no more than a gradient step
    and solves each key exactly (Friedman, Hastie, Tibshirani 2010).
    """
    steep = np.maximum(np.diag(hessian), 1e-30)
    reach = np.sqrt(steep)
    weights = start.copy()
    slope = linear - weights @ hessian
    for _ in range(MAX_SWEEPS):
        moved = 0.0
        for key in range(len(steep)):
            now = weights[:, key] + slope[:, key] / steep[key]
            np.clip(now, lower[key], upper[key], out=now)
            move = now - weights[:, key]
            largest = float(np.abs(move).max())
            if largest:
                slope -= move[:, None] * hessian[key]
                weights[:, key] = now
                moved = max(moved, largest * float(reach[key]))
        if moved <= SETTLED * float((np.abs(weights) * reach).max(initial=0)):
            break
    return weights
