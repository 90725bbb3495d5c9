"""What to look for in the library, and the SQL that finds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..records import Side


@dataclass(frozen=True)
class UnitQuery:
    """An action unit that has to be there; on this side if one is given, and `sure` if asked."""

    number: int
    side: Side | None = None
    sure: bool = False


@dataclass(frozen=True)
class Query:
    """What an entry has to be; None or empty asks for nothing.

    All of `units` have to be there. `emotion` is a data set's word or a class (`positive`,
    `negative`, `surprise`, `other`). `shortest` and `longest` bound the seconds from onset to
    offset. Names are compared without case.
    """

    units: tuple[UnitQuery, ...] = ()
    emotion: str | None = None
    shortest: float | None = None
    longest: float | None = None
    asymmetric: bool | None = None
    data_set: str | None = None
    subject: str | None = None
    clip: str | None = None
    kind: str | None = None

    def sql(self) -> tuple[str, list[Any]]:
        """Return the condition on the table `entries`, and its values."""
        parts: list[str] = []
        values: list[Any] = []

        def need(part: str, *more: Any) -> None:
            parts.append(part)
            values.extend(more)

        for unit in self.units:
            inner = "SELECT 1 FROM units u WHERE u.entry = entries.id AND u.number = ?"
            more: list[Any] = [unit.number]
            if unit.side is not None:
                inner += " AND u.side = ?"
                more.append(unit.side)
            if unit.sure:
                inner += " AND u.sure = 1"
            need(f"EXISTS ({inner})", *more)
        if self.emotion is not None:
            need("(lower(emotion) = ? OR valence = ?)", *[self.emotion.lower()] * 2)
        if self.shortest is not None:
            need("event_seconds >= ?", self.shortest)
        if self.longest is not None:
            need("event_seconds <= ?", self.longest)
        if self.asymmetric is not None:
            need("asymmetric = ?", int(self.asymmetric))
        for column in ("data_set", "subject", "clip", "kind"):
            if (sought := getattr(self, column)) is not None:
                need(f"lower({column}) = ?", sought.lower())
        return " AND ".join(parts) or "1", values
