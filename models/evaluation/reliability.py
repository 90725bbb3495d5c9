"""Whether doubt is right: the error that is expected beside the error that is there."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

#: Borders between the classes of doubt, pixels at 256.
BORDERS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)


@dataclass
class Reliability:
    """For each class of doubt the sums of expected and of true end-point error, and the cells."""

    expected: NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(BORDERS) + 1))
    found: NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(BORDERS) + 1))
    cells: NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(BORDERS) + 1))

    def add(self, doubt: Floats, flow: Floats, truth: Floats, region: NDArray[np.bool_]) -> None:
        """Take in a pair: `doubt` (h, w) of `flow` against `truth` (h, w, 2), where `region`."""
        error = np.linalg.norm(flow - truth, axis=-1)[region]
        kind = np.digitize(doubt[region], BORDERS)
        for sums, values in ((self.expected, doubt[region]), (self.found, error)):
            sums += np.bincount(kind, values, len(BORDERS) + 1)
        self.cells += np.bincount(kind, minlength=len(BORDERS) + 1)

    @property
    def off(self) -> float:
        """The mean over cells of how far a class's expected error is from the true, over the mean
        true error: 0 is calibrated."""
        return float(np.abs(self.expected - self.found).sum() / max(self.found.sum(), 1e-9))

    def rows(self) -> list[dict[str, float]]:
        """Return for each class of doubt that occurs: expected and true error, share of cells."""
        kept = np.flatnonzero(self.cells)
        return [
            {
                "expected": float(self.expected[k] / self.cells[k]),
                "found": float(self.found[k] / self.cells[k]),
                "share": float(self.cells[k] / self.cells.sum()),
            }
            for k in kept
        ]

    def table(self) -> str:
        """Return the rows as Markdown."""
        lines = ["| error expected, px | error found, px | share of cells |", "|---|---|---|"]
        lines += [
            f"| {row['expected']:.3f} | {row['found']:.3f} | {row['share']:.0%} |"
            for row in self.rows()
        ]
        return "\n".join(lines) + f"\n\nOff by {self.off:.0%} of the error, over all classes.\n"
