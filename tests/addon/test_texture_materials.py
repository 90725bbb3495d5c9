"""Sequences in materials: tiles, several meshes, gloss, seams; in and out again without a trace."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy
import heads
import numpy as np
import pytest
import synthetic
from dump import differences, dump
from microface.addon.bake.factors import Factors
from microface.addon.bake.materials import unwire_sequences
from microface.addon.bake.region import frame_region
from microface.addon.bake.shading import choose_anchors, render_shading
from microface.addon.bake.targets import find_targets
from microface.addon.bake.texture import Cast, bake_textures, find_painters
from microface.addon.bake.time import TimeBase
from microface.addon.character.neutral import render_frame
from microface.addon.images import read_pixels
from microface.addon.png import write_png
from microface.addon.retarget.prepare import prepare
from trees import tree_dump

COUNT, APEX = 3, 1
BASE = TimeBase(Fraction(200), 11)


def smile(mask: Any, resolution: int = 128, samples: int = 4) -> tuple[Any, Any, np.ndarray]:
    weights = np.zeros((COUNT, 6))
    weights[APEX, 0] = 0.3
    view, generated = synthetic.generate(mask, weights, resolution=resolution, samples=samples)
    return view, generated, weights


def psnr(picture: np.ndarray, generated: Any) -> float:
    region = frame_region(generated, APEX) > 0.5
    wanted = generated.frames[APEX].astype(float)
    return float(10 * np.log10(255**2 / ((picture.astype(float) - wanted)[region] ** 2).mean()))


def shot(mask: Any, generated: Any, weights: np.ndarray, samples: int = 4) -> np.ndarray:
    for key, weight in zip(mask.data.shape_keys.key_blocks[1:], weights, strict=True):
        key.value = weight
    return render_frame(mask, generated.framing, 11 + APEX, samples=samples)


def test_gloss_and_shading_stay_out_of_the_texture(mask: Any, tmp_path: Path) -> None:
    shader = mask.material_slots[0].material.node_tree.nodes["Principled BSDF"]
    shader.inputs["Roughness"].default_value = 0.2
    shader.inputs["Specular IOR Level"].default_value = 0.5
    file = dump()
    view, generated, weights = smile(mask, 160, 8)
    targets = find_targets(mask, 64)
    shading = render_shading(mask, 1.0, view.framing, targets, weights, samples=8)
    assert differences(file, dump()) == []
    assert [one.frame for one in shading.anchors] == [APEX]
    rest = np.zeros(6)
    alone = shot(mask, generated, weights[APEX], 8)
    found = {"keys": psnr(alone, generated)}
    for name, options, pose in (
        ("texture", {}, rest),
        ("texture without gloss", {"shading": shading}, rest),
        ("both unshaded", {"weights": weights}, weights[APEX]),
        ("both", {"weights": weights, "shading": shading}, weights[APEX]),
    ):
        bake_textures(mask, view, generated, tmp_path / name, BASE, **options)
        found[name] = psnr(shot(mask, generated, pose, 8), generated)
    print({name: round(value, 1) for name, value in found.items()})
    assert found["texture without gloss"] > found["texture"]
    assert found["both"] > found["both unshaded"] + 3
    assert found["both"] > found["keys"] + 3
    assert found["both"] > 44


def test_anchors_span_what_the_keys_do() -> None:
    course = np.sin(np.linspace(0, np.pi, 9))[:, None]
    frames, shares = choose_anchors(course * [0.3, 0.1, 0])
    assert frames == [4]
    assert shares[:, 0] == pytest.approx(course[:, 0])
    two = np.concatenate([course * [0.3, 0, 0], course * [0, 0.2, 0]])
    frames, shares = choose_anchors(two)
    assert sorted(frames) == [4, 13]
    assert np.abs(shares @ two[frames] - two).max() < 1e-9
    assert choose_anchors(np.zeros((4, 3)))[0] == []


def cut(mask: Any, across: float) -> None:
    """Cut the UVs along a line of height through the smile, and turn the upper part upside down."""
    layer = mask.data.uv_layers[0]
    flat = np.empty(len(mask.data.loops) * 2, np.float32)
    layer.uv.foreach_get("vector", flat)
    uv = flat.reshape(-1, 4, 2)
    upper = uv[..., 1].mean(axis=1) > across
    uv[upper] = [1.0, 1.0 + across + 0.02] - uv[upper]
    uv *= 0.94
    uv[upper] += [0.03, 0.03]
    layer.uv.foreach_set("vector", uv.ravel())


def test_no_line_along_a_seam(mask: Any, tmp_path: Path) -> None:
    view, generated, _ = smile(mask, 192, 8)
    bake_textures(mask, view, generated, tmp_path / "a", BASE)
    whole = shot(mask, generated, np.zeros(6), 8).astype(int)
    unwire_sequences(mask)
    # A plain skin: what differs then is the bake.
    mask.material_slots[0].material = heads.textured("Plain", np.full((256, 256, 3), 150, np.uint8))
    view, generated, _ = smile(mask, 192, 8)
    frames = generated.frames.copy()
    frames[APEX, 100:150, 95:150] = generated.neutral[100:150, 95:150] * 0.75
    motion = generated.motion.copy()
    motion[APEX, 100:150, 95:150] = 0.5
    generated = replace(generated, frames=frames, motion=motion)
    bake_textures(mask, view, generated, tmp_path / "b", BASE)
    before = shot(mask, generated, np.zeros(6), 8).astype(int)
    cut(mask, 0.34)
    view, _, _ = smile(mask, 192, 0)
    bake_textures(mask, view, generated, tmp_path / "c", BASE)
    after = shot(mask, generated, np.zeros(6), 8).astype(int)
    inner = (slice(106, 144), slice(101, 144))
    print("seam: at most", np.abs(after - before)[inner].max(), "levels")
    assert np.abs(after - before)[inner].max() <= 3
    assert whole.shape == after.shape


def tiled(mask: Any, folder: Path) -> Any:
    """Put the mask's texture into two UDIM tiles, the upper half of the face into 1011."""
    half = heads.freckles(128)
    for tile in (1001, 1011):
        write_png(folder / f"skin.{tile}.png", half)
    image = bpy.data.images.load(str(folder / "skin.1001.png"))
    image.filepath = str(folder / "skin.<UDIM>.png")
    image.source = "TILED"
    if not any(tile.number == 1011 for tile in image.tiles):
        image.tiles.new(1011)
    image.reload()
    node = next(
        one for one in mask.material_slots[0].material.node_tree.nodes if one.type == "TEX_IMAGE"
    )
    node.image = image
    layer = mask.data.uv_layers[0]
    flat = np.empty(len(mask.data.loops) * 2, np.float32)
    layer.uv.foreach_get("vector", flat)
    uv = flat.reshape(-1, 4, 2)
    upper = uv[..., 1].mean(axis=1) > 0.33
    uv[upper] += [0, 1]
    layer.uv.foreach_set("vector", uv.ravel())
    return node


