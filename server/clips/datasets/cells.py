"""Say what a cell of an annotation sheet holds, whatever a spreadsheet has made of it."""

from __future__ import annotations

import datetime
import re

from .sheet import Cell

#: What coders write where there is nothing to write.
BLANK = {"", "/", "-", "--", "n/a", "na", "nan", "none", "null", "#n/a", "?"}


def text_of(cell: Cell) -> str:
    """Return a cell as text: trimmed, whole numbers without a fraction, empty for no value."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        if cell != cell:
            return ""
        return str(int(cell)) if cell.is_integer() else repr(cell)
    return re.sub(r"\s+", " ", str(cell).replace("\u00a0", " ")).strip()


def is_blank(cell: Cell) -> bool:
    """Whether a cell holds nothing, or one of the signs that coders use for nothing."""
    return text_of(cell).lower() in BLANK


def frame_of(cell: Cell) -> tuple[int | None, str | None]:
    """Return a frame number, and what is wrong with the cell where it holds none.

    Takes numbers, numbers as text, whole floats, and file names that end with a number.
    """
    text = text_of(cell)
    if text.lower() in BLANK:
        return None, f"is {text!r}" if text else "is missing"
    if isinstance(cell, bool | datetime.date | datetime.time | datetime.timedelta):
        return None, f"is {text!r}, no frame number"
    whole = re.fullmatch(r"([+-]?\d{1,9})(?:\.0*)?", text)
    if whole is None:
        whole = re.fullmatch(r"(?:[\w -]*\D)?(\d{1,9})\.(?:jpe?g|png|bmp|tiff?)", text, re.I)
    if whole is None:
        return None, f"is {text!r}, no frame number"
    number = int(whole[1])
    return (number, None) if number >= 0 else (None, f"is {number}, below zero")


def key_of(name: str) -> str:
    """Return a column's name by its letters and digits alone: `Onset Frame ` is `onsetframe`."""
    return re.sub(r"[\W_]+", "", name.lower())


def subject_key(name: str) -> str:
    """Return a subject's name as data sets mean it: `sub01`, `s1`, `01`, `spNO.1` are all `1`."""
    found = re.fullmatch(r"(?:spno\.?|subject|sub|s)?[ _.-]*0*(\d+)", name.strip().lower())
    return found[1] if found else name.strip().lower()
