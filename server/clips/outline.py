"""Find an actor's own outline: what moves with the head, and the background, which stays.

An average outline takes in background beside a narrow face, and what slides there behind the face
passes for skin that moves. Each pixel about the outline is asked whether frames look more like the
neutral where it is or where the head has gone; the outline lies where, angle by angle, the answers
change sides, and about the average one where nobody answers.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from .template import beyond, faded, template

Floats = NDArray[np.float64]

#: Angles about the face's middle, and over how many (standard deviation) the outline is smooth.
ANGLES, SMOOTH_ANGLES = 72, 1.5
#: Where answers may change sides, as shares of the average outline's radius.
SHARES = np.linspace(0.9, 1.22, 33)
#: Pixels are compared after smoothing by this, in pixels; squared levels they differ by anyhow.
SMOOTH_PIXELS, USUAL_SQUARES = 0.7, 8.0
#: An answer for the background has to be this clear in half of the frames, since an expression may
#: hold a place back for a while; what it says beyond counts so many times.
CLEAR, CLEAR_FACTOR = 0.4, 2.0
#: How far outlines stray from the average one, and what a stray of that is worth, in pixels that
#: say clearly where they belong.
STRAY, STRAY_PIXELS = 0.12, 4.0
#: The answers change sides farther out than the outline by this: a plain background looks the same
#: wherever it is, and the outline's own edge goes with the head.
SPREAD = 0.18


def outline_of(
    neutral: NDArray[np.float32],
    frames: Iterable[tuple[NDArray[np.float32], NDArray[np.float32]]],
) -> Floats:
    """Return the outline (`ANGLES`,) as shares of the average one's radius.

    `neutral` has the grey levels of the crop (256, 256), `frames` are the same of other frames: as
    they are, and as if the head had not moved.
    """
    own = _soft(neutral)
    answers = []
    for still, steadied in frames:
        as_background, as_head = (_soft(still) - own) ** 2, (_soft(steadied) - own) ** 2
        answers.append((as_background - as_head) / (as_background + as_head + USUAL_SQUARES))
    said = np.median(answers, 0)
    said = np.where(said > 0, said, CLEAR_FACTOR * np.minimum(said + CLEAR, 0))
    maps = template(len(neutral))
    radius, angle = beyond(maps.x, maps.y), _angle(maps.x, maps.y)
    ring = np.digitize(radius.ravel(), SHARES)
    place = np.round(angle.ravel() * ANGLES).astype(int) % ANGLES
    rings = len(SHARES) + 1
    flat = np.asarray(np.bincount(place * rings + ring, said.ravel(), ANGLES * rings), np.float64)
    heaped = np.cumsum(_round(flat.reshape(ANGLES, rings))[:, :-1], 1)
    # What is said for all within and against all beyond: twice the sum within, but for a constant.
    worth = 2 * heaped - STRAY_PIXELS * ((SHARES - SPREAD - 1) / STRAY) ** 2
    found = np.asarray(SHARES[np.argmax(worth, 1)], np.float64)
    return _round(found[:, None]).ravel() - SPREAD


def within(outline: Floats, cells: int) -> NDArray[np.float32]:
    """Return 1 within an outline, (cells, cells), fading out as `Template.face` does."""
    maps = template(cells)
    place = _angle(maps.x, maps.y) * ANGLES
    share = np.interp(place, np.arange(ANGLES + 1), np.append(outline, outline[0]))
    return np.asarray(faded(share - beyond(maps.x, maps.y)), np.float32)


def _angle(x: NDArray[np.float32], y: NDArray[np.float32]) -> Floats:
    """Return where places lie about the middle, 0..1 of a whole turn."""
    return np.asarray(np.arctan2(y, x) / (2 * np.pi) % 1, np.float64)


def _round(values: Floats) -> Floats:
    """Return values (ANGLES, N) smoothed over the angles, which go round."""
    apart = np.arange(ANGLES)
    apart = np.minimum(apart, ANGLES - apart)
    bell = np.exp(-0.5 * (apart / SMOOTH_ANGLES) ** 2)
    bell /= bell.sum()
    return np.asarray(bell[(np.arange(ANGLES)[:, None] - np.arange(ANGLES)) % ANGLES] @ values)


def _soft(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), SMOOTH_PIXELS))
