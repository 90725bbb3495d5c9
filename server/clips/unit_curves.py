"""Curves of action units over time, as people write them: `time, au, side, intensity`.

A CSV with those columns, or JSON: a list of such rows, or `{"curves": [...]}`. Times are seconds;
`side` is `both` (or empty), `left` or `right`, the subject's own; an intensity is 0 to 1 of a full
contraction, or FACS's letter.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError

Side = Literal["both", "left", "right"]

#: What FACS's letters stand for here: shares of a full contraction, trace to maximum. FACS itself
#: gives no numbers.
LETTERS = {"A": 0.1, "B": 0.25, "C": 0.5, "D": 0.75, "E": 1.0}
#: More than this many points are no curve drawn by people or exported from a clip.
MAX_POINTS = 200_000
MAX_SECONDS = 60.0


@dataclass(frozen=True)
class UnitCurve:
    """Intensity 0..1 of one action unit's `side` at rising `seconds` (N,)."""

    number: int
    side: Side
    seconds: NDArray[np.float64]
    intensity: NDArray[np.float64]

    def at(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the intensity at times of any shape.

        Between points by a monotone cubic (Fritsch and Carlson 1980), which never overshoots;
        before the first and after the last point as they are there, and without a kink.
        """
        if len(self.seconds) == 1:
            return np.full(np.shape(times), self.intensity[0])
        from scipy.interpolate import PchipInterpolator

        # What holds before and after is part of the curve: it arrives at rest without a jerk.
        seconds = np.concatenate([[self.seconds[0] - 1], self.seconds, [self.seconds[-1] + 1]])
        clipped = np.clip(times, self.seconds[0], self.seconds[-1])
        found = PchipInterpolator(seconds, np.pad(self.intensity, 1, mode="edge"))(clipped)
        return np.asarray(np.clip(np.round(found, 9), 0, 1), np.float64)


def read_curves(path: Path) -> tuple[UnitCurve, ...]:
    """Return the curves in a CSV or JSON file, by unit and side.

    Raises InputError naming the file and the row for anything that cannot be used.
    """
    try:
        if path.stat().st_size > 64_000_000:
            raise InputError(f"{path} is too large.", "Give the curves alone.")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}).", "Check the path.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text file.", "Give CSV or JSON (UTF-8).") from error
    rows = _json_rows(path, text) if path.suffix.lower() == ".json" else _csv_rows(path, text)
    points: dict[tuple[int, Side], dict[float, float]] = {}
    for number, row in enumerate(rows, 1):
        unit, side, seconds, intensity = _point(f"{path.name}, row {number}", row)
        curve = points.setdefault((unit, side), {})
        if seconds in curve:
            raise InputError(
                f"{path.name}, row {number}: AU{unit} {side} has two intensities at {seconds:g} s.",
                "Leave one.",
            )
        curve[seconds] = intensity
    if not points:
        raise InputError(f"{path} has no rows.", "Give time, au, side and intensity.")
    for unit, side in points:
        if side != "both" and (unit, "both") in points:
            raise InputError(
                f"{path.name} gives AU{unit} on both sides and on the {side} one.", "Give one."
            )
    return tuple(
        UnitCurve(unit, side, np.array(sorted(curve)), np.array([curve[t] for t in sorted(curve)]))
        for (unit, side), curve in sorted(points.items())
    )


def _csv_rows(path: Path, text: str) -> list[Mapping[str, Any]]:
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""))
        names = [(name or "").strip().lower() for name in reader.fieldnames or []]
        if missing := [n for n in ("time", "au", "intensity") if n not in names]:
            raise InputError(
                f"{path} has no column {missing[0]!r}; it has: {', '.join(names) or 'none'}.",
                "Give the columns time, au, side, intensity.",
            )
        reader.fieldnames = names
        rows = [
            row for row in reader if any(isinstance(v, str) and v.strip() for v in row.values())
        ]
    except csv.Error as error:
        raise InputError(f"{path} is damaged ({error}).", "Save it again as CSV.") from error
    return _limited(path, rows)


def _json_rows(path: Path, text: str) -> list[Mapping[str, Any]]:
    try:
        table = json.loads(text)
    except ValueError as error:
        raise InputError(f"{path} is no JSON ({error}).", "Mend it.") from error
    rows = table.get("curves") if isinstance(table, dict) else table
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(
            f"{path} holds no list of points.", "Give rows with time, au, side and intensity."
        )
    return _limited(path, rows)


def _limited(path: Path, rows: list[Any]) -> list[Mapping[str, Any]]:
    if len(rows) > MAX_POINTS:
        raise InputError(f"{path} has more than {MAX_POINTS} rows.", "Thin it out.")
    return rows


def _point(where: str, row: Mapping[str, Any]) -> tuple[int, Side, float, float]:
    written = str(row.get("au") or "").strip().upper().removeprefix("AU")
    side = str(row.get("side") or "").strip().lower() or "both"
    if written[:1] in ("L", "R") and written[1:].isdecimal():
        side, written = {"L": "left", "R": "right"}[written[0]], written[1:]
    if not written.isdecimal() or len(written) > 2:
        raise InputError(
            f"{where}: {row.get('au')!r} is no action unit.", "Give a number, like 12."
        )
    if side not in ("both", "left", "right"):
        raise InputError(f"{where}: the side {side!r}.", "Give both, left or right.")
    seconds = _number(where, "time", row.get("time"))
    if not 0 <= seconds <= MAX_SECONDS:
        raise InputError(f"{where}: the time {seconds:g} s.", f"Give 0 to {MAX_SECONDS:g}.")
    letter = str(row.get("intensity") or "").strip().upper()
    intensity = (
        LETTERS[letter] if letter in LETTERS else _number(where, "intensity", row.get("intensity"))
    )
    if not 0 <= intensity <= 1:
        raise InputError(f"{where}: the intensity {intensity:g}.", "Give 0 to 1, or A to E.")
    return int(written), side, seconds, intensity  # type: ignore[return-value]


def _number(where: str, what: str, cell: Any) -> float:
    try:
        number = float(cell)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{where}: the {what} {cell!r} is no number.", "Mend that row.")
    return number
