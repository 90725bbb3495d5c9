"""Find the shape key weights that explain a clip's motion.

Four steps, each of its own module: the clip's motion is cleaned as a whole (`solve_time`), compared
with the keys' evenly over the face and no finer than a network sees (`solve_space`), the keys that
it speaks for are chosen with what is known of them (`solve_select`, `solve_rig`, `priors`), and
their weights are solved jointly, bounded and smooth in time (`bounded`). Keys that nothing speaks
for are exactly zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..clips.crop import Crop
from ..clips.sampling import Reals
from .bounded import Floats, curvature, minimise
from .solve_rig import Rig, read_rig
from .solve_select import Selection, inexpressible
from .solve_space import Comparison, likely_errors, rigid_columns, smooth_columns
from .solve_time import patterns

#: Gaussian sigma, in RMS distances of the vertices from their mean, at which keys are chosen, and
#: the wider one at which their amplitude is measured.
CHOOSING_SIGMA, MEASURING_SIGMA = 0.04, 0.1
#: The head's motion left over is expected to be this much smaller than what a pixel would do.
RIGID_RIDGE = 0.01
#: While keys are chosen, smooth errors all over the face are allowed for, at the price of this many
#: times their square: else keys that reach far are taken for what a network gets wrong.
SMOOTH_RIDGE = 0.3
#: Errors of the motion are this many times what no key can express of them, squared: at least, as
#: they are in the median of many clips, and at most.
USUAL_MISFIT, MOST_MISFIT = 3.0, 20.0
#: A key must move what it moves by this much at its peak, in pixels (root mean square).
LEAST_PIXELS = 0.02
#: Rounds of robust solving; each takes the outliers of the last one in.
ROBUST_ROUNDS = 2
#: Motion farther from the model than this multiple of its robust spread (Huber's 95 % constant),
#: than this share of the largest motion, and than this, in pixels, is an outlier.
HUBER, OUTLIER_SHARE, OUTLIER_PIXELS = 1.345, 0.5, 0.03
#: Percentile of the vertices' motion that is the largest: an expression may move few of them.
LARGEST = 99.5
#: The first, rough solve: its rounds, its ridge as a share of each key's square, and how many
#: medians of the residual make an outlier.
ROUGH_ROUNDS, ROUGH_RIDGE, OUTLIER_SPREADS = 4, 1e-2, 4.0


@dataclass(frozen=True)
class SolveResult:
    """Weights (T, S) float32, exactly zero for silent keys; `residual_pixels` (T,), the root mean
    square motion that no key expresses; `explained` (T,) 0..1, the share of each frame's squared
    motion that the keys do; `unexplained` (V,), the root mean square pixels left at each vertex
    over the clip; `rigid` (T, R), the head motion that was found and left out, view by view."""

    weights: NDArray[np.float32]
    residual_pixels: Floats
    explained: Floats
    unexplained: Floats
    rigid: Floats


def solve_weights(
    jacobian: Reals,
    motion: Reals,
    confidence: Reals,
    bounds: Reals,
    names: Sequence[str],
    times: Reals,
    positions: Reals | None = None,
    views: Sequence[int] | None = None,
    units: Reals | None = None,
    crop: Reals | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> SolveResult:
    """Return the weights that explain `motion` (T, V, 2) in pixels at V visible vertices.

    `jacobian` (V, 2, S) is each key's displacement in pixels at weight 1, `confidence` (V,) or
    (T, V) in 0..1, `bounds` (S, 2) each key's least and greatest weight, `names` (S,) the keys',
    `times` (T,) seconds. With `positions` (V, 2) in pixels the head's small in-plane turn and
    scale are taken out too, else only its shift. `views` says how many of the rows each view of
    the face has, one after the other; the sum is V. `units` (U, 2) are the action units that the
    source shows, FACS's number and 0..1 how sure that is: keys of others need more evidence.
    `crop` (4,) is the face's in the first view: x, y and side in pixels, the picture's corner at 0,
    and roll in radians. Raises ValueError where shapes do not match.
    """
    stop = cancelled or (lambda: False)
    problem = _Problem(
        jacobian, motion, confidence, bounds, names, times, positions, views, units, crop
    )
    weights = problem.rough()
    for _ in range(ROBUST_ROUNDS):
        if stop():
            break
        courses, fields = patterns(problem.believed(weights), problem.weights, problem.times)
        if not courses.shape[1]:
            weights = np.zeros_like(weights)
            break
        weights = problem.solved(courses, fields, stop)
    return problem.result(weights)


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
        views: Sequence[int] | None,
        units: Reals | None,
        crop: Reals | None,
    ) -> None:
        vertices, _, self.keys = jacobian.shape
        self.frames = len(motion)
        shares = tuple(int(v) for v in views) if views is not None and len(views) else (vertices,)
        if motion.shape != (self.frames, vertices, 2) or jacobian.shape[1] != 2:
            raise ValueError(f"motion {motion.shape} does not fit a Jacobian {jacobian.shape}")
        if bounds.shape != (self.keys, 2) or len(names) != self.keys:
            raise ValueError(f"{bounds.shape} bounds and {len(names)} names for {self.keys} keys")
        if len(times) != self.frames or confidence.shape[-1] != vertices:
            raise ValueError(f"{len(times)} times, confidence {confidence.shape}")
        if sum(shares) != vertices or min(shares) < 0:
            raise ValueError(f"views of {shares} rows, {vertices} rows in all")
        if positions is not None and positions.shape != (vertices, 2):
            raise ValueError(f"positions {positions.shape} of {vertices} vertices")
        if units is not None and (units.ndim != 2 or units.shape[1] != 2):
            raise ValueError(f"units {units.shape}, not (U, 2)")
        if crop is not None and (crop.shape != (4,) or not crop[2] > 0):
            raise ValueError(f"a crop of {crop.tolist()}, not x, y, side and roll")
        trust = np.asarray(confidence, np.float32)
        steady = trust if trust.ndim == 1 else trust.mean(0)
        # Where a frame is trusted less than usual, its motion is believed less.
        self._say = None if trust.ndim == 1 else (trust / np.maximum(steady, 1e-6)).clip(0, 1)
        self.times = np.asarray(times, np.float64)
        self._smooth = curvature(self.times)
        self._positions, self._shares = positions, shares
        rigid = rigid_columns(positions, shares)
        self.extra = rigid.shape[2]
        self._motion = np.asarray(motion, np.float32)
        self._columns = np.concatenate([np.asarray(jacobian, np.float32), rigid], 2)
        self._choosing = Comparison(positions, steady, shares, CHOOSING_SIGMA)
        self._measuring = Comparison(positions, steady, shares, MEASURING_SIGMA)
        self._bounds = np.full((self.keys + self.extra, 2), (-np.inf, np.inf))
        self._bounds[: self.keys] = bounds
        smooth = smooth_columns(positions, shares)
        self._white = self._choosing.whitened(np.concatenate([self._columns, smooth], 2))
        whole = _ridged(self._white, self.keys, self.extra)
        # What the head's motion and smooth errors can take is taken out beforehand (Schur).
        self._others = whole[self.keys :, : self.keys]
        self._absorbed = np.linalg.inv(whole[self.keys :, self.keys :])
        own = whole[: self.keys, : self.keys]
        self._hessian = own - self._others.T @ self._absorbed @ self._others
        first = shares[0]
        self._rig: Rig = read_rig(
            names,
            own,
            bounds,
            self._columns[:first, :, : self.keys],
            None if positions is None else positions[:first],
            units,
            None if crop is None else Crop((crop[0], crop[1]), crop[2], crop[3]),
        )
        # A key's own reach: how many pixels (RMS over what it moves) a weight of 1 means.
        power = (self._columns[:, :, : self.keys] ** 2).sum(1)
        seen = self.weights[:, None] * power
        self._reach = np.sqrt((seen * power).sum(0) / np.maximum(seen.sum(0), 1e-12))

    @property
    def weights(self) -> NDArray[np.float32]:
        """How much each vertex counts, (V,)."""
        return self._choosing.weights

    def _shown(self, weights: Floats) -> NDArray[np.float32]:
        """Return the motion (T, V, 2) that weights (T, S + R) make."""
        moving = np.flatnonzero(weights.any(0))
        columns = self._columns[..., moving].reshape(2 * len(self._columns), len(moving))
        shown = weights[:, moving].astype(np.float32) @ columns.T
        return np.asarray(shown.reshape(self._motion.shape), np.float32)

    def rough(self) -> Floats:
        """Return weights (T, S + R) of all keys, unbounded, that follow what most vertices do.

        Vertices that the rig cannot follow count less and less (Geman and McClure 1987), so that
        a hand before the face or a patch of wrong flow does not pass for the expression.
        """
        root = np.sqrt(self.weights)[:, None, None]
        white = (self._columns * root).reshape(-1, self.keys + self.extra)
        courses, fields = patterns(self.believed(None), self.weights, self.times)
        if not courses.shape[1]:
            return np.zeros((self.frames, white.shape[1]))
        seen = (fields.transpose(1, 2, 0) * root).reshape(-1, len(fields))
        trust = np.ones(len(self.weights), np.float32)
        for _ in range(ROUGH_ROUNDS):
            each = np.repeat(np.sqrt(trust), 2)[:, None]
            hessian = ((white * each).T @ (white * each)).astype(np.float64)
            steep = np.diag(hessian)
            hessian += np.diag(ROUGH_RIDGE * steep + 1e-12 * steep.max() + 1e-30)
            linear = ((white * each).T @ (seen * each)).astype(np.float64)
            found = np.linalg.solve(hessian, linear)
            rest = (seen - white @ found.astype(np.float32)).reshape(len(trust), -1)
            length = np.linalg.norm(rest, axis=1) / np.maximum(root[:, 0, 0], 1e-6)
            moves = np.linalg.norm(fields, axis=(0, 2)) * np.sqrt(trust)
            limit = max(
                OUTLIER_SPREADS * float(np.median(length)),
                OUTLIER_SHARE * float(np.percentile(moves, LARGEST)),
                1e-9,
            )
            trust = (1 / (1 + (length / limit) ** 2) ** 2).astype(np.float32)
        return np.asarray(courses.astype(np.float64) @ found.T)

    def believed(self, weights: Floats | None) -> NDArray[np.float32]:
        """Return the motion seen (T, V, 2), outliers about that of `weights` drawn in to where
        Huber's loss has them, and what a frame is not trusted with left to the model."""
        if weights is None or not weights.any():
            say = self._say
            return self._motion if say is None else self._motion * say[..., None]
        shown = self._shown(weights)
        residual = self._motion - shown
        length = np.linalg.norm(residual, axis=2)
        moving = length[length > 0]
        spread = 1.4826 * float(np.median(moving)) if moving.size else 0.0
        largest = float(np.percentile(np.linalg.norm(shown, axis=2).max(0), LARGEST))
        limit = max(HUBER * spread, OUTLIER_SHARE * largest, OUTLIER_PIXELS)
        shrink = np.minimum(1, limit / np.maximum(length, 1e-9))
        if self._say is not None:
            shrink = shrink * self._say
        return np.asarray(shown + residual * shrink[..., None], np.float32)

    def solved(
        self,
        courses: NDArray[np.float32],
        fields: NDArray[np.float32],
        cancelled: Callable[[], bool],
    ) -> Floats:
        """Return the weights (T, S + R) for the motion of courses (T, r) times fields (r, V, 2)."""
        seen = self._choosing.whitened(fields.transpose(1, 2, 0))
        linear = (courses @ (seen.T @ self._white)).astype(np.float64)
        energy = float(((courses @ (seen.T @ seen)) * courses).sum())
        search = Selection(
            self._hessian,
            *self._without_others(linear, energy),
            self._bounds[: self.keys],
            self._choosing.places,
            self._misfit(fields[0]),
            self._rig,
            cancelled,
        )
        chosen = search.run()
        weights = self._measured(chosen, courses, fields)
        quiet = np.abs(weights[:, : self.keys]).max(0) * self._reach < LEAST_PIXELS
        loud = [key for key in chosen if not quiet[key]]
        return weights if len(loud) == len(chosen) else self._measured(loud, courses, fields)

    def _without_others(self, linear: Floats, energy: float) -> tuple[Floats, float]:
        """Return the keys' linear terms (N, S) and the square of motions, what the head's motion
        and smooth errors can take of them left out."""
        taken = linear[:, self.keys :] @ self._absorbed
        own = linear[:, : self.keys] - taken @ self._others
        return own, energy - float((taken * linear[:, self.keys :]).sum())

    def _misfit(self, motion: NDArray[np.float32]) -> float:
        """Return how many times as large, squared, errors of a motion (V, 2) are as what no key can
        express of them: keys that crowd where it is take many of its errors for themselves."""
        if self._positions is None:
            return USUAL_MISFIT
        errors = likely_errors(motion, self._positions, self._shares)
        seen = self._choosing.whitened(errors)
        linear = (seen.T @ self._white).astype(np.float64)
        own, energy = self._without_others(linear, float((seen.astype(np.float64) ** 2).sum()))
        left = inexpressible(self._hessian, own, energy)
        return float(np.clip(energy / max(left, 1e-12 * energy, 1e-30), USUAL_MISFIT, MOST_MISFIT))

    def _measured(
        self, keys: list[int], courses: NDArray[np.float32], fields: NDArray[np.float32]
    ) -> Floats:
        """Return the weights (T, S + R) of the chosen keys, all others zero."""
        chosen = [*keys, *range(self.keys, self.keys + self.extra)]
        white = self._measuring.whitened(np.ascontiguousarray(self._columns[..., chosen]))
        seen = self._measuring.whitened(fields.transpose(1, 2, 0))
        hessian = _ridged(white, len(keys), self.extra)
        linear = (courses @ (seen.T @ white)).astype(np.float64)
        found = np.zeros((self.frames, self.keys + self.extra))
        found[:, chosen] = minimise(
            hessian,
            linear,
            self._bounds[chosen, 0],
            self._bounds[chosen, 1],
            self._smooth,
            np.zeros_like(linear),
        )
        return found

    def result(self, weights: Floats) -> SolveResult:
        """Return the weights with their accounts."""
        shown = weights[:, : self.keys].astype(np.float32)
        # A thousandth of a key's range is nothing that anybody sees; leave no dust.
        dust = 1e-3 * np.abs(self._bounds[: self.keys]).max(1).astype(np.float32)
        shown[np.abs(shown) < dust] = 0
        places = max(float(self.weights.sum()), 1e-9)
        left = ((self._motion - self._shown(weights)) ** 2).sum(2).astype(np.float64)
        whole = (self._motion**2).sum(2).astype(np.float64) @ self.weights
        rest = left @ self.weights
        explained = np.where(whole > 0, 1 - rest / np.maximum(whole, 1e-12), 1.0)
        return SolveResult(
            shown,
            np.sqrt(rest / places),
            np.clip(explained, 0, 1),
            np.sqrt(left.mean(0)),
            weights[:, self.keys :],
        )


def _ridged(white: NDArray[np.float32], keys: int, rigid: int) -> Floats:
    """Return the inner products of whitened columns (M, K): first keys, then a head's motion, then
    smooth errors; each but the keys' with its ridge."""
    hessian = (white.T @ white).astype(np.float64)
    ridge = np.zeros(len(hessian))
    ridge[keys : keys + rigid], ridge[keys + rigid :] = RIGID_RIDGE, SMOOTH_RIDGE
    hessian += np.diag(ridge * np.diag(hessian) + 1e-9 * (ridge > 0))
    return hessian
