"""Find the shape key weights that explain a clip's motion.

Bounded, robust, smooth in time, and sparse: keys are taken one by one, each for the whole clip, as
long as one explains enough of the motion that is left (orthogonal matching pursuit, Pati et al.
1993, with bounds), then dropped again where the others do as well without. What is kept is solved
jointly, without a penalty that would shrink it. Keys that nothing speaks for are exactly zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..clips.sampling import Reals
from .bounded import Floats, curvature, minimise
from .priors import costs

#: A key is taken when it explains this share of all the motion (squared, seen with confidence).
TAKE_SHARE = 0.004
#: A key is kept when all that is explained would fall by this share without it.
KEEP_SHARE = 0.003
#: A key must move what it moves by this much at its peak, in pixels (root mean square).
LEAST_PIXELS = 0.02
#: A key that stays below this weight, and below this share of the pixels that the strongest key
#: moves, is what the flow got wrong rather than what the face did.
DUST_WEIGHT = 0.035
DUST_SHARE = 0.15
#: Rounds of robust solving; each takes the outliers of the last one in.
ROBUST_ROUNDS = 3
#: Residuals beyond this multiple of their robust spread are outliers (Huber's 95 % constant).
HUBER = 1.345
LEAST_SPREAD_PIXELS = 0.03


@dataclass(frozen=True)
class SolveResult:
    """Weights (T, S) float32, exactly zero for silent keys; `residual_pixels` (T,), the root mean
    square motion that no key expresses; `explained` (T,) 0..1, the share of each frame's squared
    motion that the keys do; `rigid` (T, R), the head motion that was found and left out."""

    weights: NDArray[np.float32]
    residual_pixels: Floats
    explained: Floats
    rigid: Floats


def solve_weights(
    jacobian: Reals,
    motion: Reals,
    confidence: Reals,
    bounds: Reals,
    names: Sequence[str],
    times: Reals,
    positions: Reals | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> SolveResult:
    """Return the weights that explain `motion` (T, V, 2) in pixels at V visible vertices.

    `jacobian` (V, 2, S) is each key's displacement in pixels at weight 1, `confidence` (V,) or
    (T, V) in 0..1, `bounds` (S, 2) each key's least and greatest weight, `names` (S,) the keys',
    `times` (T,) seconds. With `positions` (V, 2) in pixels the head's small in-plane turn and
    scale are taken out too, else only its shift. Raises ValueError where shapes do not match.
    """
    problem = _Problem(jacobian, motion, confidence, bounds, names, times, positions)
    weights = np.zeros((problem.frames, problem.keys + problem.extra))
    support: list[int] = []
    for _ in range(ROBUST_ROUNDS):
        if cancelled is not None and cancelled():
            break
        linear = problem.linear(weights)
        support = problem.select(linear)
        weights = problem.refit(linear, support, weights)
    shown = weights[:, : problem.keys].astype(np.float32)
    # A key at a thousandth is nothing that anybody sees; leave no dust.
    shown[np.abs(shown) < 1e-3 * np.abs(bounds).max(1).clip(0, 1).astype(np.float32)] = 0
    residual, explained = problem.account(weights)
    return SolveResult(shown, residual, explained, weights[:, problem.keys :])


class _Problem:
    """The solve's arrays, in the form that its steps need."""

    def __init__(
        self,
        jacobian: Reals,
        motion: Reals,
        confidence: Reals,
        bounds: Reals,
        names: Sequence[str],
        times: Reals,
        positions: Reals | None,
    ) -> None:
        vertices, _, self.keys = jacobian.shape
        self.frames = len(motion)
        if motion.shape != (self.frames, vertices, 2) or jacobian.shape[1] != 2:
            raise ValueError(f"motion {motion.shape} does not fit a Jacobian {jacobian.shape}")
        if bounds.shape != (self.keys, 2) or len(names) != self.keys:
            raise ValueError(f"{bounds.shape} bounds and {len(names)} names for {self.keys} keys")
        if len(times) != self.frames or confidence.shape[-1] != vertices:
            raise ValueError(f"{len(times)} times, confidence {confidence.shape}")
        trust = np.asarray(confidence, np.float32)
        steady = trust if trust.ndim == 1 else trust.mean(0)
        self._root = np.sqrt(np.repeat(steady, 2))
        columns = np.asarray(jacobian, np.float32).reshape(-1, self.keys)
        rigid = _rigid_columns(vertices, positions)
        self.extra = rigid.shape[1]
        self._columns = np.concatenate([columns, rigid], 1) * self._root[:, None]
        self._seen = np.asarray(motion, np.float32).reshape(self.frames, -1) * self._root
        if trust.ndim == 2:
            # Where a frame is trusted less than usual, its motion is believed less.
            self._say = np.repeat(trust / np.maximum(steady, 1e-6), 2, axis=1).clip(0, 1)
        else:
            self._say = np.ones((1, 1), np.float32)
        self.hessian = (self._columns.T @ self._columns).astype(np.float64)
        size = np.diag(self.hessian)[self.keys :]
        self.hessian[range(self.keys, len(self.hessian)), range(self.keys, len(self.hessian))] += (
            0.01 * size + 1e-9
        )
        self._lower = np.concatenate([bounds[:, 0], np.full(self.extra, -np.inf)])
        self._upper = np.concatenate([bounds[:, 1], np.full(self.extra, np.inf)])
        self._cost = costs(names)
        self._smooth = curvature(np.asarray(times, np.float64))
        weight = float(steady.sum())
        self._places = max(weight, 1e-9)
        # A key's own reach: how many pixels (RMS over what it moves) a weight of 1 means.
        square = columns.reshape(vertices, 2, self.keys) ** 2
        power = square.sum(1)
        self._reach = np.sqrt(
            (steady[:, None] * power**2).sum(0)
            / np.maximum((steady[:, None] * power).sum(0), 1e-12)
        )
        self._visible = np.diag(self.hessian)[: self.keys] > 1e-6 * self._places
        self._energy = float((self._seen.astype(np.float64) ** 2).sum())

    def linear(self, weights: Floats) -> Floats:
        """Return the linear terms (T, S + R) for the motion seen, with outliers taken in to
        where Huber's loss has them, about the residuals of `weights`."""
        if not weights.any() and self._say.size == 1:
            return np.asarray(self._seen @ self._columns, np.float64)
        shown = weights.astype(np.float32) @ self._columns.T
        residual = (self._seen - shown) * self._say
        length = np.hypot(residual[:, 0::2], residual[:, 1::2])
        moving = length[length > 0]
        spread = 1.4826 * float(np.median(moving)) if moving.size else 0.0
        limit = HUBER * max(spread, LEAST_SPREAD_PIXELS)
        shrink = np.repeat(np.minimum(1, limit / np.maximum(length, 1e-9)), 2, axis=1)
        return np.asarray((shown + residual * shrink) @ self._columns, np.float64)

    def select(self, linear: Floats) -> list[int]:
        """Return the keys that the motion speaks for."""
        support: list[int] = []
        weights = np.zeros_like(linear)
        weights = self.refit(linear, [], weights)
        diagonal = np.diag(self.hessian)[: self.keys]
        lower, upper = self._lower[: self.keys], self._upper[: self.keys]
        possible = self._visible & (upper > lower)
        total = max(self._energy, 1e-12)
        base = self.cost(linear, weights)
        refused: set[int] = set()
        while len(support) < self.keys:
            slope = (linear - weights @ self.hessian)[:, : self.keys]
            step = np.clip(slope / np.maximum(diagonal, 1e-30), lower, upper)
            gain = (slope * step - 0.5 * diagonal * step**2).sum(0) / self._cost
            gain[~possible | (np.abs(step).max(0) * self._reach < LEAST_PIXELS)] = 0
            gain[[*support, *refused]] = 0
            best = int(np.argmax(gain))
            if 2 * gain[best] < TAKE_SHARE * total:
                break
            trial = self.refit(linear, [*support, best], weights)
            if 2 * (base - self.cost(linear, trial)) < TAKE_SHARE * total * self._cost[best]:
                refused.add(best)
                continue
            support.append(best)
            weights, base = trial, self.cost(linear, trial)
        return self._prune(linear, support, weights)

    def _prune(self, linear: Floats, support: list[int], weights: Floats) -> list[int]:
        """Return the support without keys that the others can do without, least wanted first."""
        while len(support) > 1:
            base = self.cost(linear, weights)
            losses = []
            heights = np.abs(weights[:, support]).max(0)
            pixels = heights * self._reach[support]
            dust = (heights < DUST_WEIGHT) & (pixels < DUST_SHARE * pixels.max())
            unwanted = dust | (pixels < LEAST_PIXELS)
            for key, drop, height in zip(support, unwanted, heights, strict=True):
                rest = [k for k in support if k != key]
                trial = self.refit(linear, rest, weights)
                loss = 2 * (self.cost(linear, trial) - base) / self._cost[key]
                losses.append((float(height) - 1e3 if drop else loss, key, trial))
            loss, key, trial = min(losses, key=lambda entry: entry[0])
            if loss > KEEP_SHARE * self._energy:
                break
            support = [k for k in support if k != key]
            weights = trial
        return support

    def refit(self, linear: Floats, support: list[int], start: Floats) -> Floats:
        """Return the weights (T, S + R) of the keys in `support`, all others zero."""
        chosen = [*support, *range(self.keys, self.keys + self.extra)]
        found = np.zeros_like(start)
        found[:, chosen] = minimise(
            self.hessian[np.ix_(chosen, chosen)],
            linear[:, chosen],
            self._lower[chosen],
            self._upper[chosen],
            self._smooth,
            start[:, chosen],
        )
        return found

    def cost(self, linear: Floats, weights: Floats) -> float:
        """Return the data's part of the cost, up to a constant."""
        return float(0.5 * ((weights @ self.hessian) * weights).sum() - (linear * weights).sum())

    def account(self, weights: Floats) -> tuple[Floats, Floats]:
        """Return (residual in pixels (T,), explained share (T,)) of the weights."""
        shown = weights.astype(np.float32) @ self._columns.T
        left = ((self._seen - shown).astype(np.float64) ** 2).sum(1)
        whole = (self._seen.astype(np.float64) ** 2).sum(1)
        explained = np.where(whole > 0, 1 - left / np.maximum(whole, 1e-12), 1.0)
        return np.sqrt(left / self._places), np.clip(explained, 0, 1)


def _rigid_columns(vertices: int, positions: Reals | None) -> NDArray[np.float32]:
    """Return the displacements (2 V, R) of a head's shift and, where positions are known, of its
    in-plane turn and growth; each of about one pixel."""
    count = 2 if positions is None else 4
    columns = np.zeros((vertices, 2, count), np.float32)
    columns[:, 0, 0] = columns[:, 1, 1] = 1
    if positions is not None:
        away = np.asarray(positions, np.float32) - positions.mean(0)
        away /= max(float(np.sqrt((away**2).sum(1).mean())), 1e-6)
        columns[:, 0, 2], columns[:, 1, 2] = away[:, 0], away[:, 1]
        columns[:, 0, 3], columns[:, 1, 3] = -away[:, 1], away[:, 0]
    return columns.reshape(2 * vertices, count)
