"""Make a record of a coded row: what every reader does alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from ....errors import InputError
from ..records import ClipRecord
from .annotation import find_sheet, rows_of_file, sheets_of
from .columns import Row
from .emotions import valence_of
from .folders import Folders, Place, check_name
from .layout import Layout
from .phases import Numbers, in_order, to_indexes
from .reading import DataSet, Finding, Overrides
from .sheet import Sheet, read_sheet
from .units import parse_units


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
    folders = folders_of(layout, folder, given)
    path = given.sheet or find_sheet(folder, layout)
    if rows_of is None:
        sheet, rows, columns = rows_of_file(layout, path, given)
        told = ", ".join(f"{held} from {name!r}" for held, name in columns.items())
        assumptions = [f"the annotation is {sheet.name}", f"its columns: {told}"]
    else:
        sheet = read_sheet(path, given.tab)
        rows = rows_of(sheet)
        assumptions = [f"the annotation is {sheet.name}"]
    if given.sheet is None and (others := [p.name for p in sheets_of(folder, layout) if p != path]):
        assumptions.append(f"not read: {', '.join(others[:6])}")
    read = read_rows(layout, folders, given, rows, assumptions)
    if not rows:
        empty = Finding(sheet.name, "has no row below its header")
        read = replace(read, findings=(*read.findings, empty))
    return replace(read, folder=folder)


def folders_of(layout: Layout, folder: Path, given: Overrides) -> Folders:
    """Return where a set's clips may lie; raises InputError where there is no such folder."""
    return Folders(folder if given.frames is None else given.frames, layout.excluded)


def read_rows(
    layout: Layout,
    folders: Folders,
    given: Overrides,
    rows: Sequence[Row],
    assumptions: Sequence[str],
) -> DataSet:
    """Return the data set that these rows code; `assumptions` were made for them already.

    Raises InputError where a row leads out of the folder, or no frame rate is told.
    """
    assumptions = list(assumptions)
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
    for row in [part for whole in rows for part in layout.parted(whole)]:
        missing = [f for f in ("subject", "clip") if f in layout.needed and not row.text(f)]
        if missing:
            findings.append(Finding(row.source, f"the {missing[0]} is missing; no clip is made"))
            continue
        record, defects = _record(layout, row, folders, given)
        records.append(record)
        findings += [Finding(row.source, what) for what in defects]
    findings += _repeated(records)
    return DataSet(layout.name, folders.root, tuple(records), tuple(assumptions), tuple(findings))


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
        (*notes, *defects), written, layout.kind(row), row.source,
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
