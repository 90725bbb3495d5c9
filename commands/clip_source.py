"""The clip that a command was given: a path, a built-in clip, or one of a library."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InputError

if TYPE_CHECKING:
    from ..server.clips.clip import Clip
    from ..server.clips.library.entry import Entry
    from ..server.clips.measure import Measured
    from .progress import ProgressReport


@dataclass(frozen=True)
class Source:
    """A clip that was opened, and its entry where it is of a library."""

    clip: Clip
    entry: Entry | None

    @property
    def onset(self) -> int | None:
        """The frame at rest that is coded for it, if any."""
        return None if self.entry is None else self.entry.onset


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
    entry = None
    if arguments.library is None and is_builtin(arguments.clip):
        yield Source(builtin_clip(arguments.clip), None)
        return
    path = Path(arguments.clip)
    if arguments.library is not None:
        with ClipLibrary(arguments.library) as library:
            entry = library.one(arguments.clip)
            path = library.source(entry)
        fps = fps or (entry.fps if path.is_dir() else None)
    elif not path.exists():
        raise InputError(f"There is no clip at {path}.", "Give a video or a folder of pictures.")
    limits = SandboxLimits(clip=LONG, processor_seconds=900, seconds=900.0)
    with decoded(path, fps, limits, lambda share: report.stage("decode", share)) as clip:
        yield Source(clip, entry)


def measured_source(source: Source, report: ProgressReport) -> Measured:
    """Return how the face of a clip moves, with the weights that ship."""
    from ..server.clips.measure import measure
    from ..server.engine.runtime import OnnxRuntime

    tell = partial(report.stage, "measure")
    return measure(source.clip, OnnxRuntime().encode, tell, onset=source.onset)


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