def test_udim_tiles(mask: Any, tmp_path: Path) -> None:
    tiled(mask, tmp_path)
    tree = mask.material_slots[0].material.node_tree
    before, file = tree_dump(tree), dump()
    view, generated, _ = smile(mask, 160, 8)
    targets = find_targets(mask, 64)
    assert [one.tile for one in targets] == [1001, 1011]
    bake = bake_textures(mask, view, generated, tmp_path / "b", BASE)
    assert [one.name for one in bake.textures] == ["skin_1001", "skin_1011"]
    for one in bake.textures:
        still, moved = (read_pixels(one.files[index])[..., :3] for index in (0, APEX))
        assert np.array_equal(still, heads.freckles(128))
        assert np.array_equal(moved[~one.moving], still[~one.moving])
        assert not np.array_equal(moved, still)
    rendered = shot(mask, generated, np.zeros(6), 8)
    gain = psnr(rendered, generated) - psnr(generated.neutral, generated)
    print(f"tiles: {psnr(rendered, generated):.1f} dB, {gain:.1f} over the neutral")
    assert gain > 6
    assert unwire_sequences(mask) == 2
    assert differences(before, tree_dump(tree)) == []
    assert differences(file, dump()) == []


def test_several_bakes_in_turn_and_out_again(mask: Any, tmp_path: Path) -> None:
    tree = mask.material_slots[0].material.node_tree
    # The same texture colours the emission too, through another node.
    texture = next(one for one in tree.nodes if one.type == "TEX_IMAGE")
    gamma = tree.nodes.new("ShaderNodeGamma")
    tree.links.new(texture.outputs["Color"], gamma.inputs["Color"])
    tree.links.new(gamma.outputs["Color"], tree.nodes["Principled BSDF"].inputs["Emission Color"])
    before, file = tree_dump(tree), dump()
    view, generated, weights = smile(mask, 96, 1)
    for kind, over in (("png8", None), ("exr", weights), ("png16", None)):
        bake_textures(mask, view, generated, tmp_path / kind, BASE, kind=kind, weights=over)
        assert len(tree.nodes) == len(before["nodes"]) + 1
    assert unwire_sequences(mask) == 1
    assert differences(before, tree_dump(tree)) == []
    assert differences(file, dump()) == []


def test_companions_with_textures_of_their_own(mask: Any, tmp_path: Path) -> None:
    patch = heads.make_object(
        "Patch",
        np.array(
            [[0.0, -0.083, -0.07], [0.05, -0.083, -0.07], [0.05, -0.083, -0.02], [0, -0.083, -0.02]]
        ),
        np.array([[0, 1, 2, 3]]),
        np.array([[0, 0], [1, 0], [1, 1], [0, 1]]),
        {},
    )
    patch.data.materials.append(heads.textured("Plaster", heads.freckles(64)))
    plain = bpy.data.materials.new("Plain")
    plain.use_nodes = True
    plain.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (0.5, 0.3, 0.2, 1)
    mask.data.materials.append(plain)
    for polygon in mask.data.polygons:
        polygon.material_index = int(polygon.center[2] < -0.045)
    view, generated, _ = smile(mask, 128, 2)
    bake = bake_textures(mask, view, generated, tmp_path, BASE, plain_size=64)
    assert sorted(one.name for one in bake.textures) == ["Plain", "Plaster", "Skin"]
    by_name = {one.name: one for one in bake.textures}
    assert read_pixels(by_name["Plain"].files[0]).shape[:2] == (64, 64)
    # What the patch hides is not written, though it lies where the picture changes.
    painters, _ = find_painters(
        Cast.of(mask, view), Factors(view, generated), "auto", 64, {}, "Rec.709"
    )
    index = {target.name: painter.count for target, painter in painters}
    assert set(index) == set(by_name)
    assert unwire_sequences(mask, [patch]) == 3


