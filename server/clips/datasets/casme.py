"""CASME (Yan, Wu, Liu, Wang and Fu, IEEE FG 2013): 60 frames a second, colour.

`.../sub01/EP01_5/EP01_5-100.jpg`; columns Subject, Filename, OnsetF, ApexF1, ApexF2, OffsetF, AU,
Emotion. File names repeat across subjects. A few clips have two apexes; the first one counts.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from .build import read_layout
from .columns import Row
from .folders import Subject, Tail
from .layout import Layout
from .reading import DataSet, Overrides


def read_casme(folder: Path, given: Overrides) -> DataSet:
    """Return the set from a copy in `folder`; raises InputError as `read_layout`."""
    return read_layout(_LAYOUT, folder, given)


def _tails(row: Row) -> list[Tail]:
    return [(Subject(row.text("subject")), row.text("clip"))]


def _doubts(row: Row) -> list[str]:
    second = row.text("second_apex")
    if second in ("", "0", row.text("apex")):
        return []
    return [f"a second apex, {second}, is left out"]


_LAYOUT = Layout(
    name="CASME",
    fps=Fraction(60),
    sheets=(r"casme(?![ _-]?(2|ii)).*", r"coding", r"section"),
    tails=_tails,
    names={"apex": ("ApexF1", "ApexF", "Apex"), "second_apex": ("ApexF2",)},
    doubts=_doubts,
)
