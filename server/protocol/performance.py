"""What a character is to perform, in one piece: clips, strength, regions, time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from ...errors import InputError
from .content import PICTURE_SUFFIXES, Content, clip_content, is_plain_name, plain_name
from .faces import parse_face
from .failures import ProtocolError
from .limits import STRENGTHS
from .regions import EVEN_MIX, parse_gains, parse_mix
from .requests import ALIGNMENTS, BUILTIN, SPECTACLES
from .timing import parse_fps, parse_timing

Fps = Fraction | float | str | None


@dataclass(frozen=True)
class Performance:
    """What is asked of a generation.

    `clip` is a folder of pictures (then `fps` is needed), a video, or `builtin:NAME`; `strength`
    0.05 to 4 scales its motion. `gains` by region and side of the face, like "brows=2,
    lips.left=0.5"; `timing` like "duration=0.3, apex=0.12" (see `timing.parse_timing`). `rest` says
    where the source's face rests: a frame of the clip, or a picture, video or folder of the same
    person; None: it is found. `second` is another clip, of which there is as much as `mix` says
    (see `regions.parse_mix`), and `align` whether its onset, apex and offset meet those of the
    first ("moments") or its start ("start"). `face` says which of several faces in the clip is
    meant: "largest", "left", "2", "470,160" (see `faces.parse_face`). `spectacles` on the character
    stay "still", or "move" with the face.
    """

    clip: Path | str
    fps: Fps = None
    strength: float = 1.0
    gains: str = ""
    timing: str = ""
    rest: int | Path | str | None = None
    second: Path | str | None = None
    second_fps: Fps = None
    mix: str = EVEN_MIX
    align: str = "moments"
    face: str = "largest"
    spectacles: str = "still"

    def check(self) -> None:
        """Raise InputError for what can be seen to be wrong without a server."""
        if not math.isfinite(self.strength) or not STRENGTHS[0] <= self.strength <= STRENGTHS[1]:
            raise InputError(
                f"A strength of {self.strength:g}.",
                f"Give {STRENGTHS[0]:g} to {STRENGTHS[1]:g}; 1 is as in the clip.",
            )
        if self.align not in ALIGNMENTS:
            raise InputError(
                f"Clips cannot be aligned by '{self.align}'.", f"Give {' or '.join(ALIGNMENTS)}."
            )
        if self.spectacles not in SPECTACLES:
            raise InputError(
                f"Spectacles cannot be '{self.spectacles}'.", f"Give {' or '.join(SPECTACLES)}."
            )
        if isinstance(self.rest, int) and self.rest < 0:
            raise InputError(f"There is no frame {self.rest}.", "Count frames from 0.")
        checked_fps(self.fps)
        checked_fps(self.second_fps)
        parse_gains(self.gains)
        parse_timing(self.timing)
        parse_mix(self.mix)
        parse_face(self.face)

    def sources(self) -> dict[str, Source]:
        """Return the clips and pictures that are asked for, by what they are to `RetargetRequest`.

        Raises InputError where there is nothing to send.
        """
        found = {"clip": source_at(self.clip, self.fps)}
        if self.rest is not None and not isinstance(self.rest, int):
            found["rest"] = source_at(self.rest, self.fps, picture=True)
        if self.second is not None:
            found["second"] = source_at(self.second, self.second_fps)
        return found

    def fields(self) -> dict[str, Any]:
        """Return what `RetargetRequest` says of time, rest, the second clip, the face and what
        the character wears."""
        there = self.second is not None
        return {
            "fps": checked_fps(self.fps),
            "timing": self.timing or None,
            "neutral_frame": self.rest if isinstance(self.rest, int) else None,
            "second_fps": (checked_fps(self.second_fps) or None) if there else None,
            "mix": self.mix if there else None,
            "align": self.align if there else None,
            "face": None if parse_face(self.face).is_largest else self.face,
            "spectacles": None if self.spectacles == "still" else self.spectacles,
        }


@dataclass(frozen=True)
class Source:
    """A clip or picture that is sent; `content` is None for what the server makes itself."""

    kind: str
    name: str
    content: Content | None

    def fields(self, what: str, digests: Iterator[bytes]) -> dict[str, Any]:
        """Return what `RetargetRequest` says of it; takes its digest, if it has one."""
        digest = bytes(32) if self.content is None else next(digests)
        return {what: digest, f"{what}_kind": self.kind, f"{what}_name": self.name}


def source_at(where: Path | str, fps: Fps, *, picture: bool = False) -> Source:
    """Return the source at a path, or one that is built in (`builtin:NAME`).

    A file may be a `picture` too. Raises InputError where there is nothing to send, and for a
    folder without `fps`.
    """
    if str(where).startswith(BUILTIN):
        name = str(where).removeprefix(BUILTIN)
        if not is_plain_name(name):
            raise InputError(f"There is no built-in clip '{name}'.", f"Try {BUILTIN}brow-lower.")
        return Source("builtin", name, None)
    path = Path(where)
    content, kind = clip_content(path)
    if kind == "frames" and fps is None:
        raise InputError(
            f"The pictures in {path} do not say how fast they were taken.",
            "Give --fps, for example --fps 200.",
        )
    if picture and path.suffix.lower() in PICTURE_SUFFIXES:
        kind = "picture"
    return Source(kind, plain_name(path.name or path.resolve().name), content)


def checked_fps(fps: Fps) -> str:
    """Return a frame rate as requests carry it, empty for None; raises InputError for none."""
    if fps is None:
        return ""
    try:
        return str(parse_fps(str(fps)))
    except ProtocolError as fault:
        raise InputError(
            f"{fps} is not a frame rate.", "Give a number or a ratio like 24000/1001."
        ) from fault
