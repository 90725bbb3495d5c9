"""The tables that the clip commands print, and the page shows: events and action units."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..server.clips.describe import Described
    from ..server.clips.describe_emotion import Hint
    from ..server.clips.spot import Spotted

EVENT_HEADS = ("kind", "onset", "apex", "offset", "lasts", "regions", "confidence")
UNIT_HEADS = ("unit", "name", "side", "peak", "at", "confidence", "evidence")


def event_cells(event: Spotted) -> tuple[str, ...]:
    """Return an event's row: times in seconds from the clip's start."""
    return (
        event.kind,
        f"{event.onset:.3f} s",
        f"{event.apex:.3f} s",
        f"{event.offset:.3f} s",
        f"{event.seconds:.3f} s",
        ", ".join(event.regions) or "-",
        f"{event.confidence:.0%}",
    )


def unit_cells(unit: Described) -> tuple[str, ...]:
    """Return a unit's row: its peak as a share of a full contraction, and when that is."""
    from ..server.clips.unit_names import unit_name

    instead = f", or AU{'+'.join(map(str, unit.instead))}" if unit.instead else ""
    return (
        f"AU{unit.unit}",
        unit_name(unit.unit),
        unit.side,
        f"{unit.peak:.2f}",
        f"{unit.times[unit.apex]:.3f} s",
        f"{unit.confidence:.0%}{instead}",
        str(unit.evidence),
    )


def hint_line(hints: Sequence[Hint]) -> str:
    """Return the emotions that the units may stand for, in one line."""
    told = [f"{hint.emotion} {hint.probability:.0%}" for hint in hints if hint.probability >= 0.05]
    return ", ".join(told)


def lines_of(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a table's lines, its columns aligned."""
    table = [tuple(heads), *map(tuple, rows)]
    wide = [max(len(row[column]) for row in table) for column in range(len(heads))]
    return [
        "  ".join(f"{cell:{w}}" for cell, w in zip(row, wide, strict=True)).rstrip()
        for row in table
    ]
