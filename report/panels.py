"""Side-by-side pictures: the same instants of several sequences, captioned, in one row."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Sequence = npt.NDArray[np.uint8]

CAPTION_PIXELS = 22
GAP_PIXELS = 6
BACKGROUND = (24, 25, 28)


def as_rgb(sequence: Sequence) -> Sequence:
    """Return a (T,H,W) or (T,H,W,3) sequence as (T,H,W,3)."""
    return sequence if sequence.ndim == 4 else np.repeat(sequence[..., None], 3, axis=3)


def amplified_difference(sequence: Sequence, neutral: Sequence, gain: float = 8.0) -> Sequence:
    """Return `128 + gain * (frame - neutral)`, clipped: grey is still, colour is change.

    `sequence` is (T,H,W,3), `neutral` (H,W,3). A micro-expression changes a pixel by a few levels;
    without a gain nobody sees it in a still picture.
    """
    change = sequence.astype(np.float32) - neutral.astype(np.float32)
    return np.clip(128.0 + gain * change, 0, 255).astype(np.uint8)


def side_by_side(panels: Mapping[str, Sequence], height: int = 256) -> list[Image.Image]:
    """Return one captioned row of pictures per instant.

    Every panel holds the same number of instants T as (T,H,W) or (T,H,W,3); each is scaled to
    `height` pixels, its own proportions kept. Raises ValueError when the lengths differ.
    """
    lengths = {len(sequence) for sequence in panels.values()}
    if len(lengths) != 1:
        raise ValueError(f"panels of different lengths: {sorted(lengths)}")
    columns = [
        (caption, [_scaled(frame, height) for frame in as_rgb(sequence)])
        for caption, sequence in panels.items()
    ]
    widths = [frames[0].width for _, frames in columns]
    size = (sum(widths) + GAP_PIXELS * (len(widths) + 1), height + CAPTION_PIXELS + GAP_PIXELS)
    font = ImageFont.load_default(13)
    rows = []
    for instant in range(lengths.pop()):
        row = Image.new("RGB", size, BACKGROUND)
        draw = ImageDraw.Draw(row)
        left = GAP_PIXELS
        for (caption, frames), width in zip(columns, widths, strict=True):
            draw.text((left, 3), caption, fill=(222, 222, 226), font=font)
            row.paste(frames[instant], (left, CAPTION_PIXELS))
            left += width + GAP_PIXELS
        rows.append(row)
    return rows


def animated_webp(rows: list[Image.Image], frames_per_second: float) -> bytes:
    """Return the rows as an endless animated WebP, fine enough to keep sub-pixel motion."""
    buffer = io.BytesIO()
    rows[0].save(
        buffer,
        format="WEBP",
        save_all=True,
        append_images=rows[1:],
        duration=round(1000 / frames_per_second),
        loop=0,
        quality=90,
        method=2,
    )
    return buffer.getvalue()


def write_gif(rows: list[Image.Image], frames_per_second: float, path: Path) -> None:
    """Write the rows as an endless GIF, one palette for all of it so that nothing flickers."""
    palette = rows[len(rows) // 2].quantize(256, dither=Image.Dither.NONE)
    indexed = [row.quantize(palette=palette, dither=Image.Dither.NONE) for row in rows]
    indexed[0].save(
        path,
        save_all=True,
        append_images=indexed[1:],
        duration=round(1000 / frames_per_second),
        loop=0,
    )


def _scaled(frame: Sequence, height: int) -> Image.Image:
    """Return one frame at the wanted height."""
    image = Image.fromarray(np.ascontiguousarray(frame))
    width = max(1, round(image.width * height / image.height))
    return image if image.size == (width, height) else image.resize((width, height))
