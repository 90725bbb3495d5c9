"""Read an annotation sheet, .xlsx or .csv, as rows of plain cells."""

from __future__ import annotations

import csv
import datetime
import importlib
import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ....errors import InputError, RunError

Cell = str | int | float | bool | datetime.date | datetime.time | datetime.timedelta | None

SHEET_SUFFIXES = (".xlsx", ".xlsm", ".csv", ".tsv")
#: The largest sheets of the field have some thousand rows; these only keep accidents away.
MAX_FILE_BYTES = 64_000_000
MAX_UNPACKED_BYTES = 512_000_000
MAX_ROWS, MAX_COLUMNS = 200_000, 256
#: Tried in this order; the last takes any bytes. GB 18030 is what Chinese Excel writes.
ENCODINGS = ("utf-8-sig", "gb18030", "latin-1")

#: What zipfile, zlib and openpyxl raise for bytes that are no whole workbook; RuntimeError for one
#: with a password, NotImplementedError for methods of packing that no spreadsheet uses.
DAMAGE = (
    zipfile.BadZipFile, zlib.error, OSError, EOFError, SyntaxError, RuntimeError,
    LookupError, ValueError, TypeError, AttributeError,
)  # fmt: skip


@dataclass(frozen=True)
class Sheet:
    """Cells by row, in the file's order; row 1 is `rows[0]`. `tab` is None for a text file."""

    path: Path
    tab: str | None
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def name(self) -> str:
        """What errors call it: the file and, where it has any, the sheet."""
        return self.path.name if self.tab is None else f"{self.path.name}, sheet {self.tab!r}"

    def at(self, row: int) -> str:
        """Return where the row of this index stands, counted as a spreadsheet does."""
        return f"{self.name}, row {row + 1}"


def read_sheet(path: Path, tab: str | None = None) -> Sheet:
    """Return the sheet `tab` of a file, the first one if None.

    Raises InputError where the file is missing, too large, damaged, of another kind, or without
    such a sheet; RunError where openpyxl is needed and missing.
    """
    sheets = read_sheets(path)
    if tab is None:
        return sheets[0]
    for sheet in sheets:
        if sheet.tab is not None and sheet.tab.strip().lower() == tab.strip().lower():
            return sheet
    names = ", ".join(repr(sheet.tab) for sheet in sheets if sheet.tab is not None)
    raise InputError(
        f"{path} has no sheet {tab!r}.",
        f"Choose one of {names}." if names else "A text file has no sheets; leave it out.",
    )


def read_sheets(path: Path) -> list[Sheet]:
    """Return every sheet of a file, at least one; raises as `read_sheet`."""
    suffix = path.suffix.lower()
    if suffix not in SHEET_SUFFIXES:
        raise InputError(
            f"{path} is not a sheet that can be read.", "Save it as .xlsx or .csv (UTF-8)."
        )
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= MAX_FILE_BYTES else b""
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}).", "Check the path and its permissions."
        ) from error
    if size > MAX_FILE_BYTES:
        raise InputError(f"{path} has {size / 1e6:.0f} MB.", "Give the annotation sheet alone.")
    if suffix in (".csv", ".tsv"):
        return [Sheet(path, None, _text_rows(path, data))]
    return _workbook(path, data)


def _text_rows(path: Path, data: bytes) -> tuple[tuple[Cell, ...], ...]:
    text = ""
    for encoding in ENCODINGS:
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    if "\0" in text:
        raise InputError(f"{path} is not a text file.", "Save it as .xlsx or .csv (UTF-8).")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        return tuple(tuple(cell if cell else None for cell in row) for row in _limited(path, rows))
    except csv.Error as error:
        raise InputError(f"{path} is damaged ({error}).", "Save it again as .csv.") from error


def _workbook(path: Path, data: bytes) -> list[Sheet]:
    try:
        # Optional, and no part of the Blender extension: it reads such sheets as .csv.
        openpyxl = importlib.import_module("openpyxl")
    except ImportError as error:
        raise RunError(
            f"{path.name} needs openpyxl, which is not installed.",
            'Install it with: pip install "microface[datasets]"; or save the sheet as .csv.',
        ) from error
    damaged = InputError(f"{path} is not a workbook that can be read.", "Save it again as .xlsx.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except DAMAGE as error:
        raise damaged from error
    if unpacked > MAX_UNPACKED_BYTES:
        raise InputError(
            f"{path} unpacks to {unpacked / 1e6:.0f} MB.", "Give the annotation sheet alone."
        )
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        sheets = []
        for tab in book.worksheets:
            tab.reset_dimensions()  # what the file claims about its size is often wrong
            rows = tab.iter_rows(values_only=True, max_col=MAX_COLUMNS)
            sheets.append(Sheet(path, str(tab.title), tuple(_limited(path, rows))))
        book.close()
    except DAMAGE as error:
        raise damaged from error
    if not sheets:
        raise damaged
    return sheets


def _limited(path: Path, rows: Any) -> Iterator[tuple[Cell, ...]]:
    for number, row in enumerate(rows):
        if number >= MAX_ROWS:
            raise InputError(f"{path} has more than {MAX_ROWS} rows.", "Give the sheet alone.")
        # A workbook's rows come as wide as was asked for; what is behind the last value is none.
        used = max((place + 1 for place, cell in enumerate(row) if cell is not None), default=0)
        yield tuple(row[: min(used, MAX_COLUMNS)])
