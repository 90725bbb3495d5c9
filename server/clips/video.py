"""Decode a video file picture by picture, with its own time stamps."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from .hdr import NAMES, Shower
from .iso import video_track

if TYPE_CHECKING:
    import cv2

#: File name endings of videos that can be read.
VIDEO_SUFFIXES = (".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v", ".gif", ".mpg", ".wmv")
#: A file that gives fewer frames than this share of those it declares is cut off.
_WHOLE = 0.9


@dataclass(frozen=True)
class Video:
    """An opened video: its nominal `fps`, how many frames it `declares` where its kind of file
    counts them (else None), its pictures (seconds, (H, W, 3) uint8 RGB) to be taken once, and what
    was done to them."""

    fps: Fraction
    declares: int | None
    pictures: Iterator[tuple[float, NDArray[np.uint8]]]
    notes: tuple[str, ...] = ()


def open_video(path: Path, max_pixels: int) -> Video:
    """Return an opened video; film of high dynamic range is shown as sRGB.

    Raises InputError where the file is empty, no video, or has frames of more than `max_pixels`;
    while its pictures are taken, where it ends well before what it declares.
    """
    import cv2

    if not path.stat().st_size:
        raise InputError(f"{path} is empty.", "Copy it again.")
    capture = _opened(path, max_pixels)
    nominal = capture.get(cv2.CAP_PROP_FPS)
    if not math.isfinite(nominal) or not 1 <= nominal <= 10_000:
        nominal = 25.0
    track = video_track(path)
    if track is not None and track.shown:  # a phone that trims a film leaves all frames in it
        declares: int | None = track.shown
    else:
        count = capture.get(cv2.CAP_PROP_FRAME_COUNT)
        declares = int(count) if _counts_frames(path) and 0 < count < 1e9 else None
    pictures = _pictures(capture, path, declares)
    notes: tuple[str, ...] = ()
    if track is not None and track.transfer in NAMES:
        show = Shower(track.transfer)
        pictures = ((seconds, show(picture)) for seconds, picture in pictures)
        notes = (f"high dynamic range ({NAMES[track.transfer]}), shown as sRGB",)
    return Video(Fraction(nominal).limit_denominator(1001), declares, pictures, notes)


def _opened(path: Path, max_pixels: int) -> cv2.VideoCapture:
    """Return OpenCV's reader of a video; raises InputError where it has none, or too large ones."""
    # A video may name other files and addresses; it gets to read none but itself.
    os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = "protocol_whitelist;file"
    import cv2

    cv2.setLogLevel(0)
    capture = cv2.VideoCapture(str(path.resolve()), cv2.CAP_FFMPEG)
    # A phone held upright films lying pictures, and says by how much to turn them.
    capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
    width = capture.get(cv2.CAP_PROP_FRAME_WIDTH)
    height = capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
    if not capture.isOpened() or width < 1 or height < 1:
        capture.release()
        # A kind of video all right, but what tells where its frames lie is not there.
        wrong = "is cut off or damaged" if _counts_frames(path) else "is not a video"
        raise InputError(
            f"{path} {wrong}; it cannot be read.",
            "Give a whole MP4, MOV, AVI, MKV or GIF file, or a folder of pictures.",
        )
    if width * height > max_pixels:
        capture.release()
        raise InputError(
            f"{path} has frames of {width:.0f} x {height:.0f} pixels, over the limit of "
            f"{max_pixels / 1e6:.0f} megapixels.",
            "Scale it down.",
        )
    return capture


def _pictures(
    capture: cv2.VideoCapture, path: Path, declares: int | None
) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """Give a video's pictures with their time stamps; raises InputError where it is cut off."""
    import cv2

    taken = 0
    try:
        while True:
            there, frame = capture.read()
            if not there:
                break
            taken += 1
            seconds = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            yield seconds, np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), dtype=np.uint8)
    finally:
        capture.release()
    if declares is not None and taken < math.floor(_WHOLE * declares):
        raise InputError(
            f"{path} is cut off: {taken} of its {declares} frames can be decoded.",
            "Copy it again, or export the part that plays.",
        )


def _counts_frames(path: Path) -> bool:
    """Whether the file is of a kind that counts its frames; others only tell their duration."""
    with path.open("rb") as file:
        head = file.read(12)
    return head[4:8] == b"ftyp" or (head[:4] == b"RIFF" and head[8:12] == b"AVI ")
