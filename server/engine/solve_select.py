"""Choose which keys move: the likeliest set, by how well it explains the motion and what is known.

A set's score is N/2 log(motion left) + what it costs to believe in its keys (Schwarz 1978, with
costs for log priors): what a further key has to explain is a share of what is left, so that clean
motion is resolved finely and the errors of a network are not dressed up as expressions. The set is
found by adding, dropping and exchanging keys and pairs of sides until nothing improves it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .bounded import descend
from .solve_rig import Rig

Floats = NDArray[np.float64]
Keys = tuple[int, ...]

#: Independent observations of a face's motion field: what a share of the motion left weighs.
OBSERVATIONS = 32.0
#: What a key costs; what it costs that its other side moves too, or stays (one in five does). It is
#: events that have one side: what else moves on that side alone costs only this much.
KEY, BOTH_SIDES, ONE_SIDE, SAME_SIDE = 2.0, 0.2, 1.4, 0.6
#: Sides move together when the weaker makes at least this share of the stronger's motion.
ALIKE_SIDES = 0.25
#: How much less the first of them costs: a face that moves at all makes an expression.
FIRST = 1.0
#: What it helps that two keys often come together.
TOGETHER = 1.3
#: What it costs that an expression moves less than this share of the strongest one, in a rig whose
#: names tell what often comes together, and this is not: units of one event are of like strength,
#: what a network gets wrong is fainter.
FAINT, FAINT_SHARE = 2.0, 0.6
#: How wrong the motion is, is told from what no key can express, up to this share of the motion.
#: What no flow resolves, in pixels.
MISFIT_SHARE, LEAST_PIXELS = 0.2, 0.01
#: The clip is looked at in this many stretches of time.
STRETCHES = 16
#: Keys tried as additions, and in the place of each that is exchanged.
ADDITIONS, EXCHANGES = 6, 3
MAX_CHANGES = 60


@dataclass
class Selection:
    """The search for one clip.

    `hessian` (S, S) of the keys, `linear` (T, S), `energy` the motion squared, `bounds` (S, 2),
    `places` what one pixel everywhere measures, squared. Errors of the motion are `misfit` times
    as large, squared, as what no key can express.
    """

    hessian: Floats
    linear: Floats
    energy: float
    bounds: Floats
    places: float
    misfit: float
    rig: Rig
    cancelled: Callable[[], bool]
    _known: dict[Keys, tuple[float, Floats]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        frames = len(self.linear)
        ends = np.linspace(0, frames, min(frames, STRETCHES) + 1).astype(int)
        self._stretches = np.stack(
            [self.linear[a:b].sum(0) / np.sqrt(b - a) for a, b in itertools.pairwise(ends)]
        )
        longest = float(np.sqrt(np.diff(ends).max(initial=1)))
        self._lower, self._upper = self.bounds[:, 0] * longest, self.bounds[:, 1] * longest
        self._count = len(self.rig.cost)
        left = inexpressible(self.hessian, self.linear, self.energy)
        wrong = min(self.misfit * left, MISFIT_SHARE * self.energy)
        self._floor = wrong + LEAST_PIXELS**2 * self.places * frames
        self._steep = np.maximum(np.diag(self.hessian), 1e-30)

    def run(self) -> list[int]:
        """Return the keys that the motion speaks for, in rising order."""
        now: Keys = ()
        score = self._score(now)
        for _ in range(MAX_CHANGES):
            if self.cancelled():
                break
            tried = {change: self._score(change) for change in set(self._changes(now))}
            if not tried:
                break
            best = min(tried, key=lambda keys: (tried[keys], keys))
            if tried[best] >= score - 1e-9:
                break
            now, score = best, tried[best]
        return list(now)

    def _score(self, keys: Keys) -> float:
        left, _ = self._fit(keys)
        return 0.5 * OBSERVATIONS * float(np.log(left)) + self._cost(keys)

    def _cost(self, keys: Keys) -> float:
        rig, chosen = self.rig, set(keys)
        total, alone = 0.0, list[int]()
        for key in keys:
            other = int(rig.partner[key])
            if other in chosen and self._together(keys, key, other):
                # The pair is paid for once, by the likelier of its sides.
                total += (KEY + BOTH_SIDES + float(min(rig.cost[[key, other]]))) / 2
                continue
            total += KEY + float(rig.cost[key])
            if other in chosen:
                total += ONE_SIDE
            elif other >= 0:
                alone.append(int(rig.side[key]))
        sides = len(set(alone))
        total += ONE_SIDE * sides + SAME_SIDE * (len(alone) - sides)
        together = {
            frozenset(self._expression(key) for key in pair)
            for pair in rig.companions
            if pair <= chosen
        }
        total += FAINT * self._strays(keys, together)
        total += sum(price for some, price in rig.expected if some.isdisjoint(keys))
        return total - TOGETHER * len(together) - (FIRST if keys else 0.0)

    def _strays(self, keys: Keys, together: set[frozenset[int]]) -> int:
        """Return how many expressions are faint beside the strongest, and alone in that."""
        if not self.rig.companions:
            return 0
        heights: dict[int, float] = {}
        for key in keys:
            expression = self._expression(key)
            heights[expression] = max(heights.get(expression, 0.0), self._height(keys, key))
        least = FAINT_SHARE * max(heights.values(), default=0.0)
        faint = {one for one, height in heights.items() if height < least}
        # Two faint ones do not speak for each other.
        befriended = {one for pair in together if not pair <= faint for one in pair}
        return len(faint - befriended)

    def _together(self, keys: Keys, key: int, other: int) -> bool:
        """Tell whether two sides move about as much: a trace of one is a key to be paid for."""
        one, two = self._height(keys, key), self._height(keys, other)
        return min(one, two) >= ALIKE_SIDES * max(one, two)

    def _height(self, keys: Keys, key: int) -> float:
        """Return how far one of a set of keys moves the picture, at its peak."""
        _, weights = self._fit(keys)
        return float(np.abs(weights[:, key]).max() * self._steep[key] ** 0.5)

    def _expression(self, key: int) -> int:
        """Return one number for both sides of a key."""
        other = int(self.rig.partner[key])
        return min(key, other) if other >= 0 else key

    def _fit(self, keys: Keys, start: Keys = ()) -> tuple[float, Floats]:
        """Return the motion left and the weights (stretches, S) of a set of keys."""
        if keys not in self._known:
            chosen = list(keys)
            begin = np.zeros_like(self._stretches)
            if start in self._known:
                begin = self._known[start][1]
            hessian = self.hessian[np.ix_(chosen, chosen)]
            linear = self._stretches[:, chosen]
            found = descend(
                hessian, linear, self._lower[chosen], self._upper[chosen], begin[:, chosen]
            )
            explained = float((2 * linear * found - (found @ hessian) * found).sum())
            weights = np.zeros_like(self._stretches)
            weights[:, chosen] = found
            self._known[keys] = (
                max(self.energy - explained, 0.0) + self._floor,
                weights,
            )
        return self._known[keys]

    def _promising(self, keys: Keys, count: int, without: Iterable[int] = ()) -> list[int]:
        """Return the keys that would help most beside `keys`, by what each explains alone."""
        left, weights = self._fit(keys)
        slope = self._stretches - weights @ self.hessian
        step = np.clip(slope / self._steep, self._lower, self._upper)
        gain = (2 * slope * step - self._steep * step**2).sum(0)
        gain[~self.rig.usable] = 0
        gain[[*keys, *without]] = 0
        score = 0.5 * OBSERVATIONS * np.log(np.maximum(left - gain, 1e-3 * left)) + self.rig.cost
        for some, price in self.rig.expected:
            if some.isdisjoint(keys):
                score[list(some)] -= price
        order = np.lexsort((np.arange(self._count), score))[:count]
        return [int(key) for key in order if gain[key] > 0]

    def _with(self, keys: Keys, key: int) -> Iterable[Keys]:
        """Yield `keys` with one more, and with both of its sides."""
        more = _sorted(*keys, key)
        self._fit(more, keys)
        yield more
        other = int(self.rig.partner[key])
        if other >= 0 and other not in keys:
            both = _sorted(*keys, key, other)
            self._fit(both, keys)
            yield both

    def _changes(self, now: Keys) -> Iterable[Keys]:
        for key in self._promising(now, ADDITIONS):
            yield from self._with(now, key)
        groups = {_sorted(k, *(p for p in (int(self.rig.partner[k]),) if p in now)) for k in now}
        for group in sorted(groups | {(k,) for k in now}):
            rest = tuple(k for k in now if k not in group)
            self._fit(rest, now)
            yield rest
            if group in groups:
                for key in self._promising(rest, EXCHANGES, group):
                    yield from self._with(rest, key)


def inexpressible(hessian: Floats, linear: Floats, energy: float) -> float:
    """Return what is left of motions, squared, where all keys move as they like."""
    steep = np.diag(hessian)
    ridged = hessian + np.diag(1e-3 * steep + 1e-12 * steep.max() + 1e-30)
    weights = np.linalg.solve(ridged, linear.T).T
    explained = (2 * linear * weights - (weights @ hessian) * weights).sum()
    return max(energy - float(explained), 0.0)


def _sorted(*keys: int) -> Keys:
    return tuple(sorted(keys))
