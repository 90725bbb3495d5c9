"""Make a record of a coded row: what every reader does alike."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

from ....errors import InputError
from ..records import ClipRecord
from .columns import USUAL, Row, rows_by_header
from .emotions import valence_of
from .folders import Folders, Place, Tail, check_name
from .phases import Numbers, in_order, to_indexes
from .reading import DataSet, Finding, Overrides
from .sheet import SHEET_SUFFIXES, Sheet, read_sheet
from .units import parse_units


@dataclass(frozen=True)
class Layout:
    """What a reader knows of its set.

    `fps` is None where the sheet must tell. `sheets` are regular expressions that the annotation
    file's name is searched with, best first. `tails` gives, for a row, the ends of paths where its
    clip may lie, best first. `needed` are the columns without which nothing can be read; those of
    `names` are added to the usual ones. `lacks` are what this set does not annotate.
    """

    name: str
    fps: Fraction | None
    sheets: Sequence[str]
    tails: Callable[[Row], Sequence[Tail]]
    needed: Sequence[str] = ("subject", "clip", "onset", "offset")
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    lacks: Sequence[str] = ()
    #: Places with a part of their path that this regular expression finds are another variant's.
    excluded: str | None = None
    emotion: Callable[[Row], str] = lambda row: row.text("emotion")
    #: Further notes on a row, each a defect.
    doubts: Callable[[Row], Sequence[str]] = lambda _: ()


def kind_of(row: Row) -> str:
    """Return `micro`, `macro`, or the sheet's own word."""
    word = row.text("kind").lower()
    if "macro" in word:
        return "macro"
    return "micro" if not word or "micro" in word else word


def read_layout(
    layout: Layout,
    folder: Path,
    given: Overrides,
    rows_of: Callable[[Sheet], list[Row]] | None = None,
) -> DataSet:
    """Return a data set of this layout from a copy in `folder`.

    `rows_of` reads the rows of a sheet that has no header. Raises InputError where the folder, its
    sheet or a needed column is missing, or where a row leads out of the folder.
    """
    folders = Folders(folder if given.frames is None else given.frames, layout.excluded)
    sheet = read_sheet(given.sheet or find_sheet(folder, layout), given.tab)
    assumptions = [f"the annotation is {sheet.name}"]
    if rows_of is None:
        names = {**USUAL, **layout.names}
        rows, columns = rows_by_header(sheet, names, layout.needed, given.columns)
        told = ", ".join(f"{held} from {name!r}" for held, name in columns.items())
        assumptions.append(f"its columns: {told}")
    else:
        rows = rows_of(sheet)
    if given.fps is not None:
        assumptions.append(f"{given.fps} frames a second, as told")
    elif any(row.text("fps") for row in rows):
        assumptions.append("each row tells its own frame rate")
    elif layout.fps is not None:
        assumptions.append(f"{layout.fps} frames a second, as {layout.name} is published")
    for what in layout.lacks:
        assumptions.append(f"{layout.name} has no {what}")
    records, findings = [], [
        Finding(str(link.relative_to(folders.root)), "is a link; links are not followed")
        for link in folders.links
    ]  # fmt: skip
    for row in rows:
        missing = [f for f in ("subject", "clip") if f in layout.needed and not row.text(f)]
        if missing:
            findings.append(Finding(row.source, f"the {missing[0]} is missing; no clip is made"))
            continue
        record, defects = _record(layout, row, folders, given)
        records.append(record)
        findings += [Finding(row.source, what) for what in defects]
    findings += _repeated(records)
    if not rows:
        findings.append(Finding(sheet.name, "has no row below its header"))
    return DataSet(layout.name, folder, tuple(records), tuple(assumptions), tuple(findings))


