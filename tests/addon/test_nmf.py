"""The factorisation finds what data were made of, and is never worse for another map."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from microface.addon.bake.nmf import factorise, factorise_to, fit_maps, smoother


def made_of(count: int, rows: int = 300, frames: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(count)
    times = np.arange(frames)
    curves = np.stack([np.exp(-(((times - 8 - 9 * k) / (3 + k)) ** 2)) for k in range(count)])
    maps = rng.random((rows, count)) * (rng.random((rows, count)) > 0.5)
    return maps, curves


@pytest.mark.parametrize("count", [1, 2, 3])
def test_known_curves_come_back(count: int) -> None:
    maps, curves = made_of(count)
    found = factorise(maps @ curves, count)
    assert found.explained > 0.9999
    assert found.curves.max(axis=1) == pytest.approx(1)
    for curve in curves:
        match = found.curves @ curve / np.linalg.norm(found.curves, axis=1) / np.linalg.norm(curve)
        assert match.max() > 0.995


def test_as_few_maps_as_it_takes() -> None:
    maps, curves = made_of(3)
    assert len(factorise_to(maps @ curves, 0.999, 6).curves) == 3
    assert len(factorise_to(maps @ curves, 0.3, 6).curves) < 3
    assert len(factorise_to(maps @ curves, 0.999, 2).curves) == 2


def test_no_map_that_explains_hardly_more() -> None:
    maps, curves = made_of(2)
    rng = np.random.default_rng(0)
    noisy = np.maximum(maps @ curves + 0.03 * rng.normal(size=(300, 40)), 0)
    assert len(factorise_to(noisy, 0.9999, 6).curves) == 2


def test_smooth_curves_do_not_jump_and_keep_what_lasts() -> None:
    maps, curves = made_of(2)
    rng = np.random.default_rng(0)
    noisy = np.maximum(maps @ curves + rng.normal(size=40) * rng.random((300, 1)) * 0.1, 0)
    rough, smooth = (factorise(noisy, 2, one).curves for one in (None, smoother(40, 1.5)))
    jumps = [np.abs(np.diff(one, 2)).max() for one in (rough, smooth)]
    assert jumps[1] < 0.7 * jumps[0]
    for curve in curves:
        match = smooth @ curve / np.linalg.norm(smooth, axis=1) / np.linalg.norm(curve)
        assert match.max() > 0.98
    assert np.array_equal(smoother(9, 0.0), np.eye(9))
    assert smoother(9, 2.0).sum(axis=1) == pytest.approx(1)


def test_maps_from_sums_are_the_same_as_from_data() -> None:
    maps, curves = made_of(2)
    assert fit_maps((maps @ curves) @ curves.T, curves) == pytest.approx(maps, abs=1e-6)


def test_nothing_at_all_and_values_below_zero() -> None:
    found = factorise(np.zeros((5, 7)), 2)
    assert found.curves.shape[0] == 0
    assert found.explained == 1
    with pytest.raises(ValueError, match="below 0"):
        factorise(-np.ones((2, 2)), 1)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 30), st.integers(2, 12), st.integers(0, 2**31))
def test_nothing_is_negative_and_more_maps_explain_more(rows: int, frames: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = rng.random((rows, frames)) * (rng.random((rows, frames)) > 0.3)
    one, two = factorise(data, 1), factorise(data, 2)
    for found in (one, two):
        assert (found.maps >= 0).all()
        assert (found.curves >= 0).all()
        assert found.explained <= 1
        error = ((data - found.maps @ found.curves) ** 2).sum()
        assert error == pytest.approx((1 - found.explained) * (data**2).sum(), abs=1e-9)
    assert two.explained >= one.explained - 0.02
