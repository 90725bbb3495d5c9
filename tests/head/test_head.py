"""The built-in head as a mesh with shape keys: what anyone who uses it relies on."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from microface.head import IDENTITIES, Head, build_head, random_identity, triangles
from microface.head.names import ARKIT

TEXTURE = 128


@pytest.fixture(scope="module")
def head() -> Head:
    return build_head(texture_size=TEXTURE)


def shape(head: Head, name: str) -> np.ndarray:
    return head.shapes[head.shape_names.index(name)].astype(np.float64)


def strength(head: Head, name: str) -> float:
    return float(np.linalg.norm(shape(head, name), axis=1).max())


def test_every_arkit_name_is_there_and_moves(head: Head) -> None:
    assert len(ARKIT) == len(set(ARKIT)) == 52
    assert head.shape_names[:52] == ARKIT
    assert len(set(head.shape_names)) == len(head.shape_names)
    assert {"browPinchLeft", "browPinchRight", "lipsPart"} <= set(head.shape_names)
    for name in head.shape_names:
        assert strength(head, name) > 0.15, name


@pytest.mark.parametrize(
    ("name", "centimetres"),
    [
        ("browDownLeft", 0.65),
        ("browInnerUp", 0.6),
        ("browOuterUpLeft", 0.8),
        ("cheekPuff", 1.4),
        ("cheekSquintLeft", 0.7),
        ("eyeBlinkLeft", 1.0),
        ("jawOpen", 4.0),
        ("mouthSmileLeft", 1.6),
        ("mouthDimpleLeft", 0.85),
        ("mouthFrownLeft", 0.63),
        ("mouthFunnel", 1.1),
        ("mouthPucker", 1.0),
        ("mouthPressLeft", 0.5),
        ("noseSneerLeft", 0.8),
        ("mouthStretchLeft", 0.95),
        ("mouthUpperUpLeft", 0.75),
        ("mouthLowerDownLeft", 0.47),
        ("mouthShrugLower", 0.9),
        ("eyeSquintLeft", 0.37),
        ("eyeWideLeft", 0.35),
    ],
)
def test_displacements_are_as_large_as_on_faces(head: Head, name: str, centimetres: float) -> None:
    assert centimetres * 0.7 < strength(head, name) < centimetres * 1.4


def test_arrays_agree(head: Head) -> None:
    count = len(head.vertices)
    assert head.vertices.dtype == np.float32 and head.vertices.shape == (count, 3)
    assert head.shapes.shape == (len(head.shape_names), count, 3)
    assert head.faces.shape == head.uv_faces.shape == (len(head.material), 4)
    assert head.faces.max() == count - 1 and head.faces[:, :3].min() == 0
    assert head.uv_faces.max() < len(head.uv)
    assert ((head.faces[:, 3] < 0) == (head.uv_faces[:, 3] < 0)).all()
    assert head.material.max() < len(head.material_names)
    assert head.texture.shape == (TEXTURE, TEXTURE, 3) and head.texture.dtype == np.uint8
    assert 8_000 < count < 26_000
    for array in (head.vertices, head.shapes, head.uv):
        assert np.isfinite(array).all()


def test_every_vertex_belongs_to_a_face(head: Head) -> None:
    assert len(np.unique(head.faces[head.faces >= 0])) == len(head.vertices)


def test_no_face_is_degenerate(head: Head) -> None:
    corners, _, _ = triangles(head)
    quads = head.faces[:, 3] >= 0
    area = np.zeros(len(head.faces))
    a, b, c = (head.vertices[corners[:, k]].astype(np.float64) for k in range(3))
    each = 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)
    area += each[: len(head.faces)]
    area[quads] += each[len(head.faces) :]
    assert area.min() > 1e-7


def test_skin_faces_outwards(head: Head) -> None:
    corners, _, material = triangles(head)
    skin = corners[material == head.material_names.index("skin")]
    a, b, c = (head.vertices[skin[:, k]].astype(np.float64) for k in range(3))
    normal = np.cross(b - a, c - a)
    middle = (a + b + c) / 3
    front = (middle[:, 2] > 0.5) & (np.abs(middle[:, 0]) < 5) & (middle[:, 1] > 2.5)
    assert (normal[front, 2] > 0).all()


def test_texture_coordinates_stay_inside_and_do_not_overlap(head: Head) -> None:
    assert head.uv.min() >= 0.0 and head.uv.max() <= 1.0
    _, corners, _ = triangles(head)
    a, b, c = (head.uv[corners[:, k]].astype(np.float64) for k in range(3))
    cross = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    # Nothing overlaps when the triangles' areas add up to the area that they cover together.
    size = 1024
    covered = np.zeros((size, size), dtype=np.int32)
    for p, q, r in zip(a, b, c, strict=True):
        low = np.floor(np.minimum(np.minimum(p, q), r) * size).astype(int)
        high = np.ceil(np.maximum(np.maximum(p, q), r) * size).astype(int) + 1
        x, y = np.meshgrid(
            (np.arange(low[0], high[0]) + 0.5) / size, (np.arange(low[1], high[1]) + 0.5) / size
        )
        sides = [
            (t[0] - s[0]) * (y - s[1]) - (t[1] - s[1]) * (x - s[0])
            for s, t in ((p, q), (q, r), (r, p))
        ]
        inside = np.minimum.reduce(sides) > 1e-12
        inside |= np.maximum.reduce(sides) < -1e-12
        covered[low[1] : high[1], low[0] : high[0]] += inside
    assert (covered > 1).sum() < 0.0005 * (covered > 0).sum()
    assert 0.45 < 0.5 * np.abs(cross).sum() < 1.0


def test_it_is_the_same_every_time(head: Head) -> None:
    again = build_head(texture_size=TEXTURE)
    for field in dataclasses.fields(Head):
        mine, other = getattr(head, field.name), getattr(again, field.name)
        assert np.array_equal(mine, other), field.name


def test_identities_differ_and_share_their_topology(head: Head) -> None:
    assert len(IDENTITIES) >= 5
    others = [build_head(IDENTITIES[name], texture_size=64) for name in ("mei", "lars")]
    hair = head.material_names.index("hair")
    kept = head.faces[head.material != hair]
    for other in others:
        assert other.shape_names == head.shape_names
        assert np.array_equal(other.faces[other.material != hair], kept)
        assert np.array_equal(other.uv_faces[other.material != hair], head.uv_faces[: len(kept)])
        moved = np.linalg.norm(other.vertices[: kept.max()] - head.vertices[: kept.max()], axis=1)
        assert moved.max() > 0.5


def test_random_identities_are_reproducible() -> None:
    first, same, other = (random_identity(np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert first == same and first != other
    assert np.isfinite(build_head(first, texture_size=64).shapes).all()


def test_landmarks_are_where_multi_pie_has_them(head: Head) -> None:
    p = head.vertices[head.landmarks]
    assert p.shape == (68, 3) and len(np.unique(head.landmarks)) > 64
    assert (np.diff(p[:17, 0]) > 0).all()
    assert p[8, 1] == p[:17, 1].min() and abs(p[8, 0]) < 0.05
    assert (p[17:22, 0] < 0).all() and (p[22:27, 0] > 0).all()
    assert (np.diff(p[17:27, 0]) > 0).all()
    assert (np.diff(p[27:31, 1]) < 0).all() and np.abs(p[27:31, 0]).max() < 0.05
    assert p[36, 0] < p[39, 0] < p[42, 0] < p[45, 0]
    assert p[37, 1] > p[41, 1] and p[44, 1] > p[46, 1]
    assert p[48, 0] < p[51, 0] < p[54, 0] and p[51, 1] > p[62, 1] >= p[66, 1] > p[57, 1]
    # Right and left mirror each other.
    pairs = [(0, 16), (17, 26), (21, 22), (36, 45), (39, 42), (31, 35), (48, 54), (50, 52)]
    for right, left in pairs:
        assert np.allclose(p[right] * [-1, 1, 1], p[left], atol=0.02), (right, left)
