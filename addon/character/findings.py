"""What a finding about a character is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

#: So many names are listed before "and N more".
NAMED = 3


class Severity(Enum):
    """How bad a finding is."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """One thing about a character: `what`, its `remedy`, and the name of a fix that mends it.

    An ERROR stops a bake, a WARNING spoils it perhaps, a NOTE only tells. `fix` is a key of
    `FIXES`, or empty where no function can mend it.
    """

    severity: Severity
    what: str
    remedy: str
    fix: str = ""


def listed(names: Sequence[str]) -> str:
    """Return names as a reader would list them: 'a', 'b', 'c' and 4 more."""
    shown = ", ".join(f"'{name}'" for name in names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"


def counted(count: int, noun: str) -> str:
    """Return a count with its noun: 1 shape key, 2 shape keys, 1 vertex, 2 vertices."""
    plural = noun.replace("vertex", "vertices") if noun.endswith("vertex") else f"{noun}s"
    return f"{count} {noun if count == 1 else plural}"
