"""What an annotated source clip is, whichever data set or library it comes from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

Side = Literal["both", "left", "right", "asymmetric", "unilateral", "upper", "lower"]
Valence = Literal["positive", "negative", "surprise", "other"]

#: The data set that rendered and generated clips belong to; nobody has to agree to those.
SYNTHETIC = "synthetic"

#: What FACS puts before a unit's number (Ekman, Friesen and Hager 2002): left, right, asymmetrical
#: (both sides, unequally), unilateral (a side that is not told), top and bottom.
SIDES: dict[str, Side] = {
    "L": "left",
    "R": "right",
    "A": "asymmetric",
    "U": "unilateral",
    "T": "upper",
    "B": "lower",
}


@dataclass(frozen=True)
class ActionUnit:
    """One action unit of FACS as a coder wrote it.

    `number` is FACS's (1, 2, 4, ... 46), `order` its place in what the coder wrote (0 first),
    `sure` False where the coder doubted it, gave it as one of several, or it could be read in
    several ways. `intensity` is FACS's letter `A` (trace) to `E` (maximum) where one is given.
    """

    number: int
    side: Side = "both"
    order: int = 0
    sure: bool = True
    intensity: str | None = None

    def __str__(self) -> str:
        prefix = next((p for p, side in SIDES.items() if side == self.side), "")
        return f"{prefix}{self.number}{self.intensity or ''}{'' if self.sure else '?'}"


def are_asymmetric(units: Iterable[ActionUnit]) -> bool:
    """Return whether one of some units moves one side only, or the sides unequally."""
    return any(u.side in ("left", "right", "asymmetric", "unilateral") for u in units)


def seconds_between(onset: int | None, offset: int | None, fps: Fraction) -> float | None:
    """Return the time between two frames, or None where either is not known."""
    return None if onset is None or offset is None else float((offset - onset) / fps)


@dataclass(frozen=True)
class ClipRecord:
    """One annotated clip.

    `path` is its folder or its video file; `frames` its pictures in natural order (empty where
    they are missing from the copy), None for a video. `fps` is frames per second. `onset`, `apex`
    and `offset` count frames from 0: they are indexes into `frames`, or into the video's; None
    where they are not annotated or not usable. `numbers` are the same three as the sheet has them.
    `emotion` is the data set's own word. `kind` is `micro`, `macro` or whatever the set calls it.
    `notes` tell, a sentence each, what was assumed and which defects were found. `source` says
    where the annotation stands, like `coding.xlsx, row 7`. `face` is where (x, y) the face is that
    is meant of several, in pixels of the frame at rest (the onset, else the first); None for the
    largest.
    """

    subject: str
    clip: str
    path: Path
    frames: tuple[Path, ...] | None
    fps: Fraction
    onset: int | None
    apex: int | None
    offset: int | None
    units: tuple[ActionUnit, ...]
    emotion: str | None
    valence: Valence | None
    data_set: str
    notes: tuple[str, ...] = ()
    numbers: tuple[int | None, int | None, int | None] = (None, None, None)
    kind: str = "micro"
    source: str = ""
    face: tuple[float, float] | None = None

    @property
    def is_there(self) -> bool:
        """Whether the copy holds its pictures or its video."""
        return self.path.is_file() if self.frames is None else bool(self.frames)

    @property
    def seconds(self) -> float | None:
        """Time from onset to offset, or None where either is not known."""
        return seconds_between(self.onset, self.offset, self.fps)

    @property
    def is_asymmetric(self) -> bool:
        """Whether a unit moves one side only, or the sides unequally."""
        return are_asymmetric(self.units)
