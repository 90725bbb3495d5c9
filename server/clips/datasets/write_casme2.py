"""Write a coding sheet like CASME II's, .xlsx or .csv: what reads that set reads it."""

from __future__ import annotations

import csv
import importlib
import io
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ....drafts import write_whole
from ....errors import InputError, RunError
from ..records import ActionUnit

#: CASME II's columns, two of which have no name, and behind them what it does not tell.
HEADER = (
    "Subject", "Filename", "", "OnsetFrame", "ApexFrame", "OffsetFrame", "", "Action Units",
    "Estimated Emotion", "Fps", "SHA-256",
)  # fmt: skip


@dataclass(frozen=True)
class Coded:
    """One row: frames count from 1, as the pictures' names do (`img1`); None becomes `/`."""

    subject: str
    clip: str
    onset: int | None
    apex: int | None
    offset: int | None
    units: tuple[ActionUnit, ...]
    emotion: str | None
    fps: Fraction
    sha256: str = ""

    def cells(self) -> list[str | int]:
        """Return the row's cells."""
        return [
            self.subject, self.clip, "",
            *("/" if frame is None else frame for frame in (self.onset, self.apex, self.offset)),
            "", "+".join(map(str, self.units)), self.emotion or "", str(self.fps), self.sha256,
        ]  # fmt: skip


def coding_bytes(rows: Iterable[Coded], suffix: str) -> bytes:
    """Return a sheet's bytes, of the kind that its file name's ending tells.

    Raises InputError for another kind, RunError where openpyxl is needed and missing.
    """
    if suffix == ".csv":
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(HEADER)
        writer.writerows([_harmless(cell) for cell in row.cells()] for row in rows)
        return text.getvalue().encode("utf-8-sig")
    if suffix != ".xlsx":
        raise InputError(
            f"A coding sheet cannot be {suffix or 'without an ending'}.", "Name it .xlsx or .csv."
        )
    try:
        openpyxl = importlib.import_module("openpyxl")
    except ImportError as error:
        raise RunError(
            "Writing .xlsx needs openpyxl, which is not installed.",
            'Install it with: pip install "microface[datasets]"; or name the sheet .csv.',
        ) from error
    book = openpyxl.Workbook()
    tab = book.active
    tab.title = "Coding"
    tab.append([name or None for name in HEADER])
    for row in rows:
        tab.append([_harmless(cell) if cell != "" else None for cell in row.cells()])
    buffer = io.BytesIO()
    book.save(buffer)
    return _timeless(buffer.getvalue())


def _timeless(workbook: bytes) -> bytes:
    """Return a workbook without the time at which it was written: equal rows, equal bytes."""
    settled = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook)) as read,
        zipfile.ZipFile(settled, "w", zipfile.ZIP_DEFLATED) as written,
    ):
        for name in read.namelist():
            data = read.read(name)
            if name == "docProps/core.xml":
                data = re.sub(rb"\d{4}-\d\d-\d\dT[\d:.]+Z?", b"1980-01-01T00:00:00Z", data)
            written.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
    return settled.getvalue()


def _harmless(cell: str | int) -> str | int:
    """Return a cell that no spreadsheet takes for a formula."""
    return f" {cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@") else cell


def write_coding(path: Path, rows: Iterable[Coded]) -> None:
    """Write a sheet, whole or not at all; raises as `coding_bytes`, and where it cannot be."""
    write_whole(path, coding_bytes(rows, path.suffix.lower()))
