"""DFME (Zhao et al., IEEE Trans. Affective Computing 15(3), 2024): 7,526 clips.

500, 300 or 200 frames a second, which each row tells; a folder of pictures or a video a clip;
columns Subject, Filename, OnsetFrame, ApexFrame, OffsetFrame, Emotion, EmotionId, Fps, AU.
"""

from __future__ import annotations

from pathlib import Path

from .build import read_layout
from .columns import Row
from .folders import Subject, Tail
from .layout import Layout
from .reading import DataSet, Overrides


def read_dfme(folder: Path, given: Overrides) -> DataSet:
    """Return the set from a copy in `folder`; raises InputError as `read_layout`, and where
    neither a row nor the user tells the frame rate."""
    return read_layout(_LAYOUT, folder, given)


def _tails(row: Row) -> list[Tail]:
    subject, clip = Subject(row.text("subject")), row.text("clip")
    return [(subject, clip), (subject, "*", clip), (f"{row.text('subject')}_{clip}",)]


_LAYOUT = Layout(
    name="DFME",
    fps=None,
    sheets=(r"dfme", r"annot", r"label", r"train|test"),
    tails=_tails,
)
