"""PNG files, flipbooks and edge maps are what they claim to be."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import synthetic
from microface.addon.bake.edges import bake_edge_maps
from microface.addon.bake.flipbook import layout, resized, tile_size, write_flipbook
from microface.addon.bake.texture import Cast
from microface.addon.images import from_linear, read_pixels, to_linear, write_png
from microface.errors import InputError


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_png_is_read_back_by_others(tmp_path: Path, channels: int, kind: Any) -> None:
    rng = np.random.default_rng(0)
    shape = (37, 23) if channels == 1 else (37, 23, channels)
    pixels = rng.integers(0, np.iinfo(kind).max, shape, endpoint=True).astype(kind)
    write_png(tmp_path / "a.png", pixels)
    read = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED)
    if channels > 1:
        read = cv2.cvtColor(read, cv2.COLOR_BGRA2RGBA if channels == 4 else cv2.COLOR_BGR2RGB)
    assert read.dtype == kind
    assert np.array_equal(read, pixels)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_png_refuses_other_kinds(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="float64"):
        write_png(tmp_path / "a.png", np.zeros((4, 4)))
    assert not list(tmp_path.iterdir())


def test_reading_what_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(InputError, match=r"a\.png"):
        read_pixels(tmp_path / "a.png")


def test_every_level_survives_linear_light() -> None:
    levels = np.arange(256, dtype=np.uint8)
    assert np.array_equal(np.rint(from_linear(to_linear(levels)) * 255), levels)


@pytest.mark.parametrize(
    ("count", "expected"), [(1, (1, 1)), (4, (2, 2)), (9, (3, 3)), (50, (8, 7)), (64, (8, 8))]
)
def test_flipbook_layout(count: int, expected: tuple[int, int]) -> None:
    columns, rows = layout(count, 256, 256)
    assert max(columns, rows) == max(expected)
    assert columns * rows >= count


def test_a_flipbook_that_is_too_big() -> None:
    with pytest.raises(InputError, match="8192"):
        layout(5, 8192, 8192)


def test_tiles_keep_texture_coordinates_true() -> None:
    assert tile_size(1024, 1024, 256) == (256, 256)
    assert tile_size(1536, 1024, 256) == (256, 172)
    ramp = np.repeat(np.linspace(0, 255, 1000)[:, None, None], 30, 1).repeat(3, 2)
    small = resized(ramp.astype(np.uint8), 100, 12)
    assert small.shape == (100, 12, 3)
    assert small[:, 0, 0] == pytest.approx(np.linspace(0.7, 253.3, 100), abs=1.2)


def test_flipbook_and_sidecar_agree(tmp_path: Path) -> None:
    tiles = [np.full((8, 12, 3), index * 20, np.uint8) for index in range(5)]
    book = write_flipbook(tmp_path, "smile", tiles, Fraction(24000, 1001), {"clip": "smile"})
    said = json.loads(book.sidecar.read_text())
    picture = read_pixels(tmp_path / said["picture"])
    assert (said["count"], said["fps"]) == (5, "24000/1001")
    assert picture.shape[:2] == (
        said["rows"] * said["tile_height"],
        said["columns"] * said["tile_width"],
    )
    for index in range(5):
        row, column = divmod(index, said["columns"])
        corner = picture[row * said["tile_height"], column * said["tile_width"], 0]
        assert corner == index * 20


def test_edge_maps_in_both_spaces(mask: Any, tmp_path: Path) -> None:
    weights = np.zeros((3, 6))
    weights[1, 0] = 0.3
    view, generated = synthetic.generate(mask, weights, resolution=128, samples=0)
    edges = np.zeros_like(generated.edges)
    edges[1, 70:90, 70:90] = 200
    generated = replace(generated, edges=edges)
    bake = bake_edge_maps(Cast(mask, view), generated, tmp_path / "edges", 128)
    assert np.array_equal(read_pixels(bake.screen[1])[..., 0], edges[1])
    (files,) = bake.texture.values()
    gathered = read_pixels(files[1])[..., 0]
    assert gathered.shape == (128, 128)
    assert gathered.max() == 200
    # The square lies below and right of the middle, as seen and in the texture.
    rows, columns = np.nonzero(gathered)
    assert 64 < rows.mean() < 100
    assert 64 < columns.mean() < 100
    assert not read_pixels(files[0])[..., :3].any()
