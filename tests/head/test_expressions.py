"""What the shape keys must do to a face, in numbers."""

from __future__ import annotations

import numpy as np
import pytest
from microface.head import IDENTITIES, Head, build_head
from microface.head import grid as g
from microface.head.measures import measure

NAMES = ("ada", "mei", "kofi")
GRID = g.build_grid()


@pytest.fixture(scope="module", params=NAMES)
def named(request: pytest.FixtureRequest) -> tuple[str, Head]:
    return request.param, build_head(IDENTITIES[request.param], texture_size=64)


@pytest.fixture(scope="module")
def head() -> Head:
    return build_head(texture_size=64)


def posed(head: Head, **weights: float) -> np.ndarray:
    points = head.vertices.astype(np.float64)
    for name, weight in weights.items():
        points = points + weight * head.shapes[head.shape_names.index(name)]
    return points


def test_lids_close_and_stay_off_the_eyeball(named: tuple[str, Head]) -> None:
    name, head = named
    m = measure(IDENTITIES[name])
    shut = posed(head, eyeBlinkLeft=1.0, eyeBlinkRight=1.0)
    for side, sign in (("eye_left", 1.0), ("eye_right", -1.0)):
        slit = GRID.slits[side]
        gap = shut[slit.upper[0], :2] - shut[slit.lower[0], :2]
        assert np.abs(gap).max() < 0.05
        lids = np.unique(np.concatenate([slit.upper.ravel(), slit.lower.ravel()]))
        near = np.flatnonzero(np.abs(shut[: GRID.count] - m.eye * [sign, 1, 1]).max(axis=1) < 2.0)
        away = np.linalg.norm(shut[np.union1d(lids, near)] - m.eye * [sign, 1, 1], axis=1)
        assert away.min() >= m.eye_radius


@pytest.mark.parametrize("weight", [0.0, 0.25, 0.5, 0.75])
def test_half_closed_lids_cover_the_eyeball(head: Head, weight: float) -> None:
    m = measure(IDENTITIES["ada"])
    points = posed(head, eyeBlinkLeft=weight)
    outer = GRID.slits["eye_left"].upper[0]
    assert np.linalg.norm(points[outer] - m.eye, axis=1).min() > m.eye_radius


def test_eyes_are_open_in_the_neutral(named: tuple[str, Head]) -> None:
    _, head = named
    slit = GRID.slits["eye_left"]
    height = head.vertices[slit.upper[0], 1] - head.vertices[slit.lower[0], 1]
    assert 0.8 < height.max() < 1.8


def test_lips_meet(named: tuple[str, Head]) -> None:
    _, head = named
    slit = GRID.slits["mouth"]
    for weights in ({}, {"jawOpen": 1.0, "mouthClose": 1.0}):
        points = posed(head, **weights)
        gap = np.linalg.norm(points[slit.upper[0]] - points[slit.lower[0]], axis=1)
        assert gap.max() < 0.01
    opened = posed(head, jawOpen=1.0)
    assert (opened[slit.upper[0], 1] - opened[slit.lower[0], 1]).max() > 2.0


def test_left_and_right_mirror_each_other(head: Head) -> None:
    from microface.head.fields import mirror_vertices

    other = mirror_vertices(GRID)
    skin = slice(0, GRID.count)
    assert np.allclose(head.vertices[other] * [-1, 1, 1], head.vertices[skin], atol=1e-4)
    lefts = [name for name in head.shape_names if name.endswith("Left")]
    for name in lefts:
        twin = name.removesuffix("Left") + "Right"
        mine = head.shapes[head.shape_names.index(name), skin]
        theirs = head.shapes[head.shape_names.index(twin), skin]
        assert np.allclose(mine[other] * [-1, 1, 1], theirs, atol=1e-5), name


def test_one_side_leaves_the_other_still(head: Head) -> None:
    whole = {"jawLeft", "jawRight", "mouthLeft", "mouthRight"}
    for name, movement in zip(head.shape_names, head.shapes, strict=True):
        if name in whole or not name.endswith(("Left", "Right")):
            continue
        sign = 1.0 if name.endswith("Left") else -1.0
        far = sign * head.vertices[:, 0] < -1.0
        assert np.abs(movement[far]).max() == 0.0, name


@pytest.mark.parametrize(
    ("name", "landmark", "axis", "sign"),
    [
        ("mouthSmileLeft", 54, 1, 1),
        ("mouthSmileLeft", 54, 0, 1),
        ("mouthFrownLeft", 54, 1, -1),
        ("mouthStretchLeft", 54, 0, 1),
        ("browDownLeft", 23, 1, -1),
        ("browPinchLeft", 22, 0, -1),
        ("browPinchRight", 21, 0, 1),
        ("browInnerUp", 22, 1, 1),
        ("browOuterUpLeft", 25, 1, 1),
        ("jawOpen", 8, 1, -1),
        ("jawLeft", 8, 0, 1),
        ("mouthLeft", 57, 0, 1),
        ("mouthPucker", 54, 0, -1),
        ("mouthPucker", 51, 2, 1),
        ("mouthUpperUpLeft", 52, 1, 1),
        ("mouthLowerDownLeft", 56, 1, -1),
        ("mouthShrugLower", 57, 1, 1),
        ("noseSneerLeft", 35, 1, 1),
        ("eyeWideLeft", 44, 1, 1),
        ("eyeSquintLeft", 46, 1, 1),
        ("nostrilDilate", 35, 0, 1),
    ],
)
def test_it_moves_where_its_name_says(
    head: Head, name: str, landmark: int, axis: int, sign: int
) -> None:
    movement = head.shapes[head.shape_names.index(name), head.landmarks[landmark]]
    assert movement[axis] * sign > 0.08


def test_brows_and_lashes_follow_the_skin(head: Head) -> None:
    for material, name in (("brow", "browOuterUpLeft"), ("lash", "eyeBlinkLeft")):
        ids = np.unique(head.faces[head.material == head.material_names.index(material)])
        movement = head.shapes[head.shape_names.index(name), ids[ids >= 0]]
        assert np.linalg.norm(movement, axis=1).max() > 0.6


def test_eyeballs_turn_without_leaving_their_sockets(head: Head) -> None:
    m = measure(IDENTITIES["ada"])
    ids = np.unique(head.faces[head.material == head.material_names.index("eye")])
    ids = ids[(ids >= 0)]
    left = ids[head.vertices[ids, 0] > 0]
    for name in ("eyeLookUpLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft"):
        turned = posed(head, **{name: 1.0})[left]
        away = np.linalg.norm(turned - m.eye, axis=1)
        assert np.allclose(away, m.eye_radius, atol=1e-3)
