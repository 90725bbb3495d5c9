"""Read a source clip frame by frame, so that memory does not grow with its length."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from .images import (
    PICTURE_SUFFIXES,
    decode_samples,
    natural_key,
    read_bytes,
    to_bytes,
    white_of,
)
from .limits import Budget, Limits
from .video import open_video

#: Steps between time stamps that differ by more than this share make a variable frame rate.
_EVEN = 0.1

#: When a picture was taken (seconds), what errors call it, and its pixels.
_Picture = tuple[float, str, NDArray[np.uint8]]


class ClipStream:
    """A clip that is read; iterate once over its frames (H, W, 3) uint8 RGB.

    `fps` is the nominal rate and `expected` how many frames there should be (None: unknown); both
    are known from the start. After the last frame `times` (T,) are seconds from the first, `sha256`
    is the digest of the encoded content, and `notes` tell what was assumed. Raises InputError, at
    the start or at the frame where it shows, for whatever cannot be used: nothing there, not a
    clip, fewer than two frames, frames of different sizes, anything over `limits`.
    """

    def __init__(self, path: Path, fps: Fraction | None, limits: Limits) -> None:
        if fps is not None and not 1 <= fps <= 10_000:
            raise InputError(
                f"A clip of {float(fps):g} frames a second.", "Give 1 to 10000 for --fps."
            )
        if not path.exists():
            raise InputError(
                f"There is no clip at {path}.", "Give a folder of pictures or a video."
            )
        self.notes: list[str] = []
        self._digest = hashlib.sha256()
        self._stamps: list[float] = []
        self._given = fps
        if path.is_dir():
            files = pictures_in(path)
            self.name = path.name
            self.fps = _needed(fps, path)
            self.expected: int | None = len(files)
            self._source: Iterator[_Picture] = self._folder(files, limits)
        else:
            # The content is hashed in pieces before it is decoded: it may be large.
            self._hash(path, limits)
            video = open_video(path, limits.max_pixels)
            self.name = path.stem
            self.fps = fps or video.fps
            self.expected = video.declares
            self.notes += video.notes
            self._source = (
                (seconds, f"frame {index}", frame)
                for index, (seconds, frame) in enumerate(video.pictures)
            )
        self._budget = Budget(str(path), self.fps, limits)
        self._budget.expect(self.expected)

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        for seconds, what, frame in self._source:
            self._budget.take(frame, what)
            self._stamps.append(seconds)
            yield frame
        self._budget.close()
        if self.expected is not None and self.expected > len(self._stamps):
            self.notes.append(f"{len(self._stamps)} of {self.expected} frames could be decoded")
        self.times = self._times()

    @property
    def sha256(self) -> str:
        """The digest of the content; of what was read so far, before the last frame."""
        return self._digest.hexdigest()

    def _times(self) -> NDArray[np.float64]:
        times = np.asarray(self._stamps) - self._stamps[0]
        even = np.arange(len(times)) / float(self.fps)
        steps = np.diff(times)
        if self._given is not None:
            return even
        if np.any(steps <= 0):
            self.notes.append(f"the time stamps do not rise; {self.fps} frames a second are taken")
            return even
        if steps.max() > (1 + _EVEN) * np.median(steps) or steps.min() < (1 - _EVEN) * np.median(
            steps
        ):
            self.notes.append(
                f"the frame rate varies: {1000 * steps.min():.0f} to {1000 * steps.max():.0f} ms "
                "from frame to frame; the time stamps are used"
            )
        return times

    def _hash(self, path: Path, limits: Limits) -> None:
        try:
            if path.stat().st_size > limits.max_file_bytes:
                read_bytes(path, limits.max_file_bytes)
            with path.open("rb") as file:
                while piece := file.read(1 << 20):
                    self._digest.update(piece)
        except OSError as error:
            raise InputError(
                f"{path} cannot be read ({error.strerror}).", "Check the path and its permissions."
            ) from error

    def _folder(self, files: list[Path], limits: Limits) -> Iterator[_Picture]:
        white: int | None = None
        for index, file in enumerate(files):
            data = read_bytes(file, limits.max_file_bytes)
            self._digest.update(len(data).to_bytes(8, "little"))
            self._digest.update(data)
            samples = decode_samples(data, str(file), limits.max_pixels)
            if white is None:
                white = white_of(samples)
                if white == 1023 or white == 4095:
                    self.notes.append(
                        f"the samples are taken for {white.bit_length()} bits in words of 16: "
                        f"none in {file.name} is over {white}"
                    )
            frame = to_bytes(samples, file.name, white)
            yield index / float(self.fps), file.name, np.ascontiguousarray(frame)


def pictures_in(folder: Path) -> list[Path]:
    """Return a folder's pictures in natural order; raises InputError where there are none."""
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
    return files


def pictures_sha256(files: Iterable[Path]) -> str:
    """Return the SHA-256 that reading a folder of these pictures as a clip gives.

    In the order given, each after its length (8 bytes, little-endian).
    """
    digest = hashlib.sha256()
    for file in files:
        data = file.read_bytes()
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()


def _needed(fps: Fraction | None, path: Path) -> Fraction:
    if fps is None:
        raise InputError(
            f"The pictures in {path} do not say how fast they were taken.",
            "Give --fps, for example --fps 200.",
        )
    return fps
