"""The neutral is averaged over frames that rest, and over none that has begun to move."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest
from microface.models.heads.curves import Curve
from microface.server.clips.calibrate import neutral_of
from microface.server.clips.overlay import Overlay
from microface.server.clips.rest import resting
from microface.server.clips.sampling import own_places

from .test_clips_steady import textured

FPS = 100
SIDE = 256


def filmed(
    onset: float, *, peak: float = 1.5, noise: float = 2.0, fps: int = FPS, seed: int = 0
) -> tuple[list[np.ndarray], np.ndarray]:
    """Return half a second of a head that strays a little while a mouth's corner moves by `peak`
    pixels, from `onset` (seconds) on, and how far (T,) it has moved, 0..1."""
    rng = np.random.default_rng(seed)
    times = np.arange(fps // 2) / fps
    moved = Curve(onset, onset + 0.16, onset + 0.4).at(times)
    picture = textured(seed).astype(np.float32)
    places = own_places(SIDE, SIDE)
    bump = np.exp(-((places - (150, 160)) ** 2).sum(-1) / (2 * 14**2))[..., None]
    frames = []
    for index, amount in enumerate(moved):
        strays = np.array([np.sin(index / 6), 0.5 * np.cos(index / 5)])
        away = (places - amount * peak * bump * (1, 0.5) - strays).astype(np.float32)
        drawn = cv2.remap(picture, away, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
        drawn = drawn * (1 + 0.02 * np.sin(index)) + rng.normal(0, noise, drawn.shape)
        frames.append(np.clip(drawn + 0.5, 0, 255).astype(np.uint8))
    return frames, moved


@pytest.mark.parametrize(("onset", "seed"), [(0.0, 0), (0.02, 1), (0.05, 2), (0.09, 3), (0.12, 4)])
def test_frames_that_have_begun_to_move_are_left_out(onset: float, seed: int) -> None:
    frames, moved = filmed(onset, seed=seed)
    found = neutral_of(frames, np.arange(len(frames)) / FPS)
    used = moved[list(found.frames_used)]
    assert found.frame == 0
    assert used.mean() < 0.02
    assert len(used) >= 0.6 * min(12, np.argmax(moved > 0.005))


def test_about_a_named_onset_the_frames_before_it_serve() -> None:
    frames, moved = filmed(0.15)
    found = neutral_of(frames, np.arange(len(frames)) / FPS, about=15, onset=True)
    assert found.frame == 15
    assert moved[list(found.frames_used)].mean() < 0.02
    assert sum(k < 15 for k in found.frames_used) >= 4


def test_where_nothing_happens_nothing_is_told_and_frames_are_averaged_still() -> None:
    frames, _ = filmed(0.1, peak=0.0)
    overlay = Overlay(frames, 0, None)
    assert resting(np.stack([overlay.face(k) for k in range(30)]), 12) is None
    assert len(neutral_of(frames, np.arange(len(frames)) / FPS).frames_used) >= 4


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_clips_of_few_frames_have_a_neutral(count: int) -> None:
    frames, _ = filmed(0.1)
    found = neutral_of(frames[:count], np.arange(count) / Fraction(25))
    assert found.frame == 0
    assert found.image.shape == frames[0].shape


def test_a_frame_laid_over_another_looks_like_it() -> None:
    frames, _ = filmed(0.4, noise=0.5)
    overlay = Overlay(frames, 0, None)
    inside = slice(60, 196)
    before, after = (
        np.abs(picture[inside, inside].astype(float) - frames[0][inside, inside]).mean()
        for picture in (frames[9], overlay.frame(9))
    )
    assert after < 0.35 * before
    assert np.abs(overlay.face(9) - overlay.face(0)).mean() < 0.35 * before


def test_faces_of_large_pictures_are_compared_small() -> None:
    frames = [cv2.resize(frame, (1400, 1400)) for frame in filmed(0.1)[0][:2]]
    overlay = Overlay(frames, 0, None)
    assert overlay.face(1).shape == (256, 256)
    assert overlay.frame(1).shape == (1400, 1400, 3)
