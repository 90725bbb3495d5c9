"""CAS(ME)^3 (Li et al., IEEE Trans. Pattern Analysis and Machine Intelligence 45(3), 2023).

30 frames a second, colour and depth: `part_A/.../spNO.1/b/color/175.jpg`, or one folder a clip,
`frame/spNO.10_a_116/`. Part A: Subject, Filename, Onset, Apex, Offset, AU, Objective class, emotion
(in the larger sheet also Expression type). Part C: sub, count, onset, offset, au, emotion; no apex,
units joined by commas. Folders differ from the sheet in case; pictures are dropped here and there.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from .build import Layout, read_layout
from .columns import Row
from .folders import Subject, Tail
from .reading import DataSet, Overrides


def read_cas_me3(folder: Path, given: Overrides) -> DataSet:
    """Return part A or C, as the sheet is, from a copy in `folder`; raises as `read_layout`."""
    return read_layout(_LAYOUT, folder, given)


def _tails(row: Row) -> list[Tail]:
    name, clip = row.text("subject"), row.text("clip")
    subject, onset = Subject(name), row.text("onset")
    return [
        (subject, clip, "color"),
        ("frame", f"{name}_{clip}_{onset}"),
        (f"{name}_{clip}_{onset}",),
        (subject, clip),
        (f"{name}_{clip}",),
    ]


_LAYOUT = Layout(
    name="CAS(ME)^3",
    fps=Fraction(30),
    sheets=(
        r"part_?a_?me.*label", r"cas\(me\)\^?3.*part.*me", r"cas\(me\)\^?3", r"cas.*me.*3",
        r"label",
    ),
    tails=_tails,
    names={"clip": ("Filename", "count"), "subject": ("Subject", "sub")},
    # Depth pictures have the colour pictures' names.
    excluded=r"^depth",
)  # fmt: skip
