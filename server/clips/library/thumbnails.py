"""A strip of small pictures that shows a clip's event at a glance."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: Pictures in a strip, and their height in pixels.
COUNT = 7
HEIGHT = 96


def strip_indexes(
    frames: int, onset: int | None, apex: int | None, offset: int | None, count: int = COUNT
) -> list[int]:
    """Return up to `count` rising indexes: evenly from onset to offset, the apex among them.

    Where onset or offset is not known, the clip's first or last frame stands for it.
    """
    first = 0 if onset is None else min(onset, frames - 1)
    last = frames - 1 if offset is None else min(offset, frames - 1)
    even = np.linspace(first, max(first, last), count).round().astype(int).tolist()
    if apex is not None and first <= apex <= last:
        even[int(np.abs(np.array(even) - apex).argmin())] = apex
    return sorted(set(even))


def strip(
    frames: Sequence[NDArray[np.uint8]], indexes: Sequence[int], height: int = HEIGHT
) -> NDArray[np.uint8]:
    """Return the chosen frames side by side (height, W, 3) uint8, a thin line between them."""
    import cv2

    rows, columns = frames[0].shape[:2]
    width = max(1, round(columns * height / rows))
    parts: list[NDArray[np.uint8]] = []
    for index in indexes:
        if parts:
            parts.append(np.full((height, 2, 3), 24, np.uint8))
        small = cv2.resize(np.asarray(frames[index]), (width, height), interpolation=cv2.INTER_AREA)
        parts.append(np.asarray(small, dtype=np.uint8))
    return np.concatenate(parts, axis=1)


def as_webp(picture: NDArray[np.uint8]) -> bytes:
    """Return a picture (H, W, 3) as a WebP file's bytes."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "WEBP", quality=85, method=2)
    return buffer.getvalue()
