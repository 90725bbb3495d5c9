"""4DME (Li et al., IEEE Trans. Affective Computing 14(4), 2023): its grey pictures.

60 frames a second: `gray_micro/<sub>/<fold>/`; columns sub_ID, fold_name, Onset, Apex, Offset, AUs,
Emotion and five columns of 0 and 1: Positive, Negative, Surprise, Repression, Others. An action
unit with `(k)` is marked by its coder and not taken for sure.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from .build import read_layout
from .columns import Row
from .folders import Subject, Tail
from .layout import Layout
from .reading import DataSet, Overrides

_CLASSES = ("Positive", "Negative", "Surprise", "Repression", "Others")


def read_fourdme(folder: Path, given: Overrides) -> DataSet:
    """Return the set from a copy in `folder`; raises InputError as `read_layout`."""
    return read_layout(_LAYOUT, folder, given)


def _tails(row: Row) -> list[Tail]:
    subject, clip = Subject(row.text("subject")), row.text("clip")
    return [("gray_micro", subject, clip), (subject, clip)]


def _emotion(row: Row) -> str:
    return row.text("emotion") or " and ".join(_chosen(row))


def _doubts(row: Row) -> list[str]:
    chosen = _chosen(row)
    return [f"is of several classes: {', '.join(chosen)}"] if len(chosen) > 1 else []


def _chosen(row: Row) -> list[str]:
    return [name for name in _CLASSES if row.text(name.lower()) in ("1", "True")]


_LAYOUT = Layout(
    name="4DME",
    fps=Fraction(60),
    sheets=(r"4dme.*micro", r"4d.*label", r"micro.*macro.*label", r"4dme"),
    tails=_tails,
    names={name.lower(): (name,) for name in _CLASSES},
    emotion=_emotion,
    doubts=_doubts,
)
