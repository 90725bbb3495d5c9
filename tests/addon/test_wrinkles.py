"""Wrinkle maps: a few textures and curves that stand for a sequence, and play in the material."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
import synthetic
from dump import differences, dump
from microface.addon.bake.materials import unwire_sequences
from microface.addon.bake.targets import find_targets
from microface.addon.bake.texture import Cast, bake_textures
from microface.addon.bake.time import TimeBase
from microface.addon.bake.wrinkle_nodes import bake_maps
from microface.addon.bake.wrinkles import WrinkleMaps
from microface.addon.character.neutral import render_frame
from microface.addon.png import read_own_png
from trees import tree_dump

FRAMES = 12
BASE = TimeBase(Fraction(200), 1)
CREASES = ((slice(108, 122), slice(100, 116), -0.35), (slice(60, 72), slice(60, 80), 0.2))


def creased(mask: Any) -> tuple[Any, Any, np.ndarray]:
    """A clip in which one patch gets darker early and another lighter late; nothing moves."""
    view, still = synthetic.generate(mask, np.zeros((FRAMES, 6)), resolution=176, samples=4)
    steps = np.arange(FRAMES)
    courses = np.stack([np.exp(-(((steps - at) / 2.0) ** 2)) for at in (3.0, 8.0)])
    courses[courses < 0.02] = 0
    frames, motion = still.frames.copy(), still.motion.copy()
    for (rows, columns, most), course in zip(CREASES, courses, strict=True):
        for index, amount in enumerate(course):
            patch = still.neutral[rows, columns] * (1 + most * amount)
            frames[index, rows, columns] = np.clip(np.rint(patch), 0, 255)
            motion[index, rows, columns] = 0.3 * (amount > 0)
    return view, replace(still, frames=frames, motion=motion), courses


def mapped(mask: Any, folder: Path, **options: Any) -> tuple[Any, WrinkleMaps, np.ndarray]:
    view, generated, courses = creased(mask)
    (maps,) = bake_maps(Cast(mask, view), generated, folder, BASE, **options)
    return generated, maps, courses


def test_two_creases_make_two_maps_and_play(mask: Any, tmp_path: Path) -> None:
    generated, maps, courses = mapped(mask, tmp_path)
    assert maps.names == ("wrinkle_1", "wrinkle_2")
    assert maps.explained > 0.98
    print(f"explained {maps.explained:.4f}, {maps.error_levels:.2f} of {maps.still_levels:.2f}")
    assert maps.error_levels < 0.15 * maps.still_levels
    for course in courses:
        near = [np.corrcoef(course, curve)[0, 1] for curve in maps.curves]
        assert max(near) > 0.98
    said = json.loads(maps.sidecar.read_text())
    assert [one["name"] for one in said["maps"]] == list(maps.names)
    assert said["fps"] == "200/1"
    assert np.array(said["maps"][0]["weights"]) == pytest.approx(maps.curves[0], abs=1e-5)
    # At rest a layer multiplies by 1: exactly half of the range.
    picture = read_own_png(tmp_path / maps.texture / said["maps"][0]["picture"])
    assert picture.dtype == np.uint16
    assert np.median(picture) == round(65535 / maps.range)
    for index in (3, 8):
        rendered = render_frame(mask, generated.framing, 1 + index, samples=4).astype(float)
        before = generated.neutral.astype(float)
        wanted = generated.frames[index].astype(float)
        changed = np.abs(wanted - before).max(axis=2) > 8
        error = np.sqrt(((rendered - wanted)[changed] ** 2).mean())
        assert error < 0.3 * np.sqrt(((before - wanted)[changed] ** 2).mean())


def test_the_layers_stand_for_the_sequence(mask: Any, tmp_path: Path) -> None:
    original = find_targets(mask, 64)[0].pixels.astype(float)
    view, generated, _ = creased(mask)
    texture = bake_textures(mask, view, generated, tmp_path / "a", BASE).textures[0]
    (maps,) = bake_maps(Cast(mask, view), generated, tmp_path / "b", BASE, kind="exr")
    assert maps.files[0].suffix == ".exr"
    assert maps.range == 1
    sequence = np.stack([read_own_png(path) for path in texture.files]).astype(float)
    moving = texture.moving
    spread = np.sqrt(((sequence - original)[:, moving] ** 2).mean())
    assert maps.still_levels == pytest.approx(spread, rel=0.05)
    assert maps.error_levels < 0.2 * spread


def test_fewer_maps_where_fewer_are_asked_for(mask: Any, tmp_path: Path) -> None:
    _, maps, _ = mapped(mask, tmp_path, most=1)
    assert len(maps.files) == 1
    assert 0.3 < maps.explained < 0.95


def test_removal_leaves_the_file_as_it_was(mask: Any, tmp_path: Path) -> None:
    tree = mask.material_slots[0].material.node_tree
    before, file = tree_dump(tree), dump()
    groups = set(bpy.data.node_groups.keys())
    mapped(mask, tmp_path)
    assert len(tree.nodes) > len(before["nodes"])
    mapped(mask, tmp_path)
    assert unwire_sequences(mask) == 1
    assert differences(before, tree_dump(tree)) == []
    assert set(bpy.data.node_groups.keys()) == groups
    assert differences(file, dump()) == []
