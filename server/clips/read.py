"""Read a source clip: a folder of numbered pictures, or a video file."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from .clip import Clip
from .images import MAX_PICTURE_PIXELS, PICTURE_SUFFIXES, decode_picture, natural_key, read_bytes

#: File name endings of videos that can be read.
VIDEO_SUFFIXES = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".gif", ".mpg", ".wmv")


@dataclass(frozen=True)
class Limits:
    """What a clip may cost; anything beyond is refused with one line."""

    max_frames: int = 2000
    max_seconds: float = 60.0
    max_file_bytes: int = 1_000_000_000
    max_pixels: int = MAX_PICTURE_PIXELS
    max_decoded_bytes: int = 1_500_000_000
    min_side_pixels: int = 48


def read_clip(path: Path | str, fps: Fraction | None = None, limits: Limits | None = None) -> Clip:
    """Return the clip in a folder of pictures or in a video file.

    A folder's pictures are taken in natural order (`2.png` before `10.png`) and need `fps`. A
    video brings its own time stamps; `fps` overrides them. Grey and 16-bit sources become 8-bit
    RGB. Raises InputError, with a remedy, for whatever cannot be used: nothing there, not a clip,
    fewer than two frames, frames of different sizes, anything over `limits`.
    """
    path = Path(path)
    limits = limits or Limits()
    if fps is not None and not 1 <= fps <= 10_000:
        raise InputError(f"A clip of {float(fps):g} frames a second.", "Give 1 to 10000 for --fps.")
    if path.is_dir():
        return _read_folder(path, fps, limits)
    if not path.exists():
        raise InputError(f"There is no clip at {path}.", "Give a folder of pictures or a video.")
    return _read_video(path, fps, limits)


def _read_folder(folder: Path, fps: Fraction | None, limits: Limits) -> Clip:
    files = sorted(
        (
            file
            for file in folder.iterdir()
            if file.suffix.lower() in PICTURE_SUFFIXES and not file.name.startswith(".")
        ),
        key=natural_key,
    )
    if not files:
        raise InputError(
            f"The folder {folder} holds no pictures.", "Give one with PNG, JPEG or TIFF frames."
        )
    if fps is None:
        raise InputError(
            f"The pictures in {folder} do not say how fast they were taken.",
            "Give --fps, for example --fps 200.",
        )
    digest = hashlib.sha256()
    budget = _Budget(str(folder), fps, limits)
    frames: list[NDArray[np.uint8]] = []
    for file in files:
        data = read_bytes(file, limits.max_file_bytes)
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
        frame = decode_picture(data, str(file), limits.max_pixels)
        budget.take(frame, file.name)
        frames.append(frame)
    budget.close()
    times = np.arange(len(frames)) / float(fps)
    return Clip(frames, times, fps, folder.name, digest.hexdigest())


def _read_video(path: Path, fps: Fraction | None, limits: Limits) -> Clip:
    digest = hashlib.sha256(read_bytes(path, limits.max_file_bytes)).hexdigest()
    rate, pictures = _open_video(path, limits)
    budget = _Budget(str(path), fps or rate, limits)
    frames: list[NDArray[np.uint8]] = []
    stamps: list[float] = []
    for seconds, frame in pictures:
        budget.take(frame, f"frame {len(frames)}")
        frames.append(frame)
        stamps.append(seconds)
    budget.close()
    times = np.asarray(stamps) - stamps[0]
    if fps is not None or np.any(np.diff(times) <= 0):
        times = np.arange(len(frames)) / float(fps or rate)
    return Clip(frames, times, fps or rate, path.stem, digest)


def _open_video(
    path: Path, limits: Limits
) -> tuple[Fraction, Iterator[tuple[float, NDArray[np.uint8]]]]:
    # A video may name other files and addresses; it gets to read none but itself.
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "protocol_whitelist;file"
    import cv2

    cv2.setLogLevel(0)
    capture = cv2.VideoCapture(str(path.resolve()), cv2.CAP_FFMPEG)
    width = capture.get(cv2.CAP_PROP_FRAME_WIDTH)
    height = capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
    if not capture.isOpened() or width < 1 or height < 1:
        capture.release()
        raise InputError(
            f"{path} is not a video that can be read.",
            "Give an MP4, MOV, AVI, MKV or GIF file, or a folder of pictures.",
        )
    if width * height > limits.max_pixels:
        capture.release()
        raise InputError(
            f"{path} has frames of {width:.0f} x {height:.0f} pixels, over the limit of "
            f"{limits.max_pixels / 1e6:.0f} megapixels.",
            "Scale it down.",
        )
    nominal = capture.get(cv2.CAP_PROP_FPS)
    if not math.isfinite(nominal) or not 1 <= nominal <= 10_000:
        nominal = 25.0

    def pictures() -> Iterator[tuple[float, NDArray[np.uint8]]]:
        try:
            while True:
                there, frame = capture.read()
                if not there:
                    return
                seconds = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
                yield seconds, np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), dtype=np.uint8)
        finally:
            capture.release()

    return Fraction(nominal).limit_denominator(1001), pictures()


class _Budget:
    """Counts what a clip costs while it is read, and refuses the frame that is too much."""

    def __init__(self, name: str, fps: Fraction, limits: Limits) -> None:
        self.name = name
        self.limits = limits
        self.max_frames = min(limits.max_frames, math.ceil(limits.max_seconds * fps))
        self.frames = 0
        self.size: tuple[int, int] | None = None

    def take(self, frame: NDArray[np.uint8], what: str) -> None:
        """Count one frame; raises InputError where it breaks a limit or differs in size."""
        height, width = frame.shape[:2]
        if self.size is None:
            self.size = (width, height)
            if min(self.size) < self.limits.min_side_pixels:
                raise InputError(
                    f"The frames of {self.name} are only {width} x {height} pixels.",
                    f"Give frames of at least {self.limits.min_side_pixels} pixels a side.",
                )
        elif self.size != (width, height):
            raise InputError(
                f"In {self.name} {what} is {width} x {height} pixels, "
                f"the first frame {self.size[0]} x {self.size[1]}.",
                "Give frames of one size.",
            )
        self.frames += 1
        if self.frames > self.max_frames:
            raise InputError(
                f"{self.name} has more than {self.max_frames} frames.",
                "Cut it to the expression; a micro-expression lasts half a second.",
            )
        if self.frames * frame.nbytes > self.limits.max_decoded_bytes:
            raise InputError(
                f"{self.name} takes more than {self.limits.max_decoded_bytes / 1e9:.1f} GB.",
                "Cut it to the expression or scale it down.",
            )

    def close(self) -> None:
        """Refuse a clip in which nothing can move."""
        if self.frames < 2:
            raise InputError(
                f"{self.name} has {'one frame' if self.frames else 'no frames'}.",
                "Give at least two: a neutral and what follows it.",
            )
