"""What reading a data set takes and gives, whichever set it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from ..records import ClipRecord


@dataclass(frozen=True)
class Overrides:
    """What a user says of a copy that differs from the layout its reader knows.

    `sheet` is the annotation file (.xlsx or .csv), `tab` its sheet by name, `frames` the folder
    below which the pictures lie, `fps` frames per second, `columns` a column's name as it stands
    in the file by what it holds: `subject`, `clip`, `onset`, `apex`, `offset`, `units`, `emotion`.
    """

    sheet: Path | None = None
    tab: str | None = None
    frames: Path | None = None
    fps: Fraction | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """Something in a copy that is not as it should be: `source` (file and row), and `what`."""

    source: str
    what: str

    def __str__(self) -> str:
        return f"{self.source}: {self.what}"


@dataclass(frozen=True)
class DataSet:
    """A data set that was read.

    Each row of the sheet is in `records` or, where it names no clip, in `findings`; none is
    dropped without a word. `findings` hold every defect, also those noted in a record.
    `assumptions` tell, a sentence each, what the reader took for granted.
    """

    name: str
    folder: Path
    records: tuple[ClipRecord, ...]
    assumptions: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def missing(self) -> tuple[ClipRecord, ...]:
        """The records whose pictures or video the copy does not hold."""
        return tuple(record for record in self.records if not record.is_there)
