"""The painted atlas: enough detail for optical flow to hold on to, and every part in its place."""

from __future__ import annotations

import numpy as np
import pytest
from microface.head import IDENTITIES, build_head
from microface.head.atlas import ISLANDS, pixels

SIZE = 512


@pytest.fixture(scope="module")
def texture() -> np.ndarray:
    return build_head(texture_size=SIZE).texture.astype(np.float64)


def test_islands_keep_apart() -> None:
    boxes = list(ISLANDS.values())
    for k, a in enumerate(boxes):
        assert 0.0 <= a[0] < a[2] <= 1.0 and 0.0 <= a[1] < a[3] <= 1.0
        for b in boxes[k + 1 :]:
            apart = a[2] < b[0] or b[2] < a[0] or a[3] < b[1] or b[3] < a[1]
            assert apart, (a, b)


def test_skin_has_detail_at_every_scale(texture: np.ndarray) -> None:
    rows, columns = pixels("skin", SIZE, margin=0)
    skin = texture[rows, columns].mean(axis=2)
    cheek = skin[skin.shape[0] // 2 : skin.shape[0] // 2 + 96, 300:396]
    for cell in (1, 2, 4, 8):
        h, w = (cheek.shape[0] // cell) * cell, (cheek.shape[1] // cell) * cell
        coarse = cheek[:h, :w].reshape(h // cell, cell, w // cell, cell).mean(axis=(1, 3))
        assert np.abs(np.diff(coarse, axis=1)).mean() > 0.8


def test_eyes_have_a_dark_pupil_in_a_coloured_iris_in_a_white(texture: np.ndarray) -> None:
    rows, columns = pixels("eye_left", SIZE, margin=0)
    eye = texture[rows, columns]
    middle = eye.shape[0] // 2
    assert eye[middle, middle].mean() < 30
    assert eye[middle, int(middle * 1.45)].mean() > 190
    iris = eye[middle, middle + int(0.17 * middle)]
    assert iris[1] > iris[0] and iris.mean() < 170


def test_skin_tones_differ() -> None:
    fair, deep = (
        build_head(IDENTITIES[name], texture_size=64).texture[30, 32].mean()
        for name in ("lars", "kofi")
    )
    assert fair > deep + 40
