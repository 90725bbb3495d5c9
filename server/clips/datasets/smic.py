"""SMIC (Li, Pfister, Huang, Zhao and Pietikäinen, IEEE FG 2013) in its three variants.

HS at 100 frames a second (164 clips), VIS and NIR (near infrared, grey) at 25 (71 clips each):
`HS/<subject>/micro/<emotion>/<clip>/`, or `<subject>/<clip>/` in the extended release. Columns
Subject, Filename, OnsetF, OffsetF, Emotion; neither apexes nor action units. In the extended
release a clip may hold up to three expressions (Onset2F, Offset2F, Onset3F, Offset3F). The first
one has no sheet at all: its folders tell subject and emotion, and a clip is an expression.
"""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from .annotation import find_sheet, sheets_of
from .build import folders_of, read_layout, read_rows
from .cells import subject_key
from .columns import Row
from .folders import Subject, Tail
from .layout import Layout
from .reading import DataSet, Overrides

#: What a clip's name says of its emotion: `s1_ne_01`.
_CODES = {"ne": "negative", "po": "positive", "sur": "surprise", "su": "surprise"}
#: Which further expressions a row may code.
_FURTHER = ("2", "3")


def read_smic_hs(folder: Path, given: Overrides) -> DataSet:
    """Return the high-speed variant; raises InputError as `read_layout`."""
    return _read(_layout("HS", 100, "vis|nir"), folder, given)


def read_smic_vis(folder: Path, given: Overrides) -> DataSet:
    """Return the variant in visible light; raises InputError as `read_layout`."""
    return _read(_layout("VIS", 25, "hs|nir"), folder, given)


def read_smic_nir(folder: Path, given: Overrides) -> DataSet:
    """Return the near-infrared variant; raises InputError as `read_layout`."""
    return _read(_layout("NIR", 25, "hs|vis"), folder, given)


def _read(layout: Layout, folder: Path, given: Overrides) -> DataSet:
    if given.sheet is not None or not folder.is_dir() or sheets_of(folder, layout):
        return read_layout(layout, folder, given)
    folders = folders_of(layout, folder, given)
    rows: dict[tuple[str, str], Row] = {}
    for place in folders.find(("micro", "*", "*")):
        if len(place.parts) < 4 or place.is_video:
            continue
        subject, _, emotion, clip = place.parts[-4:]
        numbers = sorted(place.index_of)
        first, last = (numbers[0], numbers[-1]) if numbers else (None, None)
        cells = {
            "subject": subject, "clip": clip, "emotion": emotion, "onset": first, "offset": last,
        }  # fmt: skip
        source = place.path.relative_to(folders.root).as_posix()
        rows.setdefault((subject_key(subject), clip), Row(cells, source))
    if not rows:
        find_sheet(folder, layout)  # tells what is there instead
    assumed = "there is no sheet: folders tell subject and emotion, clips run from onset to offset"
    read = read_rows(layout, folders, given, list(rows.values()), [assumed])
    return replace(read, folder=folder)


def _layout(variant: str, fps: int, others: str) -> Layout:
    other = rf"(?<![a-z])(?:{others})(?![a-z])"
    return Layout(
        name=f"SMIC {variant}",
        fps=Fraction(fps),
        sheets=(
            rf"(?<![a-z]){variant}(?![a-z]).*annot",
            rf"smic.*{variant}",
            rf"^(?!.*{other}).*smic",
        ),
        tails=_tails,
        names={f"{name}{n}": (f"{name}{n}F",) for n in _FURTHER for name in ("onset", "offset")},
        excluded=other,
        emotion=_emotion,
        parted=_parted,
        lacks=("apex", "action units"),
    )


def _parted(row: Row) -> list[Row]:
    """Return a row for each expression that a row codes."""
    further = [n for n in _FURTHER if row.text(f"onset{n}")]
    return [row] + [
        replace(row, cells={**row.cells, **{k: row.cells.get(k + n) for k in ("onset", "offset")}})
        for n in further
    ]


def _tails(row: Row) -> list[Tail]:
    subject, clip = Subject(row.text("subject")), row.text("clip")
    return [(subject, "micro", "*", clip), (subject, "*", clip), (subject, clip)]


def _emotion(row: Row) -> str:
    if written := row.text("emotion"):
        return written
    code = re.search(r"_([a-z]+)_", row.text("clip").lower())
    return _CODES.get(code[1], "") if code else ""
