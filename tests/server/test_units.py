"""Of several clips, a unit is told once, by the one that shows it surest."""

from __future__ import annotations

import numpy as np
from microface.server.clips.describe import Described, Evidence
from microface.server.engine.units import units_shown


def shown(unit: int, confidence: float, peak: float) -> Described:
    curve = np.array([0.0, peak, 0.0])
    evidence = Evidence("the brows", 1.0, "down", 0.5)
    times = np.arange(3) / 100
    return Described(unit, "both", times, curve, curve, curve, 1, confidence, evidence, (9,))


def test_the_surest_tells() -> None:
    told = units_shown([[shown(4, 0.7, 0.2), shown(12, 0.8, 0.3)], [shown(4, 0.9, 0.12346)], []])
    assert told == [
        {
            "unit": 4,
            "name": "brow lowerer",
            "side": "both",
            "peak": 0.1235,
            "confidence": 0.9,
            "instead": [9],
        },
        {
            "unit": 12,
            "name": "lip corner puller",
            "side": "both",
            "peak": 0.3,
            "confidence": 0.8,
            "instead": [9],
        },
    ]
    assert units_shown([]) == []
