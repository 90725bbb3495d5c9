"""Colour spaces go there and back, agree with Blender's own, and no view transform leaks in."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
import synthetic
from microface.addon.bake.stored import Store, store_for
from microface.addon.bake.targets import find_targets
from microface.addon.bake.texture import bake_textures
from microface.addon.bake.time import TimeBase
from microface.addon.character.neutral import render_stage
from microface.addon.character.stage import stage
from microface.addon.character.view import view_face
from microface.addon.colour import SPACES, between, colour_space, turned
from microface.addon.exr import read_own_exr, write_exr
from microface.addon.png import read_own_png
from microface.errors import InputError

OFFERED = ("sRGB", "Linear Rec.709", "ACEScg", "ACES2065-1", "Linear Rec.2020", "Display P3",
           "Linear DCI-P3 D65", "Rec.1886", "Rec.2020", "Non-Color")  # fmt: skip


@pytest.mark.parametrize("kind", ["png8", "png16"])
@pytest.mark.parametrize("name", ["sRGB", "Display P3", "Rec.1886", "Non-Color"])
def test_every_level_comes_back_to_half_a_level(kind: str, name: str) -> None:
    store = Store(kind, colour_space(name, "a test"))
    most = np.iinfo(store.type).max
    levels = np.arange(most + 1, dtype=store.type)
    light = store.decode(levels)
    exact = store.space.encode(light) * most
    error = np.abs(exact - levels.astype(np.float64)).max()
    print(f"{kind} {name}: {error:.4f} of a code value")
    assert error < 0.5
    assert np.array_equal(store.encode(light), levels)


@pytest.mark.parametrize("name", ["sRGB", "ACEScg", "Display P3"])
def test_light_through_other_primaries_comes_back(name: str) -> None:
    space = colour_space(name, "a test")
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 65536, (500, 3)).astype(np.uint16)
    light = Store("png16", space).decode(levels)
    away = turned(light, between(space.primaries, "AP1"))
    back = turned(away, between("AP1", space.primaries))
    error = np.abs(space.encode(back) * 65535.0 - levels)
    assert error.max() < 0.5


@pytest.mark.parametrize("name", OFFERED)
def test_the_spaces_are_blenders(name: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    values = rng.random((16, 16, 3)).astype(np.float16)
    write_exr(tmp_path / "a.exr", values)
    image = bpy.data.images.load(str(tmp_path / "a.exr"))
    image.colorspace_settings.name = name
    flat = np.empty(16 * 16 * 4, np.float32)
    image.pixels.foreach_get(flat)
    theirs = flat.reshape(16, 16, 4)[::-1, :, :3]
    space = colour_space(name, "a test")
    ours = turned(space.decode(values.astype(np.float32)), between(space.primaries, "Rec.709"))
    assert np.abs(ours - theirs).max() < 1e-3


def test_what_is_no_space_for_textures_is_refused() -> None:
    assert "Linear Rec.709" in SPACES
    with pytest.raises(InputError, match="AgX Log"):
        colour_space("AgX Log", "'Skin'")
    with pytest.raises(InputError, match="ACEScg"):
        store_for("png8", colour_space("ACEScg", "'Skin'"), "'Skin'")


def test_half_floats_are_read_by_blender_with_their_metadata(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(0, 3, (37, 23, 4)).astype(np.float16)
    said = {"framesPerSecond": Fraction(24000, 1001), "comments": "from a test"}
    write_exr(tmp_path / "a.exr", values, said)
    image = bpy.data.images.load(str(tmp_path / "a.exr"))
    image.alpha_mode = "CHANNEL_PACKED"
    flat = np.empty(37 * 23 * 4, np.float32)
    image.pixels.foreach_get(flat)
    assert np.array_equal(flat.reshape(37, 23, 4)[::-1], values.astype(np.float32))
    assert image.is_float
    again, found = read_own_exr(tmp_path / "a.exr")
    assert np.array_equal(again, values)
    assert found == said


@pytest.mark.parametrize("transform", ["AgX", "Filmic", "Standard"])
def test_the_scenes_view_transform_does_not_leak(mask: Any, transform: str) -> None:
    def neutral() -> np.ndarray:
        with stage(mask) as on:
            return render_stage(on, view_face(on, 64).framing, samples=1)

    settings = bpy.context.scene.view_settings
    settings.view_transform = "Standard"
    plain = neutral()
    settings.view_transform = transform
    settings.exposure, settings.gamma = 1.5, 1.3
    assert np.array_equal(neutral(), plain)
    assert settings.view_transform == transform


@pytest.mark.parametrize("name", ["Linear Rec.709", "ACEScg", "Non-Color"])
def test_float_textures_keep_their_space(mask: Any, tmp_path: Path, name: str) -> None:
    node = next(
        one for one in mask.material_slots[0].material.node_tree.nodes if one.type == "TEX_IMAGE"
    )
    rng = np.random.default_rng(3)
    values = (0.2 + 0.3 * rng.random((64, 64, 3))).astype(np.float16)
    write_exr(tmp_path / "skin.exr", values)
    node.image = bpy.data.images.load(str(tmp_path / "skin.exr"))
    node.image.colorspace_settings.name = name
    weights = np.zeros((3, 6))
    weights[1, 0] = 0.3
    view, generated = synthetic.generate(mask, weights, resolution=96, samples=2)
    base = TimeBase(Fraction(200), 1)
    (texture,) = bake_textures(mask, view, generated, tmp_path / "b", base).textures
    assert texture.colour_space == name
    assert bpy.data.images[texture.image_name].colorspace_settings.name == name
    still, _ = read_own_exr(texture.files[0])
    assert np.array_equal(still, values)
    moved, _ = read_own_exr(texture.files[1])
    assert np.array_equal(moved[~texture.moving], values[~texture.moving])
    assert np.isfinite(moved).all()
    assert np.abs(moved.astype(float) - values).max() > 0.02


def test_the_kinds_of_files_say_the_same(mask: Any, tmp_path: Path) -> None:
    weights = np.zeros((2, 6))
    weights[1, 0] = 0.3
    view, generated = synthetic.generate(mask, weights, resolution=96, samples=2)
    base = TimeBase(Fraction(200), 1)
    original = find_targets(mask, 64)[0].pixels
    srgb = colour_space("sRGB", "a test")
    shown = {}
    for kind in ("png8", "png16", "exr"):
        bake = bake_textures(mask, view, generated, tmp_path / kind, base, kind=kind)
        (texture,) = bake.textures
        store = store_for(kind, srgb, "a test")
        still, moved = (
            read_own_exr(path)[0] if kind == "exr" else read_own_png(path) for path in texture.files
        )
        assert still.dtype == store.type
        exact = srgb.encode(store.decode(still)) * 255
        assert np.array_equal(np.rint(exact), original)
        shown[kind] = srgb.encode(store.decode(moved)) * 255
    assert np.abs(shown["png8"] - shown["png16"]).max() < 0.51
    assert np.abs(shown["exr"] - shown["png16"]).max() < 0.1
