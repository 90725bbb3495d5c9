"""SAMM (Davison, Lansley, Costen, Tan and Yap, IEEE Trans. Affective Computing 9(1), 2018).

200 frames a second, grey, 159 clips: `006/006_1_2/006_05562.jpg`. The sheet has 13 rows of text
above its header: Subject, Filename, Inducement Code, Onset Frame, Apex Frame, Offset Frame,
Duration, Micro, Action Units, Estimated Emotion, Objective Classes, Notes. Action units have sides
and intensities (`L12B + R14A`) and some are alternatives (`12 or 14`). The long videos that these
were cut from, `006_1/006_1_0001.jpg`, have a sheet of their own, of macro-expressions too, without
emotions.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from .build import read_layout
from .columns import Row
from .folders import Subject, Tail
from .layout import Layout
from .reading import DataSet, Overrides


def read_samm(folder: Path, given: Overrides) -> DataSet:
    """Return the set from a copy in `folder`; raises InputError as `read_layout`."""
    return read_layout(_LAYOUT, folder, given)


def _tails(row: Row) -> list[Tail]:
    clip = row.text("clip")
    return [(Subject(row.text("subject")), clip), (clip.rpartition("_")[0],)]


def _doubts(row: Row) -> list[str]:
    onset, offset, said = (row.cells.get(name) for name in ("onset", "offset", "duration"))
    if not all(isinstance(cell, int | float) for cell in (onset, offset, said)):
        return []
    frames = int(offset) - int(onset) + 1  # type: ignore[arg-type]
    if frames == int(said):  # type: ignore[arg-type]
        return []
    return [f"the duration {said} is not the {frames} frames from onset to offset"]


_LAYOUT = Layout(
    name="SAMM",
    fps=Fraction(200),
    sheets=(r"samm.*micro.*facs", r"samm(?!.*long)", r"facs", r"samm.*long"),
    tails=_tails,
    needed=("subject", "clip", "onset", "offset", "units"),
    names={"duration": ("Duration",), "notes": ("Notes",)},
    doubts=_doubts,
)
