"""Spectacles are found on characters, stay to the pixel, and what is behind them moves."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from microface.models.heads import spectacles
from microface.models.heads.makeup import laid_over
from microface.models.heads.scene import composed
from microface.models.heads.sensor import expose
from microface.server.clips.builtin import builtin_clip
from microface.server.clips.crop import NETWORK_PIXELS as SIZE
from microface.server.clips.crop import Crop
from microface.server.engine.pipeline import Generated, retarget
from microface.server.engine.runtime import OnnxRuntime
from microface.server.engine.spectacles import rims_on, taken_off, worn_on

from .filmed_head import actor

WHOLE = Crop((SIZE / 2, SIZE / 2), SIZE)


def head(worn: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Return a picture (256, 256, 3) of a head and how much of each pixel its spectacles hide,
    drawn from the seed `worn`."""
    who = actor(0.004)
    light, hidden = who.neutral.light, np.zeros((SIZE, SIZE), np.float32)
    if worn is not None:
        side = len(light)
        marks = who.look.camera.project(who.vertices[who.head.landmarks], side)
        cover, whole = spectacles.of_any_kind(np.random.default_rng(worn), marks, side)
        light = laid_over(light, cover)
        hidden = np.asarray(cv2.resize(whole, (SIZE, SIZE), interpolation=cv2.INTER_AREA))
    shown = composed(light, who.background)
    return expose(who.sensor, shown, np.random.default_rng(5), first=True), hidden


def points() -> np.ndarray:
    """Return the keypoints (30, 2) of the head, in [-1, 1] of its picture."""
    return actor(0.004).points / (SIZE / 2) - 1


def ring(x: float, y: float, radius: float, thick: int) -> np.ndarray:
    """Return a mask (256, 256) of one rim."""
    mask = np.zeros((SIZE, SIZE), np.uint8)
    cv2.circle(mask, (round(x), round(y)), round(radius), (1,), thick)
    return mask.astype(np.float32)


def grain(width: int, height: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    rough = rng.integers(0, 255, (height, width, 3)).astype(np.float32)
    return np.clip(cv2.GaussianBlur(rough, (0, 0), 2) * 2 - 128, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("seed", range(6))
def test_rims_are_found_to_the_pixel(seed: int) -> None:
    picture, hidden = head(seed)
    found = rims_on(picture, points())
    assert found is not None
    near = cv2.dilate((hidden > 0.2).astype(np.uint8), np.ones((5, 5), np.uint8))
    assert found[near == 0].sum() < 0.3 * found.sum()
    assert found[hidden > 0.6].mean() > 0.8


def test_a_face_without_spectacles_has_none() -> None:
    picture, _ = head(None)
    assert rims_on(picture, points()) is None
    assert rims_on(np.zeros((SIZE, SIZE, 3), np.uint8), points()) is None
    assert rims_on(grain(SIZE, SIZE), points()) is None
    assert worn_on(picture, WHOLE, picture, points()) is None


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(st.floats(60, 196), st.floats(60, 196), st.floats(6, 50), st.integers(1, 6)),
    st.tuples(st.integers(16, 400), st.integers(16, 400)),
    st.tuples(st.floats(0.2, 0.8), st.floats(0.2, 0.8), st.floats(0.5, 1.6)),
)
def test_what_does_not_move_comes_back_bit_for_bit(
    rim: tuple[float, float, float, int],
    size: tuple[int, int],
    place: tuple[float, float, float],
) -> None:
    width, height = size
    neutral = grain(width, height)
    crop = Crop((place[0] * width, place[1] * height), place[2] * max(size))
    worn = taken_off(neutral, crop, ring(*rim))
    assert np.array_equal(worn.put_on(worn.bare.copy()), neutral)


@pytest.mark.parametrize("scale", [1.0, 4.0])
def test_rims_stay_whatever_moves_behind_them(scale: float) -> None:
    side = round(SIZE * scale)
    neutral = grain(side, side)
    rims = ring(128, 128, 40, 3)
    worn = taken_off(neutral, Crop((side / 2, side / 2), float(side)), rims)
    other = 255 - worn.bare
    made = worn.put_on(other.copy())
    large = cv2.resize(rims, (side, side), interpolation=cv2.INTER_NEAREST) > 0
    assert np.array_equal(made[large], neutral[large])
    away = cv2.distanceTransform((~large).astype(np.uint8), cv2.DIST_L2, 5) > 5 * scale
    assert np.array_equal(made[away], other[away])
    edges = worn.without(np.full((side, side), 200, np.uint8))
    assert not edges[large].any()
    assert np.all(edges[away] == 200)


def test_no_trace_of_rims_is_left_on_the_face() -> None:
    skin = np.full((SIZE, SIZE, 3), (200, 160, 140), np.uint8)
    rims = ring(100, 110, 24, 3)
    neutral = np.where(rims[..., None] > 0, np.uint8(20), skin)
    worn = taken_off(neutral, WHOLE, rims)
    assert np.abs(worn.bare.astype(int) - skin).max() <= 3


def test_spectacles_stay_while_brows_rise() -> None:
    picture, hidden = head(1)
    runtime = OnnxRuntime(threads=1)
    whole = builtin_clip("inner-brow-raise")
    clip = replace(whole, frames=whole.frames[::4], times=whole.times[::4], fps=whole.fps / 4)
    frames: list[Generated] = list(retarget(picture, clip, 1.0, runtime))
    apex = max(frames, key=lambda made: float(np.abs(made.image.astype(int) - picture).sum()))
    changed = np.abs(apex.image.astype(int) - picture).max(-1)
    assert changed[hidden > 0.8].max() == 0
    assert changed.max() > 20
    assert np.array_equal(frames[0].image, picture)
    moved = list(retarget(picture, clip, 1.0, runtime, keep_spectacles=False))[apex.index]
    assert np.abs(moved.image.astype(int) - picture).max(-1)[hidden > 0.8].max() > 20
