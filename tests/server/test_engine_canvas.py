"""Motion comes to the neutral's own pixels; what does not move stays bit for bit."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from microface.server.clips.crop import Crop
from microface.server.clips.sampling import own_places, sample
from microface.server.engine.canvas import Canvas, feather, invert

NOTHING = np.zeros((256, 256), np.float32)
NO_COLOUR = np.zeros((256, 256, 3), np.float32)


def picture(width: int, height: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    rough = rng.integers(0, 255, (height, width, 3)).astype(np.float32)
    return np.clip(cv2.GaussianBlur(rough, (0, 0), 2) * 2 - 128, 0, 255).astype(np.uint8)


def bump(
    dx: float, dy: float, at: tuple[float, float] = (128, 128), width: float = 25
) -> np.ndarray:
    around = np.exp(-(((own_places(256, 256) - at) / width) ** 2).sum(-1))
    around[around < 0.01] = 0
    return np.stack([dx * around, dy * around], -1).astype(np.float32)


def test_nothing_moves_nothing_changes() -> None:
    neutral = picture(300, 200)
    canvas = Canvas(neutral, Crop((150, 100), 180))
    assert np.array_equal(
        canvas.paint(np.zeros((256, 256, 2), np.float32), NO_COLOUR, NOTHING), neutral
    )
    assert not canvas.forward(np.zeros((256, 256, 2), np.float32)).any()
    assert not canvas.edge_map(NOTHING).any()


def test_still_pixels_are_bit_identical() -> None:
    neutral = picture(400, 300)
    canvas = Canvas(neutral, Crop((200, 150), 200))
    made = canvas.paint(bump(-2, 1), NO_COLOUR, NOTHING)
    changed = np.any(made != neutral, -1)
    rows, columns = np.nonzero(changed)
    assert changed.any()
    reach = 200 / 256 * 25 * 2.2 + 3
    assert np.abs(columns - 200).max() < reach
    assert np.abs(rows - 150).max() < reach


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_motion_scales_with_the_neutral(scale: float) -> None:
    side = round(256 * scale)
    neutral = picture(side, side)
    canvas = Canvas(neutral, Crop((side / 2, side / 2), side))
    backward = bump(-2, 0, width=40)
    forward = canvas.forward(backward).astype(np.float32)
    middle = forward[side // 2, side // 2]
    assert middle[0] == pytest.approx(2 * scale, rel=0.02)
    assert middle[1] == pytest.approx(0, abs=1e-3)
    # What the flow says is where the pixel is in the picture.
    made = canvas.paint(backward, NO_COLOUR, NOTHING)
    back = sample(made, own_places(side, side) + forward, cv2.INTER_CUBIC)
    inside = (slice(side // 4, -side // 4),) * 2
    error = np.abs(back[inside].astype(float) - neutral[inside]).mean()
    moved = np.abs(made[inside].astype(float) - neutral[inside]).mean()
    assert error < 0.2 * moved


def test_crop_beyond_the_picture() -> None:
    neutral = picture(120, 100)
    canvas = Canvas(neutral, Crop((20, 90), 150))
    made = canvas.paint(bump(3, 3), NO_COLOUR, NOTHING)
    assert made.shape == neutral.shape
    assert canvas.forward(bump(3, 3)).shape == (100, 120, 2)


def test_residual_speaks_where_its_mask_does() -> None:
    neutral = np.full((256, 256, 3), 100, np.uint8)
    canvas = Canvas(neutral, Crop((128, 128), 256))
    residual = np.full((256, 256, 3), 0.1, np.float32)
    mask = NOTHING.copy()
    mask[100:150, 100:150] = 1
    made = canvas.paint(np.zeros((256, 256, 2), np.float32), residual, mask)
    assert (made[110:140, 110:140] == 125).all()
    assert np.array_equal(made[:90], neutral[:90])


def test_edges_cover_the_crop_only() -> None:
    canvas = Canvas(picture(300, 300), Crop((150, 150), 128))
    edges = canvas.edge_map(np.ones((256, 256), np.float32))
    assert edges.dtype == np.uint8
    assert edges[150, 150] == 255
    assert not edges[:80].any()


def test_turned_crop_is_refused() -> None:
    with pytest.raises(ValueError, match="turned"):
        Canvas(picture(64, 64), Crop((32, 32), 64, 0.1))


def test_feather_fades_to_the_border() -> None:
    ramp = feather(256)
    assert ramp[0].max() == 0
    assert ramp[128, 128] == 1


@settings(max_examples=20, deadline=None)
@given(
    st.floats(-4, 4), st.floats(-4, 4), st.floats(80, 170), st.floats(80, 170), st.floats(18, 50)
)
def test_inversion(dx: float, dy: float, x: float, y: float, width: float) -> None:
    backward = bump(dx, dy, (x, y), width)
    forward = invert(backward)
    there = sample(backward, own_places(256, 256) + forward, cv2.INTER_LINEAR)
    assert np.abs(there + forward).max() < 0.05
    assert not forward[
        ~cv2.dilate((backward != 0).any(-1).astype(np.uint8), np.ones((11, 11))).astype(bool)
    ].any()
