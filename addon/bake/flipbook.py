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
from ..exr import read_own_exr, write_exr
from ..png import read_own_png, write_png
from ..whole_file import write_whole
from .texture import BakedTexture

#: Largest picture side that every engine loads.
LARGEST = 8192


@dataclass(frozen=True)
class Flipbook:
    """A written flipbook: `picture` and `sidecar` paths, its layout, its `colour_space`."""

    picture: Path
    sidecar: Path
    columns: int
    rows: int
    count: int
    tile_width: int
    tile_height: int
    colour_space: str = "sRGB"


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


def flip(
    folder: Path,
    name: str,
    texture: BakedTexture,
    fps: Fraction,
    tile_height: int,
    provenance: dict[str, Any] | None = None,
) -> Flipbook:
    """Write a baked sequence as a flipbook of tiles `tile_height` high, in its own kind of file."""
    tiles = []
    for path in texture.files:
        pixels = read_own_exr(path)[0] if path.suffix == ".exr" else read_own_png(path)
        tiles.append(resized(pixels, *tile_size(pixels.shape[0], pixels.shape[1], tile_height)))
    return write_flipbook(folder, name, tiles, fps, provenance, texture.colour_space)


def write_flipbook(
    folder: Path,
    name: str,
    tiles: Sequence[NDArray[Any]],
    fps: Fraction,
    provenance: dict[str, Any] | None = None,
    colour_space: str = "sRGB",
) -> Flipbook:
    """Write `folder/<name>.png` and `folder/<name>.json` from (H,W,C) tiles of one size.

    Tiles of uint8 and uint16 make a PNG, of float16 an OpenEXR file. Rows go from the top left,
    texture coordinates from the bottom left. Tile sides should be multiples of 4 (KTX2 block
    compression; see `tile_size`). `fps` is written as a ratio.
    """
    height, width = tiles[0].shape[:2]
    columns, rows = layout(len(tiles), width, height)
    channels, kind = tiles[0].shape[2], tiles[0].dtype
    picture = np.zeros((rows * height, columns * width, channels), kind)
    for index, tile in enumerate(tiles):
        top, left = index // columns * height, index % columns * width
        picture[top : top + height, left : left + width] = tile
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}{'.exr' if kind == np.float16 else '.png'}"
    book = Flipbook(
        path,
        folder / f"{name}.json",
        columns,
        rows,
        len(tiles),
        width,
        height,
        colour_space,
    )
    if kind == np.float16:
        write_exr(path, picture, {"framesPerSecond": fps})
    else:
        write_png(path, picture)
    description = {
        **{key: value for key, value in asdict(book).items() if isinstance(value, int)},
        "picture": path.name,
        "fps": f"{fps.numerator}/{fps.denominator}",
        "row_order": "top-to-bottom",
        "uv_origin": "bottom-left",
        "colour_space": colour_space,
        "provenance": provenance or {},
    }
    text = json.dumps(description, indent=2) + "\n"
    write_whole(book.sidecar, [text.encode()])
    return book


def tile_size(height: int, width: int, tile_height: int) -> tuple[int, int]:
    """Return (height, width) of a tile of a picture, never enlarged: 1, 2 or multiples of 4."""
    most = min(tile_height, height)
    tall = most // 4 * 4 if most >= 4 else min(most, 2)
    ideal = width * tall / height
    wide = max(4, round(ideal / 4) * 4) if ideal >= 3 else max(1, min(round(ideal), 2))
    return tall, wide


def resized(pixels: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """Return (H,W,C) pixels reduced to (`height`, `width`) by exact area means, in their type.

    The whole picture maps to the whole tile, so that texture coordinates stay true.
    """
    values = _area_mean(_area_mean(pixels.astype(np.float64), height, 0), width, 1)
    return (values if pixels.dtype == np.float16 else np.rint(values)).astype(pixels.dtype)


def _area_mean(values: NDArray[np.float64], length: int, axis: int) -> NDArray[np.float64]:
    moved = np.moveaxis(values, axis, 0)
    total = np.concatenate([np.zeros_like(moved[:1]), np.cumsum(moved, axis=0)])
    edges = np.linspace(0, len(moved), length + 1)
    whole = np.minimum(edges.astype(np.int64), len(moved) - 1)
    share = (edges - whole).reshape(-1, *([1] * (moved.ndim - 1)))
    at_edges = total[whole] + share * (total[whole + 1] - total[whole])
    means = np.diff(at_edges, axis=0) * (length / len(moved))
    return np.moveaxis(means, 0, axis)
