"""The texture bake: still texels untouched, moving ones show the generated frame."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
import synthetic
from microface.addon.bake.materials import find_targets, unwire_sequences
from microface.addon.bake.problem import Solved
from microface.addon.bake.region import moving_region
from microface.addon.bake.shape_keys import key_weights
from microface.addon.bake.texture import TextureBake, bake_textures
from microface.addon.bake.time import TimeBase
from microface.addon.character.channels import face_channels
from microface.addon.character.neutral import render_frame
from microface.addon.generated import Generated
from microface.addon.images import image_bytes, read_pixels
from microface.errors import InputError

COUNT, APEX = 5, 2
BASE = TimeBase(Fraction(200), 11)


def baked(mask: Any, folder: Path) -> tuple[Generated, TextureBake, np.ndarray]:
    names = [key.name for key in mask.data.shape_keys.key_blocks[1:]]
    weights = np.zeros((COUNT, len(names)))
    weights[:, names.index("mouthSmileLeft")] = 0.3 * synthetic.bump(COUNT, APEX, 1.5)
    view, generated = synthetic.generate(mask, weights, resolution=256, samples=8)
    original = find_targets(mask, 64)[0].pixels
    return generated, bake_textures(mask, view, generated, folder, BASE), original


def test_still_texels_are_bit_identical(mask: Any, tmp_path: Path) -> None:
    _, bake, original = baked(mask, tmp_path)
    (texture,) = bake.textures
    assert len(texture.files) == COUNT
    assert 0.005 < texture.moving.mean() < 0.5
    for path in texture.files:
        pixels = read_pixels(path)[..., :3]
        assert np.array_equal(pixels[~texture.moving], original[~texture.moving])
    assert np.array_equal(read_pixels(texture.files[0])[..., :3], original), "frame 0 is neutral"
    assert not np.array_equal(read_pixels(texture.files[APEX])[..., :3], original)


def test_the_baked_render_shows_the_generated_frame(mask: Any, tmp_path: Path) -> None:
    generated, _, _ = baked(mask, tmp_path)
    for key in mask.data.shape_keys.key_blocks:
        key.value = 0.0
    rendered = render_frame(mask, generated.framing, 11 + APEX, samples=8).astype(float)
    region = moving_region(generated)[APEX] > 0.5
    wanted = generated.frames[APEX].astype(float)

    def psnr(picture: np.ndarray) -> float:
        return float(10 * np.log10(255**2 / ((picture - wanted)[region] ** 2).mean()))

    still = psnr(generated.neutral.astype(float))
    print(f"moving region: baked {psnr(rendered):.1f} dB, left at neutral {still:.1f} dB")
    assert psnr(rendered) > still + 6
    before = render_frame(mask, generated.framing, 1, samples=8).astype(float)
    assert np.abs(before - generated.neutral).mean() < 0.05, "before the clip: neutral"


def test_over_shape_keys_only_the_rest_is_painted(mask: Any, tmp_path: Path) -> None:
    names = tuple(key.name for key in mask.data.shape_keys.key_blocks[1:])
    weights = np.zeros((COUNT, len(names)))
    weights[:, 0] = 0.3 * synthetic.bump(COUNT, APEX, 1.5)
    view, generated = synthetic.generate(mask, weights, resolution=192, samples=4)
    # What no key says: a darker patch beside the mouth.
    frames = generated.frames.copy()
    frames[APEX, 110:125, 108:126] = frames[APEX, 110:125, 108:126] * 0.7
    generated = replace(generated, frames=frames)
    original = find_targets(mask, 64)[0].pixels.astype(int)

    def painted(over: np.ndarray | None) -> np.ndarray:
        bake = bake_textures(mask, view, generated, tmp_path, BASE, weights=over)
        return read_pixels(bake.textures[0].files[APEX])[..., :3].astype(int) - original

    alone, rest = painted(None), painted(weights)
    assert np.abs(rest).max() > 30, "the patch is there"
    light = rest.min(axis=2) > -15  # ... and apart from it hardly anything
    assert np.abs(rest[light]).mean() < 0.6 * np.abs(alone[light]).mean()
    key_weights(
        mask, "smile", face_channels(mask), generated.times, Solved(weights, np.zeros(COUNT)), BASE
    )
    picture = render_frame(mask, generated.framing, 11 + APEX, samples=4).astype(float)
    region = moving_region(generated)[APEX] > 0.5
    wanted = generated.frames[APEX].astype(float)
    error = ((picture - wanted)[region] ** 2).mean()
    print(f"moving region: keys and rest {10 * np.log10(255**2 / error):.1f} dB")
    assert 10 * np.log10(255**2 / error) > 30


def test_unwiring_brings_the_texture_back(mask: Any, tmp_path: Path) -> None:
    tree = mask.material_slots[0].material.node_tree
    links = sorted((one.from_node.name, one.to_node.name, one.to_socket.name) for one in tree.links)
    nodes = sorted(node.name for node in tree.nodes)
    images = set(bpy.data.images.keys())
    baked(mask, tmp_path)
    assert sorted(node.name for node in tree.nodes) != nodes
    baked(mask, tmp_path)  # A second bake takes the place of the first.
    assert len(tree.nodes) == len(nodes) + 1
    assert unwire_sequences(mask) == 1
    assert sorted(node.name for node in tree.nodes) == nodes
    assert links == sorted(
        (one.from_node.name, one.to_node.name, one.to_socket.name) for one in tree.links
    )
    assert tree.animation_data is None
    assert set(bpy.data.images.keys()) == images
    assert unwire_sequences(mask) == 0


def test_a_plain_colour_gets_a_texture(mask: Any, tmp_path: Path) -> None:
    tree = mask.material_slots[0].material.node_tree
    tree.nodes.remove(next(node for node in tree.nodes if node.type == "TEX_IMAGE"))
    tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (0.5, 0.3, 0.2, 1)
    (target,) = find_targets(mask, 64)
    assert target.pixels.shape == (64, 64, 3)
    assert target.pixels[0, 0].tolist() == [188, 149, 124]
    unwire_sequences(mask)


def test_no_uvs_is_refused_before_anything_is_written(mask: Any, tmp_path: Path) -> None:
    mask.data.uv_layers.remove(mask.data.uv_layers[0])
    with pytest.raises(InputError, match="UVs"):
        baked(mask, tmp_path)
    assert not list(tmp_path.iterdir())


def test_image_bytes_are_exact(mask: Any) -> None:
    import heads

    image = next(one for one in bpy.data.images if one.name.startswith("Skin"))
    assert np.array_equal(image_bytes(image)[..., :3], heads.freckles(256))
