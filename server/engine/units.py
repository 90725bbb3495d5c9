"""Which action units a result's sources show: what a solver of keys is told beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..clips.describe import Described
from ..clips.unit_names import unit_name


def units_shown(
    clips: Iterable[Sequence[Described]],
) -> list[dict[str, int | float | str | list[int]]]:
    """Return the units that any of the clips shows, ready for JSON, surest first.

    Each is told once, of the clip that shows it surest: FACS's number as `unit` and its `name`, the
    subject's own `side`, its `peak` as a share of a full contraction, `confidence` 0..1, and where
    that is little the units that it may be `instead`.
    """
    surest: dict[int, Described] = {}
    for found in (each for clip in clips for each in clip):
        other = surest.get(found.unit)
        if other is None or found.confidence > other.confidence:
            surest[found.unit] = found
    return [
        {
            "unit": found.unit,
            "name": unit_name(found.unit),
            "side": found.side,
            "peak": round(found.peak, 4),
            "confidence": round(found.confidence, 3),
            "instead": list(found.instead),
        }
        for found in sorted(surest.values(), key=lambda each: (-each.confidence, each.unit))
    ]
