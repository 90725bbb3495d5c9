"""The tables of an ablation: what each variant reaches, and what each idea changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from . import measures
from .run import Measured, Sums
from .table import Interval, cell

Rows = list[tuple[float, float]]


@dataclass(frozen=True)
class Line:
    """A line of the tables: for each method the rows (P, 2) whose pooled ratio it shows, a row a
    pair, and each pair's group."""

    title: str
    groups: Sequence[str]
    rows: dict[str, NDArray[np.float32]]


#: A line's title, the sums behind it, and the pairs that count: those of one family (True), of two
#: (False), or all that show an expression (None).
Kind = tuple[str, Callable[[Sums], Rows], bool | None]
CARRIED: tuple[Kind, ...] = (
    ("error / motion, carried truth, within a family", lambda s: s.carried, True),
    ("the same, across families", lambda s: s.carried, False),
    ("gain of the carried truth", lambda s: s.carried_gain, None),
)
SHOWN: tuple[Kind, ...] = (
    ("error / motion, own rig", lambda s: s.claimed, None),
    ("the same, within 3 px of edges", lambda s: s.edge_motion, None),
    ("picture's error in the moving region, of 255", lambda s: s.difference, None),
    ("the same, within 3 px of edges", lambda s: s.edge_difference, None),
)


def lines_of(found: Measured, kinds: Sequence[Kind]) -> list[Line]:
    """Return a line for each of `kinds` with every method of `found`."""
    lines = []
    for title, pick, within in kinds:
        chosen = [
            i
            for i, lively in enumerate(found.expressive)
            if lively and within in (None, found.within[i])
        ]
        rows = {
            name: np.array([pick(sums)[i] for i in chosen], np.float32)
            for name, sums in found.sums.items()
        }
        lines.append(Line(title, [found.groups[i] for i in chosen], rows))
    return lines


def reached(lines: Sequence[Line], names: Sequence[str]) -> str:
    """Return the Markdown table of what each of `names` reaches, a column each; a method that a
    line lacks has a dash."""
    head = ["| | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    body = []
    for line in lines:
        cells = [
            shown(measures.bootstrap(line.rows[name], line.groups)) if name in line.rows else "–"
            for name in names
        ]
        body.append(f"| {line.title} | " + " | ".join(cells) + " |")
    return "\n".join(head + body) + "\n"


def changed(lines: Sequence[Line], names: Sequence[str]) -> str:
    """Return the Markdown table of what each of `names` but the first changes from the one before;
    a star marks an interval that is clear of zero."""
    head = ["| | " + " | ".join(names[1:]) + " |", "|---" * len(names) + "|"]
    body = []
    for line in lines:
        cells = [
            signed(measures.bootstrap_change(line.rows[before], line.rows[after], line.groups))
            for before, after in pairwise(names)
        ]
        body.append(f"| {line.title} | " + " | ".join(cells) + " |")
    return "\n".join(head + body) + "\n"


def shown(interval: Interval) -> str:
    """Return a value with its interval."""
    return cell(dict(zip(("value", "low", "high"), interval, strict=True)))


def signed(interval: Interval) -> str:
    """Return a change with its sign, its interval, and a star where that is clear of zero."""
    value, low, high = interval
    star = " *" if low > 0 or high < 0 else ""
    return f"{value:+.3f} ({low:+.3f} to {high:+.3f}){star}"
