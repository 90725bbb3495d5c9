"""What is found wrong with texture coordinates, and that a bake copes with it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st
from microface.addon.bake.texture import bake_textures
from microface.addon.bake.time import TimeBase
from microface.addon.character.preflight import Severity, preflight
from microface.addon.character.uv import check_uv, report
from microface.addon.images import read_pixels
from microface.errors import InputError

BASE = TimeBase(Fraction(200), 1)


def set_uv(obj: Any, change: Any) -> None:
    layer = obj.data.uv_layers[0]
    flat = np.empty(len(obj.data.loops) * 2, np.float32)
    layer.uv.foreach_get("vector", flat)
    layer.uv.foreach_set("vector", np.asarray(change(flat.reshape(-1, 2)), np.float32).ravel())


def mirrored(uv: np.ndarray) -> np.ndarray:
    """Both halves of the face on the left half of the texture."""
    return np.stack([np.where(uv[:, 0] > 0.5, 1 - uv[:, 0], uv[:, 0]), uv[:, 1]], 1)


def smile(mask: Any, size: int = 96) -> tuple[Any, Any]:
    weights = np.zeros((3, 6))
    weights[1, 0] = 0.3
    return synthetic.generate(mask, weights, resolution=size, samples=2)


def test_a_sound_layout_has_no_remarks(mask: Any) -> None:
    found = check_uv(mask)
    assert found is not None
    assert list(found.remarks()) == []
    assert found.triangles == 2 * 48 * 60


def test_mirrored_halves_are_found_and_refused(mask: Any, tmp_path: Path) -> None:
    set_uv(mask, mirrored)
    found = check_uv(mask)
    assert found is not None
    assert found.mirrored > 0.9
    (finding,) = preflight(mask)
    assert finding.severity is Severity.WARNING
    assert "Mirrored UVs" in finding.what
    view, generated = smile(mask)
    with pytest.raises(InputError, match="overlapping UVs"):
        bake_textures(mask, view, generated, tmp_path, BASE)
    assert not list(tmp_path.rglob("*.png"))


def test_a_small_overlap_restricts_the_bake(mask: Any, tmp_path: Path) -> None:
    # A corner of the forehead is stacked upon the moving corner of the mouth.
    def stacked(uv: np.ndarray) -> np.ndarray:
        corner = (uv > 0.85).all(axis=1)
        return np.where(corner[:, None], uv - (0.22, 0.58), uv)

    view, generated = smile(mask)
    whole = bake_textures(mask, view, generated, tmp_path / "a", BASE)
    set_uv(mask, stacked)
    found = check_uv(mask)
    assert found is not None
    assert found.overlap > 0.005
    view, generated = smile(mask)
    bake = bake_textures(mask, view, generated, tmp_path / "b", BASE)
    assert len(bake.notes) == 1
    assert "stay as they are" in bake.notes[0]
    before, after = (read_pixels(one.textures[0].files[0]) for one in (whole, bake))
    assert np.array_equal(before, after)
    left = whole.textures[0].moving & ~bake.textures[0].moving
    assert 20 < left.sum() < whole.textures[0].moving.sum() / 2


def test_outside_flat_and_invalid_coordinates(mask: Any) -> None:
    set_uv(mask, lambda uv: np.where(uv[:, :1] > 0.9, uv * 0, uv) + (uv[:, 1:] < 0.1) * (1, 0))
    found = check_uv(mask)
    assert found is not None
    assert found.flat > 0
    assert found.outside > 0
    set_uv(mask, lambda uv: np.where(uv[:, :1] > 0.9, np.nan, uv))
    found = check_uv(mask)
    assert found is not None
    assert found.invalid > 0
    assert any("NaN" in what for what, _ in found.remarks())


@pytest.mark.parametrize("broken", ["flat", "nan", "line"])
def test_broken_faces_never_make_invalid_texels(mask: Any, tmp_path: Path, broken: str) -> None:
    def breaking(uv: np.ndarray) -> np.ndarray:
        odd = np.arange(len(uv)) % 7 == 0
        wrong = {"flat": (0.5, 0.5), "nan": (np.nan, np.nan), "line": (0.4, 0.4)}[broken]
        if broken == "line":
            return np.where(odd[:, None], np.stack([uv[:, 0], uv[:, 0]], 1), uv)
        return np.where(odd[:, None], wrong, uv)

    set_uv(mask, breaking)
    view, generated = smile(mask)
    try:
        with np.errstate(invalid="raise", divide="raise"):
            bake = bake_textures(mask, view, generated, tmp_path, BASE, kind="exr")
    except InputError as error:  # a layout this broken may share too much
        assert "overlapping" in str(error)
        return
    from microface.addon.exr import read_own_exr

    for one in bake.textures:
        assert all(np.isfinite(read_own_exr(path)[0]).all() for path in one.files)


def test_faces_in_another_tile_are_brought_in(mask: Any, tmp_path: Path) -> None:
    view, generated = smile(mask)
    home = bake_textures(mask, view, generated, tmp_path / "a", BASE)
    set_uv(mask, lambda uv: uv + np.array([2, -1]))
    view, generated = smile(mask)
    away = bake_textures(mask, view, generated, tmp_path / "b", BASE)
    one, other = (read_pixels(bake.textures[0].files[1]) for bake in (home, away))
    assert (np.abs(one.astype(int) - other) > 1).mean() < 1e-4


corner = st.tuples(st.floats(-3, 3), st.floats(-3, 3))


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(corner, corner, corner), min_size=1, max_size=6))
def test_any_triangles_get_shares_within_bounds(triangles: list[Any]) -> None:
    corners = np.array(triangles, np.float64)
    count = len(corners)
    found = report(corners, np.ones(count, bool), np.zeros(count, int), np.zeros(count, bool))
    assert 0 <= found.mirrored <= found.overlap <= 1
    assert found.flat + found.outside <= count
    twice = np.concatenate([corners, corners[:, ::-1]])
    again = report(
        twice, np.ones(2 * count, bool), np.zeros(2 * count, int), np.zeros(2 * count, bool)
    )
    assert again.overlap == pytest.approx(again.mirrored)
