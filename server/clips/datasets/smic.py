"""SMIC (Li, Pfister, Huang, Zhao and Pietikäinen, IEEE FG 2013) in its three variants.

HS at 100 frames a second (164 clips), VIS and NIR (near infrared, grey) at 25 (71 clips each):
`HS/<subject>/micro/<emotion>/<clip>/`, or `<subject>/<clip>/` in the extended release. Columns
Subject, Filename, OnsetF, OffsetF, Emotion; neither apexes nor action units.
"""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

from .build import Layout, read_layout
from .columns import Row
from .folders import Subject, Tail
from .reading import DataSet, Overrides

#: What a clip's name says of its emotion: `s1_ne_01`.
_CODES = {"ne": "negative", "po": "positive", "sur": "surprise", "su": "surprise"}


def read_smic_hs(folder: Path, given: Overrides) -> DataSet:
    """Return the high-speed variant; raises InputError as `read_layout`."""
    return read_layout(_layout("HS", 100, "vis|nir"), folder, given)


def read_smic_vis(folder: Path, given: Overrides) -> DataSet:
    """Return the variant in visible light; raises InputError as `read_layout`."""
    return read_layout(_layout("VIS", 25, "hs|nir"), folder, given)


def read_smic_nir(folder: Path, given: Overrides) -> DataSet:
    """Return the near-infrared variant; raises InputError as `read_layout`."""
    return read_layout(_layout("NIR", 25, "hs|vis"), folder, given)


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
        excluded=other,
        emotion=_emotion,
        lacks=("apex", "action units"),
    )


def _tails(row: Row) -> list[Tail]:
    subject, clip = Subject(row.text("subject")), row.text("clip")
    return [(subject, "micro", "*", clip), (subject, "*", clip), (subject, clip)]


def _emotion(row: Row) -> str:
    if written := row.text("emotion"):
        return written
    code = re.search(r"_([a-z]+)_", row.text("clip").lower())
    return _CODES.get(code[1], "") if code else ""