def test_a_playing_bake_is_not_part_of_the_next_neutral(mask: Any, tmp_path: Path) -> None:
    clean = prepare(mask, 128).neutral
    view, generated, _ = smile(mask, 128, 4)
    bake_textures(mask, view, generated, tmp_path, BASE)
    bpy.context.scene.frame_set(11 + APEX)
    file = dump()
    assert np.array_equal(prepare(mask, 128).neutral, clean)
    assert differences(file, dump()) == []


def test_undo_takes_a_bake_back(mask: Any, tmp_path: Path) -> None:
    bpy.ops.ed.undo_push(message="before")
    tree = mask.material_slots[0].material.node_tree
    before = tree_dump(tree)
    view, generated, _ = smile(mask, 64, 1)
    bake_textures(mask, view, generated, tmp_path, BASE)
    bpy.ops.ed.undo_push(message="bake")
    bpy.ops.ed.undo()
    again = bpy.data.objects["Mask"].material_slots[0].material.node_tree
    assert differences(before, tree_dump(again)) == []


def test_the_skin_beside_glasses_is_not_painted_with_them(mask: Any, tmp_path: Path) -> None:
    """Generated pictures move a rim along with the brow before which it stands."""
    points = np.array([vertex.co[:] for vertex in mask.data.vertices])
    faces = [
        polygon.vertices[:]
        for polygon in mask.data.polygons
        if abs(polygon.center[0] - 0.03) < 0.03 and abs(polygon.center[2] - 0.045) < 0.004
    ]
    rim = heads.make_object("Rim", points + np.array([0, -0.004, 0]), np.array(faces), None, {})
    rim.data.materials.append(heads.textured("Horn", np.full((8, 8, 3), 20, np.uint8)))
    weights = np.zeros((COUNT, 6))
    weights[:, 2] = 0.5 * synthetic.bump(COUNT, APEX, 1.5)
    view, generated = synthetic.generate(mask, weights, resolution=256, samples=4)
    bake = bake_textures(mask, view, generated, tmp_path, BASE)
    skin = next(one for one in bake.textures if one.name == "Skin")
    still, moved = (read_pixels(skin.files[i])[..., :3].astype(float) for i in (0, APEX))
    assert np.abs(moved - still).max() > 2, "the skin moves farther away"
    share = (moved / np.maximum(still, 1)).mean(axis=2)
    print(f"texels become {share.min():.2f} to {share.max():.2f} as light")
    assert share.min() > 0.6 and share.max() < 1.6


def test_the_skin_below_a_brow_is_not_painted_with_it(mask: Any, tmp_path: Path) -> None:
    # A brow of its own geometry, nearer to the skin than depth alone can tell.
    points = np.array([vertex.co[:] for vertex in mask.data.vertices])
    lifted = points + np.array([0, -0.0004, 0])
    faces = [
        polygon.vertices[:]
        for polygon in mask.data.polygons
        if abs(polygon.center[0] - 0.03) < 0.02 and abs(polygon.center[2] - 0.05) < 0.008
    ]
    brow = heads.make_object("Brow", lifted, np.array(faces), np.full((4 * len(faces), 2), 0.5), {})
    brow.data.materials.append(heads.textured("Hair", np.full((8, 8, 3), 40, np.uint8)))
    view, generated, _ = smile(mask, 160, 4)
    hair = generated.neutral.max(axis=2) < 60
    hair[45:] = False  # below lie dark freckles
    rows, columns = np.flatnonzero(hair.any(axis=1)), np.flatnonzero(hair.any(axis=0))
    box = (slice(rows[0] - 8, rows[-1] + 9), slice(columns[0] - 8, columns[-1] + 9))
    frames, motion = generated.frames.copy(), generated.motion.copy()
    # The hair moves away: where it was there is skin now.
    frames[APEX][box] = np.where(hair[box][..., None], 200, generated.neutral[box])
    motion[APEX][box] = 0.5
    generated = replace(generated, frames=frames, motion=motion)
    bake = bake_textures(mask, view, generated, tmp_path, BASE)
    skin = next(one for one in bake.textures if one.name == "Skin")
    still, moved = (read_pixels(skin.files[at])[..., :3].astype(int) for at in (0, APEX))
    lighter = (moved - still).max(axis=2) > 60
    print(f"{hair.sum()} pixels of hair; {lighter.sum()} texels of the skin get lighter")
    assert hair.sum() > 100
    assert lighter.sum() < 500  # 950 where depth alone tells: those below a border stay
