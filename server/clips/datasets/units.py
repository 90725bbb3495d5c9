"""Read what coders wrote of action units: `4+L10`, `AU12B`, `?4`, `12 or 14`, `R1 / 2`."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace

from ..records import SIDES, ActionUnit
from .sheet import Cell

#: FACS's action units and descriptors (Ekman, Friesen and Hager 2002).
KNOWN = frozenset({*range(1, 3), *range(4, 8), *range(9, 47), *range(50, 73), 80, 81, 82, 84, 85})

_UNIT = re.compile(
    r"(?P<before>\?*)\s*(?:(?<![a-z])(?P<first>[LRATBU])\s*(?:AU\s*)?|AU\s*(?P<second>[LRATB])?\s*)?"
    r"(?P<number>\d+)(?:\.0+(?!\d))?\s*(?P<intensity>[A-E](?![A-Z]))?\s*(?P<mark>\([A-Z]\))?"
    r"\s*(?P<after>\?*)",
    re.I,
)
#: What joins units: `+`, commas and the like. `/` and `or` join those of which one is meant.
_JOINS = re.compile(r"[\s+,;&，、＋]+|\band\b", re.I)
_ALTERNATIVES = re.compile(r"\s*(?:/|\bor\b)\s*", re.I)


def parse_units(cell: Cell) -> tuple[tuple[ActionUnit, ...], tuple[str, ...]]:
    """Return the action units of a cell in the order written, and notes on what was doubtful.

    A unit is not `sure` where it has a question mark or a bracketed mark, is one of several
    alternatives, or is unknown to FACS. Whatever cannot be read is named in a note.
    """
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    if isinstance(cell, datetime.date | datetime.time | datetime.timedelta):
        return (), (f"a spreadsheet has made the date {cell} of the action units",)
    text = "" if cell is None or cell != cell else str(cell).strip()
    if text.lower() in ("", "/", "-", "--", "nan", "n/a", "na", "none", "null", "0"):
        return (), ()
    # A joint is what stands between two units; `4/7` are alternatives, a `/` at an end is none.
    units: list[ActionUnit] = []
    notes: list[str] = []
    position = 0
    for found in _UNIT.finditer(text):
        between = text[position : found.start()]
        is_alternative = bool(units) and bool(_ALTERNATIVES.search(between))
        _note_rest(between, notes)
        position = found.end()
        if is_alternative:
            units[-1] = replace(units[-1], sure=False)
            notes.append(f"the units {text!r} are alternatives; none of them is sure")
        unit, doubts = _unit(found, len(units), is_alternative)
        notes += doubts
        if unit is not None:
            units.append(unit)
    _note_rest(text[position:], notes)
    if not units and not notes:
        notes.append(f"no action unit can be read from {text!r}")
    return tuple(units), tuple(dict.fromkeys(notes))


def _unit(
    found: re.Match[str], order: int, is_alternative: bool
) -> tuple[ActionUnit | None, list[str]]:
    notes = []
    written = found[0].strip()
    if len(found["number"]) > 2:
        return None, [f"{written!r} is no action unit"]
    number = int(found["number"])
    doubted = bool(found["before"] or found["after"])
    if number not in KNOWN:
        notes.append(f"{written!r} is no action unit of FACS")
    if found["mark"]:
        notes.append(f"the mark {found['mark']} of {written!r} is taken for a doubt")
    if doubted:
        notes.append(f"{written!r} is doubted by its coder")
    letter = (found["first"] or found["second"] or "").upper()
    intensity = found["intensity"].upper() if found["intensity"] else None
    sure = number in KNOWN and not (found["mark"] or doubted or is_alternative)
    side = SIDES[letter] if letter else "both"
    return ActionUnit(number, side, order, sure, intensity), notes


def _note_rest(text: str, notes: list[str]) -> None:
    rest = _ALTERNATIVES.sub(" ", _JOINS.sub(" ", text)).replace("?", " ").strip()
    if rest:
        notes.append(f"{rest!r} among the action units cannot be read")
