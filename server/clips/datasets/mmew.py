"""MMEW (Ben et al., IEEE Trans. Pattern Analysis and Machine Intelligence 44(9), 2022).

90 frames a second: `Micro_Expression/<emotion>/<clip>/1.jpg`; columns Subject, Filename,
OnsetFrame, ApexFrame, OffsetFrame, Action Units, Estimated Emotion, remarks. Some rows have no
apex, or one behind the offset.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from .build import read_layout
from .columns import Row
from .folders import Tail
from .layout import Layout
from .reading import DataSet, Overrides


def read_mmew(folder: Path, given: Overrides) -> DataSet:
    """Return the set from a copy in `folder`; raises InputError as `read_layout`."""
    return read_layout(_LAYOUT, folder, given)


def _tails(row: Row) -> list[Tail]:
    emotion, clip = row.text("emotion"), row.text("clip")
    below = "Micro_Expression"
    return [(below, emotion, clip), (emotion, clip), (below, "*", clip), (below, clip)]


def _doubts(row: Row) -> list[str]:
    remark = row.text("remarks")
    return [f"the sheet remarks: {remark}"] if remark else []


_LAYOUT = Layout(
    name="MMEW",
    fps=Fraction(90),
    sheets=(r"mmew.*micro", r"mmew"),
    tails=_tails,
    names={"remarks": ("remarks", "remark")},
    excluded=r"^macro",
    doubts=_doubts,
)
