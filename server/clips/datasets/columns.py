"""Find a sheet's columns by what they hold, and give its rows by that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ....errors import InputError
from .cells import frame_of, is_blank, key_of, text_of
from .sheet import Cell, Sheet

#: How far down a sheet its header is looked for: SAMM's stands in row 14.
_HEADER_ROWS = 60

#: Names of a column, compared by letters and digits alone, by what it holds.
Names = Mapping[str, Sequence[str]]

#: What most sets call their columns. A reader may add to these.
USUAL: dict[str, tuple[str, ...]] = {
    "subject": ("Subject", "sub", "sub_ID", "Subject ID", "participant"),
    "clip": ("Filename", "File name", "fold_name", "fold", "clip", "video", "material"),
    "onset": ("OnsetFrame", "OnsetF", "Onset", "Onset Frame"),
    "apex": ("ApexFrame", "ApexF", "ApexF1", "Apex", "Apex Frame"),
    "offset": ("OffsetFrame", "OffsetF", "Offset", "Offset Frame"),
    "units": ("Action Units", "Action Unit", "AUs", "AU", "Action units (AUs)"),
    "emotion": ("Estimated Emotion", "Emotion", "Label"),
    "kind": ("Expression type", "Type", "Micro", "expression"),
    "fps": ("Fps", "Frame rate", "framerate"),
}


@dataclass(frozen=True)
class Row:
    """One row of a sheet: the cells by what they hold, and where it stands."""

    cells: Mapping[str, Cell]
    source: str

    def text(self, field: str) -> str:
        """Return a cell as trimmed text; empty where the column or the value is missing."""
        cell = self.cells.get(field)
        return "" if is_blank(cell) else text_of(cell)

    def frame(self, field: str, notes: list[str]) -> int | None:
        """Return a frame number; None, with a note, where the cell holds none."""
        if field not in self.cells:
            return None
        number, wrong = frame_of(self.cells[field])
        if wrong:
            notes.append(f"the {field} {wrong}")
        return number


def rows_by_header(
    sheet: Sheet, names: Names, needed: Sequence[str], given: Mapping[str, str]
) -> tuple[list[Row], dict[str, str]]:
    """Return the rows below the header, blank ones left out, and the columns that were found.

    The header is the first row with all `needed` columns. `given` are the user's own names of
    columns. The columns come as what each holds, and its name in the sheet. Raises InputError
    naming file, sheet and column where one that is needed is missing.
    """
    wanted = {field: [key_of(n) for n in fields] for field, fields in names.items()}
    for field, name in given.items():
        if field not in wanted:
            raise InputError(
                f"A column cannot hold {field!r}.", f"Choose from {', '.join(wanted)}."
            )
        wanted[field] = [key_of(name)]
    best: dict[str, int] = {}
    best_at = 0
    for index, row in enumerate(sheet.rows[:_HEADER_ROWS]):
        found = _match(row, wanted)
        if len(found) > len(best):
            best, best_at = found, index
        if all(field in found for field in [*needed, *given]):
            break
    missing = [field for field in dict.fromkeys([*needed, *given]) if field not in best]
    if missing:
        raise _no_column(sheet, missing[0], wanted, names, given, best_at if best else 0)
    header = sheet.rows[best_at]
    rows = [
        Row({f: _cell(row, c) for f, c in best.items()}, sheet.at(best_at + 1 + offset))
        for offset, row in enumerate(sheet.rows[best_at + 1 :])
        if any(not is_blank(_cell(row, c)) for c in best.values())
    ]
    return rows, {field: text_of(header[column]) for field, column in best.items()}


def rows_by_place(sheet: Sheet, fields: Sequence[str], least: int) -> list[Row]:
    """Return the rows of a sheet without a header, its columns in the order of `fields`.

    Raises InputError where no row has `least` columns.
    """
    widest = max((len(row) for row in sheet.rows), default=0)
    if widest < least:
        raise InputError(
            f"{sheet.name} has {widest} columns; {', '.join(fields)} are expected.",
            "Give the set's own annotation sheet.",
        )
    return [
        Row({f: _cell(row, c) for c, f in enumerate(fields)}, sheet.at(index))
        for index, row in enumerate(sheet.rows)
        if any(not is_blank(cell) for cell in row)
    ]


def _match(row: Sequence[Cell], wanted: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Return the column of each field that a row names, the first of several alike."""
    keys = [key_of(text_of(cell)) if isinstance(cell, str) else "" for cell in row]
    found = {}
    for field, names in wanted.items():
        for name in names:
            if name and name in keys:
                found[field] = keys.index(name)
                break
    return found


def _cell(row: Sequence[Cell], column: int) -> Cell:
    return row[column] if column < len(row) else None


def _no_column(
    sheet: Sheet,
    field: str,
    wanted: Mapping[str, Sequence[str]],
    names: Names,
    given: Mapping[str, str],
    header: int,
) -> InputError:
    there = [text_of(c) for c in sheet.rows[header] if text_of(c)] if sheet.rows else []
    found = ", ".join(there[:16]) if there else "nothing"
    sought = repr(given[field]) if field in given else " or ".join(map(repr, names[field][:3]))
    return InputError(
        f"{sheet.name} has no column {sought} for the {field}; row {header + 1} has: {found}.",
        f"Name it with --column {field}=NAME.",
    )
