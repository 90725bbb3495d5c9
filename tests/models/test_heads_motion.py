"""Exact motion between two drawings, on a head small enough to reason about."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from microface.models.heads.families import RenderHead, Surface
from microface.models.heads.render import Look, draw, motion, prepare_look
from microface.models.heads.scene import Camera, Light, rotation
from microface.models.heads.style import Style
from numpy.typing import NDArray

SIZE = 64


def _ball(rings: int = 16, around: int = 24) -> RenderHead:
    """A ball of radius 5 cm with one expression that moves it 1 cm to its left."""
    polar = np.linspace(0, np.pi, rings + 1)
    angle = np.linspace(0, 2 * np.pi, around + 1)
    grid = np.stack(np.meshgrid(polar, angle, indexing="ij"), -1).reshape(-1, 2)
    sine = np.sin(grid[:, 0])
    x, z = sine * np.sin(grid[:, 1]), sine * np.cos(grid[:, 1])
    points = (5 * np.stack([x, np.cos(grid[:, 0]), z], 1)).astype(np.float32)
    uv = np.stack([grid[:, 1] / (2 * np.pi), 1 - grid[:, 0] / np.pi], 1).astype(np.float32)
    triangles = []
    for r in range(rings):
        for c in range(around):
            a = r * (around + 1) + c
            b = a + around + 1
            triangles += [(a, b, b + 1), (a, b + 1, a + 1)]
    faces = np.array(triangles, np.int32)
    checks = np.indices((64, 64)).sum(0)[..., None] // 4 % 2 * np.ones(3)
    left = np.zeros((1, len(points), 3), np.float32)
    left[..., 0] = 1
    return RenderHead(
        "ball", 0, points, faces, uv, faces, np.zeros(len(faces), np.uint8),
        (Surface(checks.astype(np.float32) * 0.5 + 0.1),), np.zeros(68, np.int32), ("shift",),
        left, np.ones(1, np.float32), np.ones(len(points), np.float32), np.ones_like(points),
        np.ones(len(points), np.bool_), points, {"shift": 0},
    )  # fmt: skip


def _camera(turn: NDArray[np.float32] | None = None, distance: float = 1e4) -> Camera:
    # 12 cm across the picture, the origin in its middle.
    crop = np.array([[1 / 12, 0, 0.5], [0, 1 / 12, 0.5]], np.float32)
    return Camera(rotation(0, 0) if turn is None else turn, distance, crop)


def _look(head: RenderHead, camera: Camera) -> Look:
    light = Light(
        np.array([0, 0, 1], np.float32), np.ones(3, np.float32),
        np.full((4, 3), 0.1, np.float32), 0.2, 0.5,
    )  # fmt: skip
    return prepare_look(head, head.rest, camera, light)


def test_flow_of_a_translation_is_that_translation() -> None:
    head = _ball()
    look = _look(head, _camera())
    step = np.array([0.3, -0.2, 0], np.float32)
    start, end = draw(head, head.rest, look, SIZE), draw(head, head.rest + step, look, SIZE)
    moved = motion(start, end, head.triangles)
    expected = np.array([0.3, 0.2]) * SIZE / 12
    on_head = moved.covered > 0
    assert np.abs(moved.flow[on_head] - expected).max() < 1e-3
    assert np.abs(moved.flow[~on_head]).max() == 0
    assert moved.visible[SIZE // 2, SIZE // 2] == 1


def test_flow_of_a_rotation_is_where_the_surface_goes() -> None:
    head = _ball(64, 96)
    look = _look(head, _camera())
    turn = rotation(yaw=3, pitch=0)
    start, end = draw(head, head.rest, look, SIZE), draw(head, head.rest @ turn.T, look, SIZE)
    flow = motion(start, end, head.triangles).flow
    # At the middle the surface is at depth 5 cm: yaw moves it by 5 sin 3 degrees to image right.
    expected = 5 * np.sin(np.deg2rad(3)) * SIZE / 12
    middle = flow[SIZE // 2 - 1 : SIZE // 2 + 1, SIZE // 2 - 1 : SIZE // 2 + 1].mean((0, 1))
    assert middle == pytest.approx([expected, 0], abs=1e-2)


def test_backward_undoes_forward() -> None:
    head = _ball(48, 64)
    look = _look(head, _camera(distance=60))
    pushed = head.rest.copy()
    pushed[:, 0] += 0.4 * np.exp(-((head.rest - [1, 1, 4.7]) ** 2).sum(1) / 4).astype(np.float32)
    start, end = draw(head, head.rest, look, SIZE), draw(head, pushed, look, SIZE)
    forward = motion(start, end, head.triangles)
    backward = motion(end, start, head.triangles)
    rows, columns = np.nonzero(np.linalg.norm(forward.flow, axis=-1) > 0.3)
    assert len(rows) > 50
    for row, column in zip(rows[::7], columns[::7], strict=True):
        x, y = column + forward.flow[row, column, 0], row + forward.flow[row, column, 1]
        i, j = int(x), int(y)
        u, v = x - i, y - j
        patch = backward.flow[j : j + 2, i : i + 2]
        back = (1 - v) * ((1 - u) * patch[0, 0] + u * patch[0, 1])
        back += v * ((1 - u) * patch[1, 0] + u * patch[1, 1])
        assert np.linalg.norm(back + forward.flow[row, column]) < 0.05


def test_drawing_from_a_near_one_changes_next_to_nothing() -> None:
    head = _ball()
    look = _look(head, _camera())
    pushed = head.rest.copy()
    pushed[head.rest[:, 1] > 2, 1] += 0.3
    start = draw(head, head.rest, look, SIZE)
    whole, reused = draw(head, pushed, look, SIZE), draw(head, pushed, look, SIZE, start)
    assert np.array_equal(whole.raster.triangle, reused.raster.triangle)
    assert np.abs(whole.light - reused.light).max() < 1e-5
    inked = replace(look, style=Style(flatness=0.3, ink=0.8))
    start = draw(head, head.rest, inked, SIZE)
    whole, reused = draw(head, pushed, inked, SIZE), draw(head, pushed, inked, SIZE, start)
    assert np.abs(whole.light - reused.light).max() < 1e-5


def test_what_gets_covered_is_not_visible() -> None:
    head = _ball()
    look = _look(head, _camera())
    doubled = np.concatenate([head.rest * 0.3 + [-3.4, 0, 6], head.rest]).astype(np.float32)
    count = len(head.rest)
    two = RenderHead(
        "two", 0, doubled, np.concatenate([head.triangles, head.triangles + count]), head.uv,
        np.concatenate([head.triangles, head.triangles]), np.repeat(head.surface, 2),
        head.surfaces, head.landmarks, (), np.zeros((0, 2 * count, 3), np.float32),
        np.zeros(0, np.float32), np.ones(2 * count, np.float32), np.ones_like(doubled),
        np.ones(2 * count, np.bool_), doubled, {},
    )  # fmt: skip
    look = _look(two, _camera())
    moved = doubled.copy()
    moved[:count, 0] += 3.4
    start, end = draw(two, doubled, look, SIZE), draw(two, moved, look, SIZE)
    seen = motion(start, end, two.triangles)
    # The small ball moves in front of the middle of the large one, which stays but is hidden there.
    assert seen.covered[SIZE // 2, SIZE // 2] == 1
    assert seen.visible[SIZE // 2, SIZE // 2] == 0
    assert seen.flow[SIZE // 2, SIZE // 2] == pytest.approx([0, 0], abs=1e-6)
    assert seen.visible[SIZE // 2 + 16, SIZE // 2] == 1
