"""A flipbook: every frame of a sequence in one picture, with a description that engines read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ..images import write_png

#: Largest picture side that every engine loads.
LARGEST = 8192


@dataclass(frozen=True)
class Flipbook:
    """A written flipbook: `picture` and `sidecar` paths, and its layout."""

    picture: Path
    sidecar: Path
    columns: int
    rows: int
    count: int
    tile_width: int
    tile_height: int


def layout(count: int, tile_width: int, tile_height: int) -> tuple[int, int]:
    """Return (columns, rows) for `count` tiles in a picture that is as square as can be.

    Raises `InputError` if no picture up to 8192 a side holds them.
    """
    best: tuple[int, int] | None = None
    for columns in range(1, count + 1):
        rows = -(-count // columns)
        width, height = columns * tile_width, rows * tile_height
        if max(width, height) > LARGEST:
            continue
        if best is None or max(width, height) < max(best[0] * tile_width, best[1] * tile_height):
            best = (columns, rows)
    if best is None:
        raise InputError(
            f"{count} tiles of {tile_width} x {tile_height} make a flipbook over {LARGEST} pixels.",
            "Use smaller tiles.",
        )
    return best


def write_flipbook(
    folder: Path,
    name: str,
    tiles: Sequence[NDArray[np.uint8]],
    fps: Fraction,
    provenance: dict[str, Any] | None = None,
) -> Flipbook:
    """Write `folder/<name>.png` and `folder/<name>.json` from (H,W,C) uint8 tiles of one size.

    Rows go from the top left, texture coordinates from the bottom left. Tile sides should be
    multiples of 4 (KTX2 block compression; see `tile_size`). `fps` is written as a ratio.
    """
    height, width = tiles[0].shape[:2]
    columns, rows = layout(len(tiles), width, height)
    channels = tiles[0].shape[2]
    picture = np.zeros((rows * height, columns * width, channels), np.uint8)
    for index, tile in enumerate(tiles):
        top, left = index // columns * height, index % columns * width
        picture[top : top + height, left : left + width] = tile
    folder.mkdir(parents=True, exist_ok=True)
    book = Flipbook(
        folder / f"{name}.png", folder / f"{name}.json", columns, rows, len(tiles), width, height
    )
    write_png(book.picture, picture)
    description = {
        **{key: value for key, value in asdict(book).items() if isinstance(value, int)},
        "picture": book.picture.name,
        "fps": f"{fps.numerator}/{fps.denominator}",
        "row_order": "top-to-bottom",
        "uv_origin": "bottom-left",
        "colour_space": "sRGB",
        "provenance": provenance or {},
    }
    aside = book.sidecar.with_name(f"{book.sidecar.name}.part")
    aside.write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
    aside.replace(book.sidecar)
    return book


def tile_size(height: int, width: int, tile_height: int) -> tuple[int, int]:
    """Return (height, width) of a tile of a picture, multiples of 4, never enlarged."""
    tall = max(4, min(tile_height, height) // 4 * 4)
    return tall, max(4, round(width * tall / height / 4) * 4)


def resized(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Return (H,W,C) uint8 pixels reduced to (`height`, `width`) by exact area means.

    The whole picture maps to the whole tile, so that texture coordinates stay true.
    """
    values = _area_mean(_area_mean(pixels.astype(np.float64), height, 0), width, 1)
    return np.asarray(np.rint(values), np.uint8)


def _area_mean(values: NDArray[np.float64], length: int, axis: int) -> NDArray[np.float64]:
    moved = np.moveaxis(values, axis, 0)
    total = np.concatenate([np.zeros_like(moved[:1]), np.cumsum(moved, axis=0)])
    edges = np.linspace(0, len(moved), length + 1)
    whole = np.minimum(edges.astype(np.int64), len(moved) - 1)
    share = (edges - whole).reshape(-1, *([1] * (moved.ndim - 1)))
    at_edges = total[whole] + share * (total[whole + 1] - total[whole])
    means = np.diff(at_edges, axis=0) * (length / len(moved))
    return np.moveaxis(means, 0, axis)
