"""What a shape key's name tells beforehand: some keys are seldom what a micro-expression is made
of, and have to explain more motion than others before they are believed."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: (what the name holds, once it is in lower case without separators; its cost, 1 is usual).
_COSTS = (
    ("viseme|phoneme|^v[rc]?moh$", 6.0),
    ("tongue", 6.0),
    ("eyelook|lookup|lookdown|lookleft|lookright|lookin|lookout|gaze", 3.0),
    ("nasolabial|teeth|pupil|nostrildilate", 4.0),
    ("liddroop|mouthshrugupper", 2.0),
    ("jawforward|jawleft|jawright|mouthleft|mouthright|mouthclose|cheekpuff", 2.0),
    ("jawopen|mouthfunnel|mouthpucker|mouthroll", 1.5),
)


def cost_of(name: str) -> float:
    """Return how many times the usual evidence a shape key of this name needs."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    return next((cost for pattern, cost in _COSTS if re.search(pattern, plain)), 1.0)


def costs(names: Sequence[str]) -> NDArray[np.float64]:
    """Return `cost_of` each name, (S,)."""
    return np.array([cost_of(name) for name in names])
