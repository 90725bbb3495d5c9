"""A table that places several expressions on a timeline: a row each."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from pathlib import Path

from ...errors import InputError
from ..clips import BUILTIN_PREFIX, clip_label
from .record import Settings
from .retime import Timing
from .time import parse_fps
from .timecode import read_duration, read_moment

#: The columns, and what stands in them. `clip` and `start` must be there.
COLUMNS = {
    "clip": "a video, a folder of frames (from the sheet's own folder on), or builtin:NAME",
    "fps": "of the clip: a number or a ratio",
    "start": "a frame (101), seconds (1.5s) or a timecode (00:00:04:05)",
    "strength": "0 to 4, on the solved weights (default 1)",
    "duration": "of the clip on the timeline: seconds (0.5s) or frames (12f)",
    "onset": "moment from the clip's start, as a duration",
    "apex": "moment from the clip's start, as a duration",
    "offset": "moment from the clip's start, as a duration",
    "hold": "on how many whole frames the apex is shown (default 0)",
    "balance": "-1 (the character's right alone) to 1 (its left alone)",
    "layer": "auto, action or nla",
    "muted": "yes or no",
}
LAYERS = ("auto", "action", "nla")
_TRUE, _FALSE = {"yes", "true", "1", "x"}, {"no", "false", "0", ""}


@dataclass(frozen=True)
class Row:
    """One expression of a sheet.

    `number` of the line in the sheet, the heading being 1. `clip` and `fps` as `api.generate`
    takes them; `settings` and `layer` of its bake.
    """

    number: int
    clip: str
    fps: Fraction | None
    settings: Settings
    layer: str

    @property
    def label(self) -> str:
        """A short name of the clip, for files."""
        return clip_label(self.clip)


def read_sheet(path: Path, scene_fps: Fraction) -> list[Row]:
    """Return the rows of a sheet (CSV with comma, semicolon or tab).

    Empty lines and lines that begin with # are left out. Raises `InputError` naming the line for
    whatever is wrong: no such column, clip or moment, values out of range.
    """
    rows = [_row(number, cells, path, scene_fps) for number, cells in _lines(path)]
    if not rows:
        raise InputError(f"The sheet {path} has no rows.", "Give it a row for each expression.")
    return rows


def _lines(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line number, cells by column)."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(
            f"The sheet {path} cannot be read ({error.strerror}).", "Give a CSV file."
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"The sheet {path} is no CSV text.", "Save it as CSV in UTF-8.") from error
    heading = next((line for line in text.splitlines() if line.strip(" ,;\t")), "")
    separator = max(",;\t", key=heading.count)
    reader = csv.reader(text.splitlines(), delimiter=separator)
    columns: list[str] = []
    for cells in reader:
        cells = [cell.strip() for cell in cells]
        if not any(cells) or cells[0].startswith("#"):
            continue
        if not columns:
            columns = [cell.lower().replace(" ", "_") for cell in cells]
            _check_columns(path, columns)
            continue
        if any(cells[len(columns) :]):
            raise _wrong(
                path,
                reader.line_num,
                f"it has {len(cells)} cells for {len(columns)} columns",
                "Put a clip's name that holds a comma in quotes.",
            )
        yield reader.line_num, dict(zip(columns, cells, strict=False))


def _check_columns(path: Path, columns: list[str]) -> None:
    unknown = [column for column in columns if column and column not in COLUMNS]
    if unknown:
        raise InputError(
            f"The sheet {path} has a column '{unknown[0]}'.", f"Columns are: {', '.join(COLUMNS)}."
        )
    twice = [column for column in columns if column and columns.count(column) > 1]
    if twice:
        raise InputError(f"The sheet {path} has the column '{twice[0]}' twice.", "Remove one.")
    for column in ("clip", "start"):
        if column not in columns:
            raise InputError(
                f"The sheet {path} has no column '{column}'.", "Add it to the heading."
            )


def _row(number: int, cells: Mapping[str, str], path: Path, scene_fps: Fraction) -> Row:
    try:
        clip = _clip(cells.get("clip", ""), path)
        fps = parse_fps(cells["fps"]) if cells.get("fps") else None
        if not cells.get("start"):
            raise InputError("It has no start.", "Give a frame, seconds or a timecode.")
        layer = cells.get("layer", "").lower() or "auto"
        if layer not in LAYERS:
            raise InputError(f"There is no layer '{layer}'.", f"Give one of: {', '.join(LAYERS)}.")
        duration, onset, apex, offset = (
            read_duration(cells[name], scene_fps) if cells.get(name) else None
            for name in ("duration", "onset", "apex", "offset")
        )
        settings = Settings(
            start_frame=read_moment(cells["start"], scene_fps),
            strength=_number(cells, "strength", 1.0),
            balance=_number(cells, "balance", 0.0),
            timing=Timing(duration, onset, apex, offset, _whole(cells, "hold")),
            muted=_truth(cells.get("muted", "")),
        )
    except InputError as error:
        raise _wrong(path, number, error.what, error.remedy) from error
    return Row(number, clip, fps, settings, layer)


def _clip(text: str, path: Path) -> str:
    """Return the clip as `generate` takes it, found from the sheet's folder on."""
    if not text:
        raise InputError("It names no clip.", "Give a video, a folder of frames, or builtin:NAME.")
    clip = text
    if not text.startswith(BUILTIN_PREFIX) and not Path(text).is_absolute():
        beside = path.parent / text
        clip = str(beside) if beside.exists() else text
    clip_label(clip)
    return clip


def _number(cells: Mapping[str, str], name: str, default: float) -> float:
    text = cells.get(name, "")
    try:
        number = float(text) if text else default
    except ValueError as error:
        raise InputError(f"'{text}' is no {name}.", f"It is {COLUMNS[name]}.") from error
    if not isfinite(number):
        raise InputError(f"'{text}' is no {name}.", f"It is {COLUMNS[name]}.")
    return number


def _whole(cells: Mapping[str, str], name: str) -> int:
    number = _number(cells, name, 0.0)
    if number != int(number):
        raise InputError(f"A {name} of {number:g} frames is no whole number.", "Give whole frames.")
    return int(number)


def _truth(text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise InputError(f"'{text}' is neither yes nor no.", "Give yes or no in the column muted.")


def _wrong(path: Path, number: int, what: str, remedy: str) -> InputError:
    return InputError(f"Row {number} of {path.name}: {what[0].lower()}{what[1:]}", remedy)
