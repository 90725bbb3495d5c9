"""What comes before a face is found, and nothing is told of what it hides."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from microface.models.evaluation.hard_scenes import doing
from microface.models.heads import spectacles
from microface.models.heads.occluders import hand, moved
from microface.models.heads.scene import composed
from microface.models.heads.sensor import expose
from microface.server.clips import clean
from microface.server.clips.covered import parts_covered
from microface.server.clips.crop import NETWORK_PIXELS as SIZE
from microface.server.clips.crop import Crop
from microface.server.clips.steady import Steadier
from microface.server.clips.template import template
from microface.server.clips.upright import CELLS

from .filmed_head import actor

#: Of the sensor, as a share of white.
NOISE = 0.005

FACE = template(CELLS).face > 0.9
WHOLE = Crop((SIZE / 2, SIZE / 2), SIZE)
CLEAR = np.zeros((SIZE, SIZE, 4), np.float32)


def marks() -> np.ndarray:
    """Return the face's landmarks (68, 2) in pixels."""
    who = actor(NOISE)
    return who.look.camera.project(who.vertices[who.head.landmarks], SIZE)[:, :2]


def level() -> np.ndarray:
    """Return the light (3,) on the face."""
    drawn = actor(NOISE).neutral
    return np.asarray(drawn.light.reshape(-1, 4)[drawn.pixel, :3].mean(0), np.float32)


def shown(
    cover: np.ndarray = CLEAR, shift: tuple[int, int] = (0, 0), strength: float = 0.0, seed: int = 5
) -> np.ndarray:
    """Return a picture of the head, moved by a shift, behind a cover, while it smiles."""
    who = actor(NOISE)
    drawn = (
        who.acted(who.played(doing(("AU12", "AU26"), strength), ())) if strength else who.neutral
    )
    samples = len(drawn.light) // SIZE
    there = np.roll(drawn.light, (samples * shift[1], samples * shift[0]), (0, 1))
    light = composed(there, who.background) * (1 - cover[..., 3:]) + cover[..., :3]
    return expose(who.sensor, light.astype(np.float32), np.random.default_rng(seed), first=True)


def rms(flow: np.ndarray, where: np.ndarray) -> float:
    return float(np.sqrt((flow[where] ** 2).sum(-1).mean()))


@pytest.mark.parametrize("seed", [6, 7, 9])
def test_a_hand_is_found_where_it_is(seed: int) -> None:
    cover = hand(np.random.default_rng(seed), marks(), SIZE, level())
    true = cv2.resize(cover[..., 3], (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    under, free = (true > 0.9) & FACE, (cv2.dilate(true, np.ones((17, 17))) < 0.1) & FACE
    assert under.mean() > 0.02
    steadied = Steadier(shown(), WHOLE).steady(shown(cover, (3, -2), seed=6))
    assert steadied.covered[under].mean() > 0.9
    assert steadied.covered[free].mean() < 0.02
    assert not steadied.flow[steadied.covered].any()
    assert not steadied.trust[steadied.covered].any()
    # What the hand leaves free tells where the head is.
    assert rms(steadied.flow, free) < 0.1


@pytest.mark.parametrize("strength", [0.2, 0.5])
def test_an_expression_covers_nothing(strength: float) -> None:
    steadied = Steadier(shown(), WHOLE).steady(shown(strength=strength, seed=6))
    assert not steadied.covered.any()
    assert rms(steadied.flow, FACE) > strength


def test_noise_and_light_cover_nothing() -> None:
    picture = shown()
    rng = np.random.default_rng(1)
    noisy = 0.9 * picture + rng.normal(0, 8, picture.shape)
    steadier = Steadier(picture, WHOLE)
    assert not steadier.steady(np.clip(noisy, 0, 255).astype(np.uint8)).covered.any()


def mask() -> np.ndarray:
    """Return a mask (SIZE, SIZE, 4) over mouth and nose, with folds and cloth's grain."""
    outline = marks()[[1, 3, 5, 8, 11, 13, 15, 29]].astype(np.int32)
    inside = cv2.fillPoly(np.zeros((SIZE, SIZE), np.float32), [outline], (1,))
    inside = cv2.GaussianBlur(inside, (0, 0), 0.8)[..., None]
    grain = cv2.GaussianBlur(np.random.default_rng(3).normal(0, 0.3, (SIZE, SIZE)), (0, 0), 1.5)
    cloth = 1.3 + 0.2 * np.sin(np.arange(SIZE) / 4)[:, None] + grain
    return np.concatenate([inside * cloth[..., None] * level(), inside], 2).astype(np.float32)


@pytest.mark.parametrize("worn", ["glasses", "mask"])
def test_what_is_worn_all_the_time_covers_nothing(worn: str) -> None:
    cover = mask() if worn == "mask" else spectacles.oval(np.random.default_rng(2), marks(), SIZE)
    steadied = Steadier(shown(cover), WHOLE).steady(
        shown(moved(cover, np.array([4, -3])), (4, -3), seed=6)
    )
    assert not steadied.covered.any()
    assert rms(steadied.flow, FACE) < 0.1


def test_the_warning_names_the_parts() -> None:
    maps = template(CELLS)
    low = maps.y > 0.6
    assert parts_covered(low) == ("mouth", "chin")
    assert parts_covered(np.zeros_like(low)) == ()
    (warning,) = clean.covered([3, 4], parts_covered(low))
    assert warning.frames == (3, 4)
    assert warning.what == (
        "2 frames have something before the mouth and the chin: nothing is told there"
    )
    assert clean.covered([], ()) == []
