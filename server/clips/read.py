"""Read a source clip into memory: a folder of numbered pictures, or a video file."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from .clip import Clip
from .limits import Limits
from .stream import ClipStream


def read_clip(path: Path | str, fps: Fraction | None = None, limits: Limits | None = None) -> Clip:
    """Return the clip in a folder of pictures or in a video file.

    A folder's pictures are taken in natural order (`2.png` before `10.png`) and need `fps`. A
    video brings its own time stamps; `fps` overrides them. Grey, deep and linear float sources
    become 8-bit RGB. Raises InputError, with a remedy, as `ClipStream` does.
    """
    stream = ClipStream(Path(path), fps, limits or Limits())
    frames = list(stream)
    return Clip(
        frames, stream.times, stream.fps, stream.name, stream.sha256, notes=tuple(stream.notes)
    )
