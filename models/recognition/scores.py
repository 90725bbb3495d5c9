"""How well units are named: F1, side and intensity, with intervals over identities."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from .units import COLUMNS

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]
Interval = tuple[float, float, float]
#: From how often each sample counts (M,) to a score.
Measure = Callable[[NDArray[np.float64]], float]

#: Amount from which a unit is there; less, but more than nothing, counts neither way.
PRESENT = 0.05
#: Units in the order of their columns, and which columns are whose, (UNITS, COLUMNS).
UNITS: tuple[str, ...] = tuple(dict.fromkeys(column.unit for column in COLUMNS))
_OF_UNIT = np.array([[column.unit == unit for column in COLUMNS] for unit in UNITS])
_SIDED = _OF_UNIT.sum(1) > 1


def by_unit(named: Flags) -> Flags:
    """Return whether either side is named, (M, UNITS), of columns (M, COLUMNS)."""
    return np.asarray((named[:, None] & _OF_UNIT).any(2))


def f_sums(named: Flags, truth: Flags, open_: Flags) -> NDArray[np.float64]:
    """Return (M, 2), twice the hits and what F1 divides them by, a row a sample.

    What is `open_`, neither there nor not, counts in neither.
    """
    hits = 2.0 * (named & truth).sum(1)
    misses = (truth & ~named).sum(1) + (named & ~truth & ~open_).sum(1)
    return np.asarray(np.stack((hits, hits + misses), axis=1), np.float64)


def side_sums(
    named: Flags, truth: Flags, open_: Flags, one_sided: bool = False
) -> NDArray[np.float64]:
    """Return (M, 2), of the units with sides that are rightly named those with the right side or
    sides, and all of them; of units that are `one_sided` in truth alone, if so asked."""
    there = by_unit(truth) & by_unit(named) & _SIDED
    if one_sided:
        there &= ((truth | open_)[:, None] & _OF_UNIT).sum(2) == 1
    wrong = (((named ^ truth) & ~open_)[:, None] & _OF_UNIT).any(2)
    return np.asarray(np.stack(((there & ~wrong).sum(1), there.sum(1)), axis=1), np.float64)


def correlation(found: Floats, truth: Floats, weights: NDArray[np.float64]) -> float:
    """Return Pearson's r of two rows of numbers, each pair counted `weights` times."""
    total = weights.sum()
    if total == 0:
        return float("nan")
    a, b = (x - (weights * x).sum() / total for x in (found, truth))
    spread = np.sqrt((weights * a * a).sum() * (weights * b * b).sum())
    return float((weights * a * b).sum() / spread) if spread > 0 else float("nan")


def interval(
    measure: Measure,
    people: Sequence[object] | NDArray[np.str_],
    draws: int = 1000,
) -> Interval:
    """Return `measure` of the samples and its 95 % interval.

    `measure` takes how often each sample counts (M,). Whole people are drawn again with
    replacement, because their samples go together.
    """
    _, whose = np.unique(np.asarray(people), return_inverse=True)
    count = int(whose.max()) + 1
    rng = np.random.default_rng(0)
    drawn = [
        measure(np.bincount(rng.integers(0, count, count), minlength=count)[whose].astype(float))
        for _ in range(draws)
    ]
    known = [value for value in drawn if not np.isnan(value)]
    low, high = np.percentile(known, [2.5, 97.5]) if known else (np.nan, np.nan)
    return measure(np.ones(len(whose))), float(low), float(high)


def ratio(sums: NDArray[np.generic]) -> Measure:
    """Return the measure that divides one column of sums (M, 2) by the other."""

    def measure(weights: NDArray[np.float64]) -> float:
        top, bottom = weights @ sums.astype(np.float64)
        return float(top / bottom) if bottom else float("nan")

    return measure


def scores(
    named: Flags, amounts: Floats, truth: Floats, people: Sequence[object] | NDArray[np.str_]
) -> dict[str, Interval]:
    """Return each score of columns `named` (M, COLUMNS) at `amounts` against the true ones.

    `f1` of units; `f1 by side` of units and sides; `side`, of units rightly named the share with
    the right sides, and `side, one-sided`; `intensity r` over the units and sides that are truly
    there, named or not; `gain`, the slope of their amounts on the true ones; `named at rest`, the
    share of samples without any unit in which one is named.
    """
    there, open_ = truth >= PRESENT, (truth > 0) & (truth < PRESENT)
    rows, columns = np.nonzero(there)
    found, wanted = amounts[rows, columns], truth[rows, columns]
    slope = np.stack(((amounts * truth * there).sum(1), (truth * truth * there).sum(1)), axis=1)
    rest = ~(truth > 0).any(1)
    measures = {
        "f1": ratio(f_sums(by_unit(named), by_unit(there), by_unit(open_))),
        "f1 by side": ratio(f_sums(named, there, open_)),
        "side": ratio(side_sums(named, there, open_)),
        "side, one-sided": ratio(side_sums(named, there, open_, one_sided=True)),
        "intensity r": lambda weights: correlation(found, wanted, weights[rows]),
        "gain": ratio(slope),
        "named at rest": ratio(np.stack((rest & named.any(1), rest), axis=1)),
    }
    return {name: interval(measure, people) for name, measure in measures.items()}


def best_threshold(chance: Floats, truth: Floats) -> float:
    """Return the chance from which on naming units gives the highest F1 by side."""
    there, open_ = truth >= PRESENT, (truth > 0) & (truth < PRESENT)
    tried = np.linspace(0.2, 0.8, 25)
    whole = np.ones(len(truth))
    return float(max(tried, key=lambda t: ratio(f_sums(chance >= t, there, open_))(whole)))


def as_words(value: Interval) -> str:
    """Return a score with its interval, as a table's cell."""
    score, low, high = value
    return "none" if np.isnan(score) else f"{score:.2f} ({low:.2f} to {high:.2f})"
