"""Creases and folds of skin: lines that faces have and spectacles are not."""

from __future__ import annotations

import cv2
import numpy as np

from .families import Floats

#: Lines drawn at most of those that are anywhere, and how often each of a face's own is there.
_ANYWHERE, _OWN = 8, 0.35
#: Fractional bits of drawn coordinates, and points of a line.
_SHIFT, _POINTS = 4, 24


def creases(rng: np.random.Generator, landmarks: Floats, side: int) -> Floats:
    """Draw lines over and under the eyes, across the forehead, from the nose to the mouth, and
    some anywhere, as a cover (side, side, 4) of shade: premultiplied, so without any colour.

    `landmarks` (68, 2 or more) in the same pixels.
    """
    marks = landmarks[:, :2]
    right, left = marks[36:42].mean(0), marks[42:48].mean(0)
    apart = float(np.linalg.norm(left - right))
    across = (left - right) / apart
    up = np.array([across[1], -across[0]])
    drawn: list[Floats] = []
    for eye, way in ((right, -1.0), (left, 1.0)):
        for height, sag in ((-0.2, -0.12), (-0.3, -0.15), (0.14, 0.1), (0.32, 0.12)):
            if rng.random() < _OWN:
                middle = eye + up * apart * (height + rng.normal(0, 0.04))
                wide = apart * float(rng.uniform(0.12, 0.3))
                drawn.append(_arc(middle, across * wide, up * apart * sag * rng.uniform(0.3, 1.5)))
        if rng.random() < _OWN:
            nose, mouth = marks[31 if way < 0 else 35], marks[48 if way < 0 else 54]
            out = across * way * apart * 0.12
            drawn.append(_between(nose + out, mouth + out * 1.5, out * rng.uniform(0, 1)))
    for _ in range(int(rng.integers(0, 4)) if rng.random() < _OWN else 0):
        middle = (right + left) / 2 + up * apart * float(rng.uniform(0.5, 1.0))
        bow = up * apart * float(rng.normal(0, 0.06))
        drawn.append(_arc(middle, across * apart * float(rng.uniform(0.2, 0.8)), bow))
    for _ in range(int(rng.integers(0, _ANYWHERE + 1)) if rng.random() < 0.5 else 0):
        start = (right + left) / 2 + rng.normal(0, 0.7, 2) * apart
        end = start + rng.normal(0, 0.35, 2) * apart
        drawn.append(_between(start, end, rng.normal(0, 0.12, 2) * apart))
    shade = np.zeros((side, side), np.float32)
    for line in drawn:
        one = np.zeros((side, side), np.float32)
        places = np.round(line * (1 << _SHIFT)).astype(np.int32)[:, None]
        thick = max(1, round(apart * float(rng.uniform(0.005, 0.04))))
        cv2.polylines(one, [places], False, (1.0,), thick, cv2.LINE_8, _SHIFT)
        soft = cv2.GaussianBlur(one, (0, 0), float(rng.uniform(0.6, 3.0)))
        shade = np.maximum(shade, soft * float(rng.uniform(0.1, 0.8)))
    cover = np.zeros((side, side, 4), np.float32)
    cover[..., 3] = shade
    return cover


def _arc(middle: Floats, half: Floats, sag: Floats) -> Floats:
    """Return a bow (n, 2) about `middle`, `half` to either side, its ends moved by `sag`."""
    along = np.linspace(-1, 1, _POINTS)[:, None]
    return np.asarray(middle + half * along - sag * along * along, np.float32)


def _between(start: Floats, end: Floats, bend: Floats) -> Floats:
    """Return a line (n, 2) from `start` to `end` that bends by `bend` in its middle."""
    along = np.linspace(0, 1, _POINTS)[:, None]
    return np.asarray(start + (end - start) * along + 4 * bend * along * (1 - along), np.float32)