def find_sheet(folder: Path, layout: Layout) -> Path:
    """Return the annotation file below a folder: the nearest of the best fitting name.

    Raises InputError where there is none, naming what was found instead.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.", "Give the folder of your own copy.")
    levels = ("*", "*/*", "*/*/*")
    files = [
        path
        for level in levels
        for path in sorted(folder.glob(level))
        if path.suffix.lower() in (*SHEET_SUFFIXES, ".xls")
        and not path.name.startswith((".", "~$"))
        and path.is_file()
    ]
    fitting = [p for w in layout.sheets for p in files if re.search(w, p.name, re.I)]
    for path in fitting:
        if path.suffix.lower() != ".xls":
            return path
    if fitting:
        raise InputError(
            f"{fitting[0]} is of Excel's old kind.", "Save it as .xlsx or .csv beside it."
        )
    there = ", ".join(path.name for path in files[:6]) or "none"
    raise InputError(
        f"{folder} has no sheet named like {layout.name}'s annotation (sheets there: {there}).",
        "Name it with --sheet.",
    )


def _record(
    layout: Layout, row: Row, folders: Folders, given: Overrides
) -> tuple[ClipRecord, list[str]]:
    """Return a row's record, and the defects among its notes."""
    subject, clip = row.text("subject"), row.text("clip")
    for what, name in (("subject", subject), ("clip", clip), ("emotion", row.text("emotion"))):
        check_name(name, row.source, what)
    defects: list[str] = []
    written: Numbers = (
        row.frame("onset", defects),
        row.frame("apex", defects),
        row.frame("offset", defects),
    )
    numbers = in_order(written, defects)
    place, notes = _place(layout, row, folders)
    fps = given.fps or _row_fps(row, notes) or layout.fps
    if fps is None:
        raise InputError(f"{row.source} tells no frame rate.", "Give it with --fps.")
    frames: tuple[Path, ...] | None = ()
    if place is None:
        defects.append(f"no pictures of {subject} {clip} are in {folders.root}")
        indexes: Numbers = (None, None, None)
    elif place.is_video:
        frames = None
        notes.append("frame 1 of the sheet is taken for the video's first")
        indexes = _in_video(numbers)
    else:
        frames = place.frames
        indexes = to_indexes(numbers, place.index_of, len(frames), defects)
    units, doubts = parse_units(row.cells.get("units"))
    emotion = layout.emotion(row) or None
    defects += layout.doubts(row)
    valence, unknown = valence_of(emotion)
    defects += doubts
    if unknown:
        defects.append(unknown)
    path = folders.root / subject / clip if place is None else place.path
    return ClipRecord(
        subject, clip, path, frames, fps, *indexes, units, emotion, valence, layout.name,
        (*notes, *defects), written, kind_of(row), row.source,
    ), defects  # fmt: skip


def _place(layout: Layout, row: Row, folders: Folders) -> tuple[Place | None, list[str]]:
    tails = [*layout.tails(row)]
    for tail in tails:
        if places := folders.find(tail):
            where = places[0].path.relative_to(folders.root).as_posix()
            several = f"{len(places)} places fit; {where} is taken"
            return places[0], [several] if len(places) > 1 else []
    # A layout of its own: a clip's name that stands for one place only is no guess.
    clip = row.text("clip")
    places = folders.find([clip]) if clip else []
    if len(places) == 1:
        where = places[0].path.relative_to(folders.root).as_posix()
        return places[0], [f"found by the clip's name alone, in {where}"]
    if len(places) > 1:
        return None, [f"{len(places)} folders are named {clip}; none is of this subject"]
    return None, []


def _row_fps(row: Row, notes: list[str]) -> Fraction | None:
    text = row.text("fps")
    if not text:
        return None
    try:
        fps = Fraction(text)
    except (ValueError, ZeroDivisionError):
        fps = Fraction(0)
    if not 1 <= fps <= 10_000:
        notes.append(f"the frame rate {text!r} is not used")
        return None
    return fps


def _in_video(numbers: Numbers) -> Numbers:
    onset, apex, offset = (None if n is None else max(0, n - 1) for n in numbers)
    return onset, apex, offset


def _repeated(records: list[ClipRecord]) -> list[Finding]:
    """Return findings on clips of one subject that are annotated alike more than once."""
    counts = Counter((r.subject, r.clip, r.numbers) for r in records)
    told = set()
    findings = []
    for record in records:
        key = (record.subject, record.clip, record.numbers)
        if counts[key] > 1 and key not in told:
            told.add(key)
            findings.append(
                Finding(record.source, f"{record.subject} {record.clip} is coded more than once")
            )
    return findings
