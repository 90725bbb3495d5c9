"""Read one picture file, after its header said that it is small enough to be decoded; write one."""

from __future__ import annotations

import os
import re
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from .exr import display_referred, exr_size, is_exr

#: File name endings of pictures that can be read.
PICTURE_SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".pgm", ".ppm", ".exr",
)  # fmt: skip
#: Pictures larger than this are refused by their header, before anything is decoded.
MAX_PICTURE_PIXELS = 16_000_000


def natural_key(path: Path) -> list[tuple[int, int, str]]:
    """Return the sort key that puts `img2.png` before `img10.png`."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [(1, int(part), "") if part.isdigit() else (0, 0, part) for part in parts]


def picture_size(data: bytes, name: str) -> tuple[int, int]:
    """Return (width, height) in pixels from a picture's header, without decoding it.

    Raises InputError where the bytes are no picture.
    """
    from PIL import Image, UnidentifiedImageError

    if is_exr(data):
        return exr_size(data, name)
    try:
        with Image.open(BytesIO(data)) as header:
            return header.size
    except Image.DecompressionBombError as error:
        raise InputError(
            f"{name} is far too large for a face picture ({error}).",
            f"Scale it below {MAX_PICTURE_PIXELS // 1_000_000} megapixels.",
        ) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise InputError(
            f"{name} is not a picture that can be read.", "Save it again as PNG or JPEG."
        ) from error


def white_of(picture: NDArray[np.generic]) -> int:
    """Return the sample that means white: a word of 16 bits may hold only 10 or 12.

    A camera's 12 bits fill a sixteenth of the word; so dark a picture of 16 bits shows no face.
    """
    if picture.dtype != np.uint16:
        return 255
    highest = int(np.asarray(picture).max(initial=0))
    if not highest:
        return 65535
    return next(white for white in (1023, 4095, 65535) if highest <= white)


def to_bytes(
    picture: NDArray[np.generic], name: str, white: int | None = None
) -> NDArray[np.uint8]:
    """Return decoded samples of any depth as uint8 over their full range.

    `white` is the sample of 16-bit pictures that becomes 255, 65535 if None.
    """
    if picture.dtype == np.uint8:
        return np.asarray(picture, dtype=np.uint8)
    if picture.dtype == np.uint16:
        top = 65535 if white is None or white <= 255 else white
        scaled = (picture.astype(np.uint32) * 255 + top // 2) // top
        return np.minimum(scaled, 255).astype(np.uint8)
    if picture.dtype in (np.float32, np.float64):
        return (np.clip(picture.astype(np.float32), 0, 1) * 255 + 0.5).astype(np.uint8)
    raise InputError(f"{name} holds samples of type {picture.dtype}.", "Save it as 8 or 16 bit.")


def decode_samples(
    data: bytes, name: str, max_pixels: int = MAX_PICTURE_PIXELS
) -> NDArray[np.generic]:
    """Return a picture (H, W, 3) RGB from its encoded bytes, its samples as deep as they are.

    Grey becomes three equal parts. An OpenEXR picture, which is linear, comes as float32 in sRGB's
    transfer, 0..1. `name` is what an error calls it. Raises InputError where the header tells of
    more than `max_pixels`, or where the bytes cannot be decoded.
    """
    # OpenCV looks at this when it first meets such a file; its decoder is off otherwise.
    os.environ["OPENCV_IO_ENABLE_OPENEXR"] = "1"
    import cv2

    width, height = picture_size(data, name)
    if width * height > max_pixels:
        raise InputError(
            f"{name} is {width} x {height} pixels, over the limit of "
            f"{max_pixels / 1e6:.0f} megapixels.",
            "Scale it down.",
        )
    cv2.setLogLevel(0)  # what is wrong is told below
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH
    try:
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        decoded = None
    if decoded is None:
        raise InputError(
            f"{name} cannot be decoded; it is damaged, or of a kind that is not read here.",
            "Save it again as PNG.",
        )
    if is_exr(data):
        decoded = display_referred(np.asarray(decoded, np.float32))
    return np.asarray(decoded)[..., ::-1]


def decode_picture(
    data: bytes, name: str, max_pixels: int = MAX_PICTURE_PIXELS
) -> NDArray[np.uint8]:
    """Return a picture (H, W, 3) uint8 RGB from its encoded bytes; raises as `decode_samples`."""
    samples = decode_samples(data, name, max_pixels)
    return np.ascontiguousarray(to_bytes(samples, name))


def read_bytes(path: Path, max_bytes: int) -> bytes:
    """Return a file's bytes; raises InputError where it is missing, unreadable or too large."""
    try:
        size = path.stat().st_size
        if size > max_bytes:
            raise InputError(
                f"{path} has {size / 1e6:.0f} MB, over the limit of {max_bytes / 1e6:.0f} MB.",
                "Shorten it or scale it down.",
            )
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path} cannot be read ({error.strerror}).", "Check the path and its permissions."
        ) from error


def read_picture(path: Path, max_pixels: int = MAX_PICTURE_PIXELS) -> NDArray[np.uint8]:
    """Return the picture in a file as (H, W, 3) uint8 RGB; raises InputError with a remedy."""
    return decode_picture(read_bytes(path, 256_000_000), str(path), max_pixels)


def as_png(picture: NDArray[np.uint8]) -> bytes:
    """Return a picture (H, W, 3) uint8 RGB as a PNG file's bytes, every level as it is."""
    from PIL import Image

    buffer = BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


def write_png(path: Path, picture: NDArray[np.uint8]) -> None:
    """Write a picture (H, W, 3) uint8 as a PNG file, deflated quickly.

    Raises OSError where it cannot be written; OpenCV's own writing would only say that on the
    terminal.
    """
    import cv2

    flags = [cv2.IMWRITE_PNG_COMPRESSION, 1]
    _, data = cv2.imencode(".png", np.ascontiguousarray(picture[..., ::-1]), flags)
    path.write_bytes(data.data)
