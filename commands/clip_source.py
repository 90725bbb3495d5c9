"""The clip that a command was given: a path, a built-in clip, or one of a library."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError

if TYPE_CHECKING:
    from ..server.clips.clip import Clip
    from ..server.clips.face import Encode
    from ..server.clips.library.entry import Entry
    from ..server.clips.measure import Measured
    from ..server.protocol.faces import FaceChoice
    from .progress import ProgressReport


@dataclass(frozen=True)
class Source:
    """A clip that was opened, its `entry` where it is of a library, the face that was asked for if
    one was, and the clip of the same person at `rest` where there is one."""

    clip: Clip
    entry: Entry | None
    face: FaceChoice | None
    rest: Clip | None

    @property
    def onset(self) -> int | None:
        """The frame at rest that is coded for it, if any."""
        return None if self.entry is None else self.entry.onset

    def near(self, encode: Encode) -> tuple[float, float] | None:
        """Return where (x, y) in pixels the face that is meant is, None for the largest.

        It is the one that was asked for, else the one that the library keeps with the clip.
        """
        from ..server.clips.choose import face_place

        if self.face is None:
            return None if self.entry is None else self.entry.face
        return face_place(self.clip, self.face, encode, self.onset)


def add_source_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what names a clip."""
    parser.add_argument(
        "clip", metavar="CLIP", help="video, folder of frames, builtin:NAME, or a library's id"
    )
    parser.add_argument(
        "--fps", metavar="FPS", help="frame rate, a number or a ratio; needed for a folder"
    )
    parser.add_argument(
        "--library", type=Path, metavar="DIR", help="the library that CLIP is the id of a clip in"
    )
    add_face_argument(parser)
    add_neutral_argument(parser)


def add_face_argument(parser: argparse.ArgumentParser) -> None:
    """Add what chooses among several faces."""
    parser.add_argument(
        "--face",
        metavar="WHICH",
        help="of several faces: largest (default, if the library keeps no other with the clip), "
        "left or right in the picture, a number from its left (1 first), or a place X,Y in pixels",
    )


def chosen_face(arguments: argparse.Namespace) -> FaceChoice | None:
    """Return the face that was asked for, None where none was; raises InputError."""
    from ..server.protocol.faces import parse_face

    return None if arguments.face is None else parse_face(arguments.face)


def add_neutral_argument(parser: argparse.ArgumentParser) -> None:
    """Add what names another clip in which the face rests."""
    parser.add_argument(
        "--neutral",
        type=Path,
        metavar="PATH",
        help="picture, video or folder of the same person at rest, for a clip that never rests",
    )


@contextmanager
def opened(arguments: argparse.Namespace, report: ProgressReport) -> Iterator[Source]:
    """Give the clip that the arguments name, decoded in the sandbox.

    Long recordings stay on the disk. Raises InputError where it cannot be used.
    """
    from ..server.clips.builtin import builtin_clip, is_builtin
    from ..server.clips.library.library import ClipLibrary
    from ..server.clips.limits import LONG
    from ..server.sandbox import SandboxLimits, decoded

    fps = rate(arguments.fps)
    face = chosen_face(arguments)
    entry, neutral = None, arguments.neutral
    with ExitStack() as stack:
        if arguments.library is None and is_builtin(arguments.clip):
            clip = builtin_clip(arguments.clip)
        else:
            path = Path(arguments.clip)
            if arguments.library is not None:
                with ClipLibrary(arguments.library) as library:
                    entry = library.one(arguments.clip)
                    path = library.source(entry)
                    neutral = neutral or library.neutral(entry)
                fps = fps or (entry.fps if path.is_dir() else None)
            elif not path.exists():
                raise InputError(
                    f"There is no clip at {path}.", "Give a video or a folder of pictures."
                )
            limits = SandboxLimits(clip=LONG, processor_seconds=900, seconds=900.0)
            tell = partial(report.stage, "decode")
            clip = stack.enter_context(decoded(path, fps, limits, tell))
        rest = stack.enter_context(opened_neutral(neutral, fps))
        yield Source(clip, entry, face, rest)


@contextmanager
def opened_neutral(path: Path | None, fps: Fraction | None) -> Iterator[Clip | None]:
    """Give the clip at `path` that shows a face at rest; a picture is a clip of one frame.

    Gives None for None. Raises InputError where it cannot be used.
    """
    if path is None:
        yield None
        return
    import numpy as np

    from ..server.clips.clip import Clip
    from ..server.clips.images import PICTURE_SUFFIXES, read_picture
    from ..server.sandbox import decoded

    if not path.exists():
        raise InputError(f"There is no neutral at {path}.", "Give a picture, a video or a folder.")
    if path.is_file() and path.suffix.lower() in PICTURE_SUFFIXES:
        yield Clip([read_picture(path)], np.zeros(1), Fraction(1), path.stem, "")
        return
    # A face at rest is the same at any rate.
    with decoded(path, fps or (Fraction(25) if path.is_dir() else None)) as clip:
        yield clip


def measured_source(source: Source, report: ProgressReport) -> Measured:
    """Return how the face of a clip moves, with the weights that ship; say so if it has several."""
    from ..server.clips.choose import told_of_others
    from ..server.clips.measure import measure
    from ..server.engine.runtime import OnnxRuntime

    encode = OnnxRuntime().encode
    tell = partial(report.stage, "measure")
    near = source.near(encode)
    measured = measure(source.clip, encode, tell, onset=source.onset, near=near, rest=source.rest)
    if others := told_of_others(measured.start.face, asked=near is not None):
        report.say(others)
    return measured


def rate(text: str | None) -> Fraction | None:
    """Return a frame rate from a number or a ratio, None for None; raises InputError."""
    if text is None:
        return None
    try:
        fps = Fraction(text)
    except (ValueError, ZeroDivisionError):
        fps = Fraction(0)
    if not 1 <= fps <= 10_000:
        raise InputError(f"A frame rate of {text}.", "Give 1 to 10000, like 200 or 24000/1001.")
    return fps


def rate_text(fps: Fraction | str) -> str:
    """Return a frame rate for people: a whole number, or three digits with the ratio they are of.

    >>> rate_text("24000/1001")
    '23.976 (24000/1001)'
    """
    fps = Fraction(fps)
    return str(fps) if fps.denominator == 1 else f"{float(fps):.3f} ({fps})"
