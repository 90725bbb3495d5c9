"""Find a data set's annotation file, and in it the sheet that holds the rows."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any

from ....errors import InputError
from ..images import natural_key
from .columns import USUAL, Row, rows_by_header
from .layout import Layout
from .reading import Overrides
from .sheet import SHEET_SUFFIXES, Sheet, read_sheet, read_sheets


def rows_of_file(
    layout: Layout, path: Path, given: Overrides
) -> tuple[Sheet, list[Row], dict[str, str]]:
    """Return the sheet of a file that has the needed columns, its rows, and the columns.

    Where the user names none, it is the first that has them: it need not come first in the file.
    Raises InputError, about the first sheet, where none has.
    """
    sheets = read_sheets(path) if given.tab is None else [read_sheet(path, given.tab)]
    names = {**USUAL, **layout.names}
    for sheet in sheets:
        with contextlib.suppress(InputError):
            return sheet, *rows_by_header(sheet, names, layout.needed, given.columns)
    return sheets[0], *rows_by_header(sheets[0], names, layout.needed, given.columns)


def _below(folder: Path) -> list[Path]:
    """Return the sheets up to three folders down: the nearest first, and of a folder's the newest.

    Releases are told apart by a date or a version at the name's end, or by `updated`.
    """

    def age(path: Path) -> tuple[bool, Any]:
        return "updat" in path.name.lower(), natural_key(path)

    return [
        path
        for level in ("*", "*/*", "*/*/*")
        for path in sorted(folder.glob(level), key=age, reverse=True)
        if path.suffix.lower() in (*SHEET_SUFFIXES, ".xls")
        and not path.name.startswith((".", "~$"))
        and path.is_file()
    ]


def sheets_of(folder: Path, layout: Layout) -> list[Path]:
    """Return the files below a folder that may be a set's annotation, the best fitting first."""
    files = _below(folder)
    fitting = (p for w in layout.sheets for p in files if re.search(w, p.name, re.I))
    return list(dict.fromkeys(fitting))


def find_sheet(folder: Path, layout: Layout) -> Path:
    """Return the annotation file below a folder: the newest of the nearest of the best name.

    Raises InputError where there is none, naming what was found instead.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.", "Give the folder of your own copy.")
    fitting = sheets_of(folder, layout)
    for path in fitting:
        if path.suffix.lower() != ".xls":
            return path
    if fitting:
        raise InputError(
            f"{fitting[0]} is of Excel's old kind.", "Save it as .xlsx or .csv beside it."
        )
    there = ", ".join(path.name for path in _below(folder)[:6]) or "none"
    raise InputError(
        f"{folder} has no sheet named like {layout.name}'s annotation (sheets there: {there}).",
        "Name it with --sheet.",
    )
