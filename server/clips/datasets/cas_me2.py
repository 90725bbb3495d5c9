"""CAS(ME)^2 (Qu, Wang, Yan, Li, Wu and Fu, IEEE Trans. Affective Computing 9(4), 2018).

30 frames a second, 97 long videos with macro- and micro-expressions:
`rawpic/s15/15_0101disgustingteeth/img001.jpg`. The first sheet has no header: subject, expression
(`disgust1_1`), onset, apex, offset, action units, emotion, type, self-report. Two further sheets
name folders: subject 1 is `s15`, video `disgust1` is `0101`. Offsets and apexes may be 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from ....errors import InputError
from .annotation import find_sheet
from .build import read_layout
from .cells import subject_key, text_of
from .columns import Row, rows_by_place
from .folders import Subject, Tail
from .layout import Layout
from .reading import DataSet, Overrides
from .sheet import Sheet, read_sheets

_FIELDS = ("subject", "clip", "onset", "apex", "offset", "units", "emotion", "kind", "self_report")


def read_cas_me2(folder: Path, given: Overrides) -> DataSet:
    """Return the set from a copy in `folder`; raises InputError as `read_layout`, and where the
    user names a column: this sheet has no names."""
    if given.columns:
        raise InputError("CAS(ME)^2's sheet has no header.", "Leave --column out.")
    path = given.sheet or find_sheet(folder, _LAYOUT)
    sheets = read_sheets(path)
    subjects, videos = _rules(sheets)
    layout = replace(_LAYOUT, tails=_tails(subjects, videos))
    read = read_layout(layout, folder, replace(given, sheet=path), _rows)
    told = "the sheets of naming rules tell the folders"
    if not subjects or not videos:
        told = "there are no sheets of naming rules; subjects and clips are folders' names"
    return replace(read, assumptions=(*read.assumptions, told))


def _rows(sheet: Sheet) -> list[Row]:
    rows = rows_by_place(sheet, _FIELDS, 7)
    # A release with a header after all: its first row holds no frame number.
    first = rows[0] if rows else None
    return rows[1:] if first is not None and first.frame("onset", []) is None else rows


def _rules(sheets: list[Sheet]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the subjects' folders by their numbers, and the videos' codes by their names."""
    subjects: dict[str, str] = {}
    videos: dict[str, str] = {}
    for sheet in sheets:
        rows = [[text_of(cell) for cell in row] for row in sheet.rows]
        name = (sheet.tab or "").replace(" ", "").lower()
        if name.endswith("rule1"):
            subjects |= {subject_key(r[2]): r[0] for r in rows if len(r) > 2 and r[0] and r[2]}
        elif name.endswith("rule2"):
            videos |= {r[1].lower(): r[0].zfill(4) for r in rows if len(r) > 1 and r[0] and r[1]}
    return subjects, videos


def _tails(subjects: dict[str, str], videos: dict[str, str]) -> Callable[[Row], list[Tail]]:
    def tails(row: Row) -> list[Tail]:
        clip = row.text("clip")
        folder = Subject(subjects.get(subject_key(row.text("subject")), row.text("subject")))
        ends: list[Tail] = []
        if code := videos.get(clip.rpartition("_")[0].lower()):
            ends.append((folder, f"{subject_key(folder.name)}_{code}*"))
        return [*ends, (folder, clip), (folder, clip.rpartition("_")[0] or clip)]

    return tails


_LAYOUT = Layout(
    name="CAS(ME)^2",
    fps=Fraction(30),
    sheets=(r"code_?final", r"cas\(me\)\^?2", r"cas.*me.*2"),
    tails=lambda _: [],
)
