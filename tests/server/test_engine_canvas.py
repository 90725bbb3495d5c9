"""Motion comes to the neutral's own pixels; what does not move stays bit for bit."""

from __future__ import annotations

import tracemalloc

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from microface.server.clips.crop import Crop
from microface.server.clips.sampling import own_places, sample
from microface.server.engine.canvas import Canvas, feather
from microface.server.engine.inverse import invert
from microface.server.engine.unfold import LEAST_AREA, areas, unfolded

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


def pores(places: np.ndarray, scale: float) -> np.ndarray:
    """A skin of waves as fine as 0.36 cycles a pixel, as an exact function of place, 0..255."""
    rng = np.random.default_rng(5)
    total = np.zeros(places.shape[:2])
    for cycles in np.linspace(0.05, 0.36, 14):
        angle, phase = rng.uniform(0, np.pi), rng.uniform(0, 2 * np.pi)
        along = places[..., 0] * np.cos(angle) + places[..., 1] * np.sin(angle)
        total += np.cos(2 * np.pi * cycles * scale * along + phase)
    return 128 + 13 * total


@pytest.mark.parametrize("size", [40, 300, 700])
def test_motion_is_carried_as_by_a_cubic(size: int) -> None:
    canvas = Canvas(picture(size, size), Crop((0.53 * size, 0.46 * size), 0.8 * size))
    field = bump(2, -1, (150, 90))
    carried = np.zeros((size, size, 2), np.float32)
    for box, motion in canvas.motion(field):
        carried[box] = motion
    places = (own_places(size, size) + 0.5 - (0.13 * size, 0.06 * size)) / canvas.scale - 0.5
    truth = canvas.scale * sample(field, places, cv2.INTER_CUBIC, cv2.BORDER_CONSTANT)
    # OpenCV rounds places to 1/32 of a pixel.
    assert np.abs(carried - truth).max() < 0.02 * np.abs(truth).max()
    assert not carried[np.all(cv2.dilate(np.abs(truth), np.ones((9, 9))) == 0, axis=-1)].any()


def sharpness(values: np.ndarray) -> float:
    """The power of what is finer than four pixels."""
    rough = values - cv2.GaussianBlur(values, (0, 0), 1.2)
    return float((rough**2).mean())


@pytest.mark.parametrize("size", [512, pytest.param(2048, marks=pytest.mark.slow)])
def test_fine_detail_is_moved_and_kept(size: int) -> None:
    own = own_places(size, size).astype(np.float64)
    neutral = np.clip(np.rint(pores(own, 1.0)), 0, 255).astype(np.uint8)
    neutral = np.repeat(neutral[..., None], 3, axis=2)
    canvas = Canvas(neutral, Crop((size / 2, size / 2), size))
    backward = bump(-1.7, 0.9, width=45)
    made = canvas.paint(backward, NO_COLOUR, NOTHING)[..., 0].astype(float)
    carried = np.zeros((size, size, 2), np.float32)
    for box, motion in canvas.motion(canvas.still(backward)):
        carried[box] = motion
    truth = np.clip(pores(own + carried, 1.0), 0, 255)
    moving = np.hypot(*np.moveaxis(carried, -1, 0)) > 0.3
    error = np.sqrt(((made - truth)[moving] ** 2).mean())
    box = cv2.boundingRect(moving.astype(np.uint8))
    inner = (
        slice(box[1] + box[3] // 4, box[1] + 3 * box[3] // 4),
        slice(box[0] + box[2] // 4, box[0] + 3 * box[2] // 4),
    )
    loss = 10 * np.log10(sharpness(truth[inner]) / sharpness(made[inner]))
    psnr = 20 * np.log10(255 / error)
    print(f"{size} px: {psnr:.1f} dB against the truth, sharpness lost {loss:.2f} dB")
    assert psnr > 34
    assert abs(loss) < 0.5
    still = np.all(carried == 0, axis=-1)
    assert still.any()
    assert np.array_equal(made[still], neutral[still][:, 0].astype(float))


def test_motion_that_is_magnified_fourfold_still_goes_somewhere() -> None:
    """Slopes over 1 in both directions, as where a smile pushes a cheek together."""
    rng = np.random.default_rng(1)
    own = own_places(256, 256)
    backward = np.zeros((256, 256, 2), np.float32)
    for _ in range(5):
        place, width = rng.uniform(60, 190, 2), rng.uniform(10, 25)
        there = np.exp(-((own - place) ** 2).sum(-1) / (2 * width**2))
        backward += (30 * there)[..., None] * rng.normal(0, 0.7, 2).astype(np.float32)
    backward = unfolded(backward.astype(np.float32))
    assert areas(backward).min() > LEAST_AREA / 2 and areas(backward).max() > 2
    forward = invert(backward)
    left = np.abs(forward + sample(backward, own + forward, cv2.INTER_LINEAR))
    assert np.percentile(left, 99.9) < 0.1 and left.max() < 0.5
    assert areas(forward).min() > 0.1


def test_work_memory_does_not_grow_with_the_neutral() -> None:
    peaks = []
    for size in (1024, 2048):
        neutral = np.full((size, size, 3), 90, np.uint8)
        canvas = Canvas(neutral, Crop((size / 2, size / 2), size * 0.8))
        backward = bump(-2, 1, width=40)
        residual = np.full((256, 256, 3), 0.05, np.float32)
        tracemalloc.start()
        canvas.paint(backward, residual, np.ones((256, 256), np.float32))
        canvas.forward(backward)
        peaks.append(tracemalloc.get_traced_memory()[1] - 7 * size * size)
        tracemalloc.stop()
    # Beside a picture and a flow themselves: about 70 bytes a pixel of a band.
    assert max(peaks) < 120e6
    assert peaks[1] < 1.3 * peaks[0]
