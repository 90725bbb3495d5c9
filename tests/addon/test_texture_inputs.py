"""Textures that cannot be baked are refused before anything is rendered, sent or written."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
import synthetic
from microface.addon.bake.texture import bake_textures, check_textures
from microface.addon.bake.time import TimeBase
from microface.addon.exr import write_exr
from microface.addon.png import write_png
from microface.errors import InputError

BASE = TimeBase(Fraction(200), 1)


def texture_node(mask: Any) -> Any:
    tree = mask.material_slots[0].material.node_tree
    return next(one for one in tree.nodes if one.type == "TEX_IMAGE")


def test_a_texture_whose_file_is_missing(mask: Any, tmp_path: Path) -> None:
    check_textures(mask)
    write_png(tmp_path / "skin.png", np.zeros((8, 8, 3), np.uint8))
    image = bpy.data.images.load(str(tmp_path / "skin.png"))
    (tmp_path / "skin.png").unlink()
    image.reload()
    texture_node(mask).image = image
    with pytest.raises(InputError, match=r"'skin\.png' holds no pixels") as caught:
        check_textures(mask)
    assert "Find Missing Files" in caught.value.remedy


def test_a_tile_whose_file_is_missing(mask: Any, tmp_path: Path) -> None:
    for tile in (1001, 1002):
        write_png(tmp_path / f"skin.{tile}.png", np.full((8, 8, 3), 90, np.uint8))
    image = bpy.data.images.load(str(tmp_path / "skin.1001.png"))
    image.filepath = str(tmp_path / "skin.<UDIM>.png")
    image.source = "TILED"
    if not any(tile.number == 1002 for tile in image.tiles):
        image.tiles.new(1002)
    texture_node(mask).image = image
    check_textures(mask)
    (tmp_path / "skin.1002.png").unlink()
    with pytest.raises(InputError, match=r"Tile 1002 of .* is not on disk"):
        check_textures(mask)


def test_whole_levels_are_refused_for_wide_linear_light(mask: Any, tmp_path: Path) -> None:
    write_exr(tmp_path / "skin.exr", np.full((32, 32, 3), 0.3, np.float16))
    node = texture_node(mask)
    node.image = bpy.data.images.load(str(tmp_path / "skin.exr"))
    node.image.colorspace_settings.name = "ACEScg"
    weights = np.zeros((2, 6))
    weights[1, 0] = 0.3
    view, generated = synthetic.generate(mask, weights, resolution=64, samples=1)
    with pytest.raises(InputError, match="without banding"):
        bake_textures(mask, view, generated, tmp_path / "b", BASE, kind="png8")
    assert not (tmp_path / "b").exists()
    assert node.outputs["Color"].links


def test_a_space_that_no_texture_is_painted_in(mask: Any) -> None:
    texture_node(mask).image.colorspace_settings.name = "AgX Base sRGB"
    with pytest.raises(InputError, match="AgX Base sRGB"):
        check_textures(mask)
