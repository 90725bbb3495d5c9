"""CAS(ME)^3 (Li et al., IEEE Trans. Pattern Analysis and Machine Intelligence 45(3), 2023).

30 frames a second, colour and depth: `part_A/.../spNO.1/b/color/175.jpg`, or one folder a clip,
`frame/spNO.10_a_116/`. Part A: Subject, Filename, Onset, Apex, Offset, AU, Objective class, emotion
(in the larger sheet also Expression type); its macro-expressions have a sheet of their own, `MaE`:
sub, seq, onset, apex, offset, emotion. Part C: sub, count, onset, offset, au, emotion; no apex,
units joined by commas; a subject's expressions are all of one recording, `01/a/color/373.jpg`.
Folders differ from the sheet in case; pictures are dropped here and there.
"""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

from .build import read_layout
from .columns import Row
from .folders import Subject, Tail
from .layout import Layout, kind_of
from .reading import DataSet, Overrides


def read_cas_me3(folder: Path, given: Overrides) -> DataSet:
    """Return part A or C, as the sheet is, from a copy in `folder`; raises as `read_layout`."""
    return read_layout(_LAYOUT, folder, given)


def _tails(row: Row) -> list[Tail]:
    name, clip = row.text("subject"), row.text("clip")
    subject, onset = Subject(name), row.text("onset")
    if clip.isdecimal():  # part C counts a subject's expressions
        return [(subject, clip, "color"), (subject, clip), (subject, "*", "color")]
    return [
        (subject, clip, "color"),
        ("frame", f"{name}_{clip}_{onset}"),
        (f"{name}_{clip}_{onset}",),
        (subject, clip),
        (f"{name}_{clip}",),
    ]


def _kind(row: Row) -> str:
    return "macro" if re.search(r"_mae_", row.source, re.I) else kind_of(row)


_LAYOUT = Layout(
    name="CAS(ME)^3",
    fps=Fraction(30),
    sheets=(
        r"part_?a_?me.*label", r"cas\(me\)\^?3.*part.*me", r"cas\(me\)\^?3", r"cas.*me.*3",
        r"label",
    ),
    tails=_tails,
    names={"clip": ("Filename", "count", "seq"), "subject": ("Subject", "sub")},
    kind=_kind,
    # Depth pictures have the colour pictures' names.
    excluded=r"^depth",
)  # fmt: skip
