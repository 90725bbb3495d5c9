"""What makes training pairs hard: surroundings, styles, occluders, poor cameras."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from microface.models.heads.environment import harmonics, lit_around, soft_light
from microface.models.heads.families import RenderHead, Surface
from microface.models.heads.occluders import free_share, hand, moved, strands
from microface.models.heads.scene import random_light
from microface.models.heads.sensor import Sensor, expose, infrared, smeared, worsened
from microface.models.heads.style import STYLES, Style, dressed, style_of
from numpy.typing import NDArray

SIDE = 512
LEVEL = np.full(3, 0.2, np.float32)


def _marks() -> NDArray[np.float32]:
    """Landmarks of a plain face, in a picture of `SIDE` pixels."""
    jaw = np.linspace(np.pi, 0, 17)
    marks = np.zeros((68, 2))
    marks[:17] = np.stack([np.cos(jaw) * 150, np.sin(jaw) * 190], 1)
    marks[17:22] = np.stack([np.linspace(-120, -30, 5), np.full(5, -75)], 1)
    marks[22:27] = np.stack([np.linspace(30, 120, 5), np.full(5, -75)], 1)
    marks[27:36] = np.stack([np.zeros(9), np.linspace(-50, 40, 9)], 1)
    eye = np.linspace(0, 2 * np.pi, 6, endpoint=False)
    for first, x in ((36, -75), (42, 75)):
        marks[first : first + 6] = np.stack([x - 30 * np.cos(eye), -40 - 10 * np.sin(eye)], 1)
    mouth = np.linspace(np.pi, 3 * np.pi, 20, endpoint=False)
    marks[48:68] = np.stack([60 * np.cos(mouth), 95 + 15 * np.sin(mouth)], 1)
    return (marks + SIDE / 2).astype(np.float32)


def test_soft_light_is_the_clamped_cosine_to_second_order() -> None:
    rng = np.random.default_rng(0)
    normals = rng.normal(0, 1, (4000, 3))
    normals = (normals / np.linalg.norm(normals, axis=1, keepdims=True)).astype(np.float32)
    direction = np.array([0.48, 0.6, 0.64], np.float32)
    terms = soft_light(3 * direction, np.array([1.0, 0.5, 0.0], np.float32))
    light = harmonics(normals) @ terms
    exact = np.clip(normals @ direction, 0, None)
    assert np.abs(light[:, 0] - exact).max() < 0.1
    assert np.abs(light[:, 0] - exact).mean() < 0.04
    assert light[:, 1] == pytest.approx(0.5 * light[:, 0], abs=1e-6)
    assert not light[:, 2].any()


def test_fill_light_comes_from_the_keys_other_side() -> None:
    lefts = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        light = replace(random_light(rng), direction=np.array([0.8, 0.2, 0.56], np.float32))
        light = replace(light, ambient=np.full((4, 3), 0.0, np.float32))
        light.ambient[0] = 0.3
        around = lit_around(rng, light)
        assert around.ambient.shape == (9, 3)
        lefts.append(around.ambient[1].mean())
    assert np.mean(lefts) < -0.02


def test_toon_light_has_few_levels_and_ink_where_the_skin_turns_away() -> None:
    light = np.linspace(0.01, 0.99, 500, dtype=np.float32)[:, None] * np.ones(3, np.float32)
    straight = np.ones(500, np.float32)
    toon = Style(bands=3).lit(light, straight)
    assert len(np.unique(toon.round(4))) == 3
    flat = Style(flatness=0.9).lit(light, straight)
    assert np.ptp(flat) == pytest.approx(0.1 * np.ptp(light), rel=1e-3)
    inked = Style(ink=1.0).lit(light, np.full(500, 0.1, np.float32))
    assert not inked.any()


def _head() -> RenderHead:
    rng = np.random.default_rng(3)
    rgb = rng.uniform(0.1, 0.6, (64, 64, 3)).astype(np.float32)
    nothing = np.zeros((0, 3), np.float32)
    return RenderHead(
        "", 0, nothing, np.zeros((0, 3), np.int32), nothing, np.zeros((0, 3), np.int32),
        np.zeros(0, np.uint8), (Surface(rgb), Surface(rgb, gloss=0.5)), np.zeros(68, np.int32), (),
        nothing, nothing, nothing, np.full((4, 3), 0.5, np.float32), np.zeros(0, np.bool_),
        nothing, {},
    )  # fmt: skip


@pytest.mark.parametrize("name", STYLES)
def test_each_style_changes_the_surfaces_as_it_says(name: str) -> None:
    head = _head()
    made = dressed(np.random.default_rng(1), head, name)
    assert len(made.surfaces) == len(head.surfaces)
    rgb, before = made.surfaces[0].rgb, head.surfaces[0].rgb
    assert rgb.dtype == np.float32 and rgb.min() > 0 and rgb.max() <= 1
    spread = {"now": np.ptp(rgb, axis=2).mean(), "before": np.ptp(before, axis=2).mean()}
    if name == "clay":
        # One colour, brighter and darker.
        hue = rgb / rgb.sum(axis=2, keepdims=True)
        assert hue.std(axis=(0, 1)).max() < 1e-3
        assert made.surfaces[1].gloss < 0.1
    if name == "oversaturated":
        assert spread["now"] > 1.4 * spread["before"]
    if name in ("flat", "toon"):
        assert rgb.std(axis=(0, 1)).max() < 0.5 * before.std(axis=(0, 1)).max()
    style = style_of(np.random.default_rng(1), name, 1.0)
    assert (style is None) == (name in ("clay", "oversaturated")) or name == "painted"


@pytest.mark.parametrize("kind", [strands, hand])
def test_occluder_hides_part_of_the_face(kind: type) -> None:
    shares = []
    for seed in range(8):
        cover = kind(np.random.default_rng(seed), _marks(), SIDE, LEVEL)
        assert cover.shape == (SIDE, SIDE, 4) and cover.dtype == np.float32
        assert cover[..., 3].min() >= 0 and cover[..., 3].max() <= 1 + 1e-5
        # No light where nothing covers.
        assert not cover[cover[..., 3] == 0].any()
        face = cover[SIDE // 2 - 190 : SIDE // 2 + 190, SIDE // 2 - 150 : SIDE // 2 + 150, 3]
        shares.append(face.mean())
    assert 0.01 < np.median(shares) < 0.3


def test_hidden_share_is_exact_before_and_after() -> None:
    before = np.zeros((64, 64, 4), np.float32)
    before[:, 20:30] = 1
    after = moved(before, np.array([6.0, 0.0], np.float32))
    assert after[:, 26:36].min() == 1 and not after[:, :26].any()
    flow = np.zeros((32, 32, 2), np.float32)
    free = free_share(before, after, flow)
    assert not free[:, 10:18].any()
    assert free[:, :10].min() == 1 and free[:, 18:].min() == 1
    # Skin that slides under the cover is hidden then, though it was free.
    flow[..., 0] = 2
    free = free_share(before, before, flow)
    assert not free[:, 8:15].any() and free[:, :8].min() == 1


def test_smear_blurs_and_displaces_nothing() -> None:
    light = np.zeros((65, 65, 3), np.float32)
    light[32, 32] = 1
    seen = smeared(light, (4.0, 2.0))
    assert seen.max() < 0.5 and seen.sum() == pytest.approx(3, rel=1e-3)
    rows, columns = np.indices((65, 65))
    centre = [(seen[..., 0] * rows).sum(), (seen[..., 0] * columns).sum()]
    assert np.array(centre) / seen[..., 0].sum() == pytest.approx([32, 32], abs=1e-3)


def test_infrared_is_grey_and_shows_skins_alike() -> None:
    light = np.zeros((8, 8, 3), np.float32)
    light[:, :4], light[:, 4:] = (0.1, 0.05, 0.03), (0.5, 0.35, 0.28)
    seen = infrared(light)
    assert np.ptp(seen, axis=2).max() == 0
    assert 1 < seen[0, 7, 0] / seen[0, 0, 0] < 0.75 * 0.5 / 0.1


def test_few_pixels_keep_the_picture_in_its_place() -> None:
    light = np.zeros((128, 128, 3), np.float32)
    rows, columns = np.indices((128, 128))
    light += np.exp(-((rows - 70) ** 2 + (columns - 50) ** 2) / 200)[..., None] * 0.3
    rng = np.random.default_rng(0)
    sharp, coarse = (
        expose(Sensor(np.ones(3, np.float32), pixels=p), light, rng, first=True).astype(float)
        for p in (0, 48)
    )
    assert coarse.shape == sharp.shape
    for picture in (sharp, coarse):
        centre = [(picture[..., 0] * rows).sum(), (picture[..., 0] * columns).sum()]
        assert np.array(centre) / picture[..., 0].sum() == pytest.approx([70, 50], abs=0.6)


def test_poor_cameras_are_the_exception() -> None:
    plain = Sensor(np.ones(3, np.float32))
    drawn = [worsened(np.random.default_rng(seed), plain) for seed in range(300)]
    for share in (
        np.mean([s.pixels > 0 for s in drawn]),
        np.mean([s.infrared for s in drawn]),
        np.mean([any(s.smear) for s in drawn]),
        np.mean([s.flicker > 0 for s in drawn]),
    ):
        assert 0.03 < share < 0.25
