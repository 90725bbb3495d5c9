"""Time courses of micro-expressions as the literature gives them.

Total 170-500 ms, mean about 320; onset phase at most 260 ms, about 170 on average; a smooth rise,
a slower decay (Yan, Wu, Liang, Chen & Fu, "How fast are the leaked facial expressions",
J. Nonverbal Behavior 37, 2013; CASME II, PLOS ONE 9(1), 2014).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Bounds in seconds.
SHORTEST_SECONDS, LONGEST_SECONDS = 0.17, 0.5
LONGEST_ONSET_SECONDS = 0.26


@dataclass(frozen=True)
class Curve:
    """Rises from 0 at `onset` to `peak` at `apex` and is back at 0 at `offset` (seconds)."""

    onset: float
    apex: float
    offset: float
    peak: float = 1.0

    def __post_init__(self) -> None:
        if not self.onset < self.apex < self.offset:
            raise ValueError(f"onset {self.onset}, apex {self.apex}, offset {self.offset}")

    def at(self, seconds: NDArray[np.floating[Any]] | float) -> NDArray[np.float64]:
        """Return the value at times of any shape; 0 before the onset and after the offset."""
        time = np.asarray(seconds, np.float64)
        rise = np.clip((time - self.onset) / (self.apex - self.onset), 0, 1)
        fall = np.clip((time - self.apex) / (self.offset - self.apex), 0, 1)
        # Raised cosines: no jump in velocity at onset, apex or offset; the fall starts off faster
        # than it ends, as relaxing muscle does.
        up = 0.5 - 0.5 * np.cos(np.pi * rise)
        down = 0.5 + 0.5 * np.cos(np.pi * fall**0.8)
        return np.asarray(self.peak * np.where(time <= self.apex, up, down))

    def shifted(self, seconds: float) -> Curve:
        """Return the curve later by `seconds`."""
        return Curve(self.onset + seconds, self.apex + seconds, self.offset + seconds, self.peak)


def random_curve(rng: np.random.Generator, peak: float = 1.0, onset: float = 0.0) -> Curve:
    """Draw a micro-expression's time course starting at `onset` seconds."""
    total = float(np.clip(rng.normal(0.32, 0.07), SHORTEST_SECONDS, LONGEST_SECONDS))
    share = float(np.clip(rng.normal(0.5, 0.07), 0.3, 0.65))
    rise = min(total * share, LONGEST_ONSET_SECONDS)
    return Curve(onset, onset + rise, onset + total, peak)
