"""CASME II (Yan, Li, Wang, Zhao, Liu, Chen and Fu, PLOS ONE 9(1), 2014): 200 frames a second.

`.../sub01/EP02_01f/img46.jpg`, 640 x 480, 26 subjects, 255 rows; columns Subject, Filename, one
without a name, OnsetFrame, ApexFrame, OffsetFrame, one without a name, Action Units, Estimated
Emotion. File names repeat across subjects; some apexes are `/`; one offset lies before its apex.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from .build import read_layout
from .columns import Row
from .folders import Subject, Tail
from .generated import as_generated
from .layout import Layout
from .reading import DataSet, Overrides


def read_casme2(folder: Path, given: Overrides) -> DataSet:
    """Return the set from a copy in `folder`; raises InputError as `read_layout`.

    What `microface augment` wrote in this layout comes back as synthetic.
    """
    return as_generated(read_layout(_LAYOUT, folder, given))


def _tails(row: Row) -> list[Tail]:
    return [(Subject(row.text("subject")), row.text("clip"))]


_LAYOUT = Layout(
    name="CASME II",
    fps=Fraction(200),
    # Beside its annotation lies one of objective classes alone.
    sheets=(
        r"casme[ _-]?(2|ii).*coding", r"casme[ _-]?(2|ii)(?!.*objective)", r"coding", r"label",
    ),
    tails=_tails,
)  # fmt: skip
