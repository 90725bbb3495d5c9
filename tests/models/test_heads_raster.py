"""The depth-buffer rasteriser against what can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from microface.models.heads.raster import barycentric, facing, rasterise
from numpy.typing import NDArray

WIDTH, HEIGHT = 40, 30


def _triangles(*corners: tuple[int, int, int]) -> NDArray[np.int32]:
    return np.array(corners, np.int32)


def _plane(points: list[tuple[float, float, float]]) -> NDArray[np.float32]:
    return np.array(points, np.float32)


def test_rectangle_of_two_triangles_claims_each_centre_inside_once() -> None:
    points = _plane([(3, 4, 1), (20, 4, 1), (20, 11, 1), (3, 11, 1)])
    both = rasterise(points, _triangles((0, 1, 2), (0, 2, 3)), WIDTH, HEIGHT, both_sides=True)
    expected = np.zeros((HEIGHT, WIDTH), bool)
    expected[4:11, 3:20] = True
    assert np.array_equal(both.triangle >= 0, expected)
    areas = np.bincount(both.triangle[expected])
    assert areas.sum() == 17 * 7
    assert abs(int(areas[0]) - int(areas[1])) <= 10


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_fan_about_an_inner_point_has_neither_cracks_nor_doubles(seed: int) -> None:
    rng = np.random.default_rng(seed)
    middle = rng.uniform(8, 22, 2)
    rim = [(2.0, 2.0), (33.0, 2.0), (33.0, 27.0), (2.0, 27.0)]
    points = _plane([(float(middle[0]), float(middle[1]), 1.0), *((x, y, 1.0) for x, y in rim)])
    fan = _triangles((0, 1, 2), (0, 2, 3), (0, 3, 4), (0, 4, 1))
    singles = [
        rasterise(points, fan[k : k + 1], WIDTH, HEIGHT, both_sides=True).triangle >= 0
        for k in range(4)
    ]
    claims = np.sum(singles, axis=0)
    assert np.array_equal(claims[2:27, 2:33], np.ones((25, 31)))
    assert claims.sum() == 25 * 31


def test_nearer_triangle_wins_whatever_the_order() -> None:
    points = _plane([(0, 0, 5), (39, 0, 5), (0, 29, 5), (0, 0, 3), (39, 0, 3), (0, 29, 3)])
    for far, near in (((0, 1, 2), (3, 4, 5)), ((3, 4, 5), (0, 1, 2))):
        seen = rasterise(points, _triangles(far, near), WIDTH, HEIGHT, both_sides=True)
        winner = 1 if near == (3, 4, 5) else 0
        assert set(np.unique(seen.triangle)) == {-1, winner}
        assert seen.depth[2, 2] == pytest.approx(3, abs=1e-4)
        assert np.isinf(seen.depth[29, 39])


def test_crossing_planes_meet_where_their_depths_do() -> None:
    # Depth x/10 against a constant 2: they meet at x = 20.
    points = _plane([(0, 0, 0), (39, 0, 3.9), (0, 29, 0), (0, 0, 2), (39, 0, 2), (0, 29, 2)])
    seen = rasterise(points, _triangles((0, 1, 2), (3, 4, 5)), WIDTH, HEIGHT, both_sides=True)
    assert np.all(seen.triangle[0, :20] == 0)
    assert np.all(seen.triangle[0, 20:38] == 1)


def test_barycentric_weights_sum_to_one_and_give_the_centre_back() -> None:
    points = _plane([(1.3, 2.2, 1), (37.8, 6.1, 2), (11.4, 28.9, 3)])
    triangles = _triangles((0, 1, 2))
    seen = rasterise(points, triangles, WIDTH, HEIGHT, both_sides=True)
    pixel = seen.covered
    weights = barycentric(points, triangles, seen.triangle.ravel()[pixel], pixel, WIDTH)
    assert np.abs(weights.sum(1) - 1).max() < 1e-6
    assert weights.min() >= 0
    back = weights @ points
    centres = np.stack([pixel % WIDTH + 0.5, pixel // WIDTH + 0.5], axis=1)
    assert np.abs(back[:, :2] - centres).max() < 1e-4
    assert np.abs(back[:, 2] - seen.depth.ravel()[pixel]).max() < 1e-4


def test_counter_clockwise_from_outside_faces_the_viewer() -> None:
    # Counter-clockwise with y up is clockwise with y down.
    points = _plane([(0, 10, 1), (10, 10, 1), (0, 0, 1)])
    assert facing(points, _triangles((0, 1, 2), (0, 2, 1))).tolist() == [True, False]
    hidden = rasterise(points, _triangles((0, 2, 1)), WIDTH, HEIGHT, both_sides=False)
    assert not len(hidden.covered)


def test_what_lies_outside_or_has_no_area_claims_nothing() -> None:
    points = _plane([(-9, -9, 1), (-1, -9, 1), (-9, -1, 1), (5, 5, 1), (9, 9, 1), (7, 7, 1)])
    seen = rasterise(points, _triangles((0, 1, 2), (3, 4, 5)), WIDTH, HEIGHT, both_sides=True)
    assert not len(seen.covered)
