"""What hides part of a face: strands of hair, a fringe, and shapes like hands.

Each is drawn as premultiplied linear colour and coverage (side, side, 4), so that the share of a
pixel that it hides is known exactly.
"""

from __future__ import annotations

import cv2
import numpy as np

from .families import Floats
from .keypoints import face_unit, keypoints_from_landmarks
from .skins import hair_colour


def strands(rng: np.random.Generator, landmarks: Floats, side: int, level: Floats) -> Floats:
    """Draw locks of hair that fall over the forehead and down to an eye or a cheek.

    `landmarks` (68, 2 or more) in pixels of the picture, `level` (3,) the light on the face.
    """
    marks = landmarks[:, :2]
    unit = face_unit(keypoints_from_landmarks(marks))
    up = _up(marks)
    across = np.array([-up[1], up[0]])
    root = marks[27] + up * unit * float(rng.uniform(1.7, 2.1))
    root = root + across * unit * float(rng.uniform(-0.7, 0.7))
    lean = float(rng.choice([-1, 1]) * rng.uniform(0.2, 0.8))
    colour = hair_colour(rng) * level / 0.25
    picture = np.zeros((side, side, 4), np.float32)
    for _ in range(int(rng.integers(12, 50))):
        start = root + across * unit * float(rng.normal(0, 0.2))
        length = unit * float(rng.uniform(1.0, 2.6))
        steps = np.linspace(0, 1, 24)[:, None]
        bend = lean + float(rng.normal(0, 0.15))
        line = start - up * length * steps + across * unit * bend * np.sqrt(steps) * (1.4 - steps)
        shade = colour * np.float32(rng.uniform(0.5, 1.6))
        _lay(picture, line, shade, unit * float(rng.uniform(0.006, 0.02)))
    return _softened(picture, 0.7)


def fringe(rng: np.random.Generator, landmarks: Floats, side: int, level: Floats) -> Floats:
    """Draw a fringe: locks side by side from the top of the head to about the brows, all of it or
    swept to a side, thick or thin.

    Arguments as in `strands`.
    """
    marks = landmarks[:, :2]
    unit = face_unit(keypoints_from_landmarks(marks))
    up = _up(marks)
    across = np.array([-up[1], up[0]])
    crown = marks[27] + up * unit * float(rng.uniform(1.7, 2.2))
    wide = unit * float(rng.uniform(0.6, 1.3))
    reach = unit * float(rng.uniform(0.25, 0.75))
    ragged, slope = float(rng.uniform(0.02, 0.2)), float(rng.normal(0, 0.25))
    sweep = unit * float(rng.normal(0, 0.3))
    colour = hair_colour(rng) * level / 0.25
    picture = np.zeros((side, side, 4), np.float32)
    steps = np.linspace(0, 1, 16)[:, None]
    for _ in range(int(rng.integers(60, 300))):
        place = float(rng.uniform(-1, 1))
        tip = marks[27] + up * (reach + unit * (slope * place + ragged * float(rng.normal())))
        tip = tip + across * (place * wide + sweep)
        # Locks part at the crown and fall round the skull.
        start = crown + across * place * wide * 0.7 - up * unit * 0.35 * place * place
        line = start + (tip - start) * steps + across * place * unit * 0.12 * np.sin(np.pi * steps)
        shade = colour * np.float32(rng.uniform(0.55, 1.5))
        _lay(picture, line, shade, unit * float(rng.uniform(0.01, 0.05)))
    return _softened(picture, 0.7)


def hand(rng: np.random.Generator, landmarks: Floats, side: int, level: Floats) -> Floats:
    """Draw four fingers and the back of a hand that reach from below or from a side onto the face.

    Arguments as in `strands`.
    """
    marks = landmarks[:, :2]
    unit = face_unit(keypoints_from_landmarks(marks))
    target = marks[int(rng.choice([8, 57, 48, 54, 4, 12, 33]))] + rng.normal(0, 0.1, 2) * unit
    outwards = target - marks[30]
    angle = float(np.arctan2(outwards[1], outwards[0]) + rng.normal(0, 0.35))
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-along[1], along[0]])
    width = unit * float(rng.uniform(0.2, 0.28))
    depth = np.zeros((side, side), np.float32)
    for finger in range(4):
        tip = target + across * width * (finger - 1.5) + along * width * abs(finger - 1.3) * 0.35
        knuckle = target + along * unit * 1.2 + across * width * 1.05 * (finger - 1.5)
        one = np.zeros((side, side), np.uint8)
        cv2.line(one, _pixel(tip), _pixel(knuckle), (255,), round(width * 0.95), cv2.LINE_8)
        depth = np.maximum(depth, cv2.distanceTransform(one, cv2.DIST_L2, 3) / (width / 2))
    palm = np.zeros((side, side), np.uint8)
    near = target + along * unit * 1.1
    corners = [near + across * width * 2.1, near - across * width * 2.1]
    corners += [corners[1] + along * unit * 3, corners[0] + along * unit * 3]
    outline = np.array([_pixel(c) for c in corners], np.int32)
    cv2.fillPoly(palm, [outline], (255,))
    depth = np.maximum(depth, np.minimum(cv2.distanceTransform(palm, cv2.DIST_L2, 3) / width, 1))
    # Round shapes: bright where they face the viewer, dark where they turn away.
    form = np.sqrt(np.clip(depth * (2 - np.minimum(depth, 1)), 0, 1))
    colour = level * np.exp(rng.normal(0, 0.12, 3)) * float(rng.uniform(0.7, 1.15))
    light = (0.35 + 0.65 * form)[..., None] * colour.astype(np.float32)
    covered = (depth > 0).astype(np.float32)[..., None]
    return _softened(np.concatenate([light * covered, covered], axis=2), 1.2)


def moved(cover: Floats, shift: Floats) -> Floats:
    """Return a cover (S, S, 4) moved by `shift` (2,) of its pixels."""
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
    size = (cover.shape[1], cover.shape[0])
    shown = cv2.warpAffine(
        cover, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(shown, dtype=np.float32)


def free_share(before: Floats, after: Floats, flow: Floats) -> Floats:
    """Return (H, W) how much of each pixel neither the cover `before` (S, S, 4) hides nor, where
    `flow` (H, W, 2) takes the pixel, the cover `after`."""
    height, width = flow.shape[:2]
    free = [
        1 - cv2.resize(cover[..., 3], (width, height), interpolation=cv2.INTER_AREA)
        for cover in (before, after)
    ]
    rows, columns = np.indices((height, width), np.float32)
    then = cv2.remap(
        free[1], columns + flow[..., 0], rows + flow[..., 1], cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return np.asarray(free[0] * then, dtype=np.float32)


def _lay(picture: Floats, line: Floats, shade: Floats, thick: float) -> None:
    """Draw a lock along `line` (n, 2), `thick` pixels wide, over a picture (S, S, 4)."""
    value = (*(float(c) for c in shade), 1.0)
    points = np.round(line * 16).astype(np.int32)[:, None]
    cv2.polylines(picture, [points], False, value, max(1, round(thick)), cv2.LINE_8, shift=4)


def _up(marks: Floats) -> Floats:
    """Return the unit vector (2,) from the chin to the brows."""
    up = marks[27] - marks[8]
    return np.asarray(up / np.linalg.norm(up), dtype=np.float32)


def _pixel(place: Floats) -> tuple[int, int]:
    return round(float(place[0])), round(float(place[1]))


def _softened(picture: Floats, sigma: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), dtype=np.float32)
