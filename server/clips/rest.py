"""Tell how long a face still rests, by what it goes on to do.

An expression sets in so softly that no frame tells its beginning from noise. But the frames that
follow show in what the face is about to change: however little of that change a frame has already,
all its pixels together tell how much, to a hundredth of the whole. A neutral averaged over frames
that have begun to move would take its share off all motion that is measured from it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

#: Changes of light, smoother than the wider of these, and the noise of single pixels do not count.
FINE_PIXELS, SMOOTH_PIXELS = 1.0, 8.0
#: The first frames, which are believed to rest, all but how much of the change they have in common.
EARLY, MOST_IN_COMMON = 3, 0.02
#: A frame rests while it has no more of the change than this, beside so many times the noise of it.
MOST_BEGUN, NOISES = 0.01, 1.5
#: Noise, as a share of the change, above which nothing can be told.
MOST_NOISE = 0.04
#: Noise is seen at as many places elsewhere.
ELSEWHERE = 24
#: The whole of a change is the mean of as many frames, those that have the most of it.
STRONGEST = 3

Floats = NDArray[np.float64]


def resting(faces: NDArray[np.float32], count: int) -> int | None:
    """Return how many of the first `count` faces rest, None where nothing can be told.

    `faces` (T, h, w), T at least `count`, are grey pictures in levels, heads laid over one another
    and equally bright, in the order of their times; the first one rests.
    """
    if len(faces) < EARLY + 3:
        return None
    details = np.stack([_detail(face) for face in faces])
    heads = _of_heads(details[: EARLY + 1].mean(0))
    flat = (details - details[0]).reshape(len(faces), -1)
    begun, noise = _begun(flat - (flat @ heads) @ heads.T)
    if noise > MOST_NOISE:
        return None
    in_common = min(float(np.median(begun[1 : EARLY + 1])), MOST_IN_COMMON)
    moves = np.flatnonzero(begun[1:count] - in_common > MOST_BEGUN + NOISES * noise)
    return int(moves[0]) + 1 if len(moves) else count


def _detail(face: NDArray[np.float32]) -> Floats:
    fine = cv2.GaussianBlur(face, (0, 0), FINE_PIXELS)
    return np.asarray(fine - cv2.GaussianBlur(fine, (0, 0), SMOOTH_PIXELS), np.float64)


def _of_heads(detail: Floats) -> Floats:
    """Return an orthonormal basis (h w, 12) of what a head's motion changes in a picture (h, w):
    its slopes times displacements that are quadratic in the place, as those of a turn are."""
    height, width = detail.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    smooth = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y])
    changes = [slope * part for slope in np.gradient(detail) for part in smooth]
    return np.linalg.qr(np.stack(changes).reshape(len(changes), -1).T)[0]


def _begun(details: Floats) -> tuple[Floats, float]:
    """Return how much (T,) of the change each picture has, and how much of that is noise.

    `details` (T, N) are departures from the first picture. One is multiplied with the change from
    the early ones to the later ones, itself left out on both sides: its own noise would pass for
    change. How much noise makes is seen where the change is laid elsewhere on the picture.
    """
    early, later = np.arange(1, EARLY + 1), np.arange(EARLY + 1, len(details))
    first, last = details[early].sum(0), details[later].sum(0)
    found = np.zeros(len(details))
    for index in range(1, len(details)):
        if index in later:
            change = (last - details[index]) / (len(later) - 1) - first / len(early)
        else:
            change = last / len(later) - (first - details[index]) / (len(early) - 1)
        found[index] = details[index] @ change
    whole = float(np.sort(found)[-STRONGEST:].mean())
    change, apart = last / len(later) - first / len(early), details[2] - details[1]
    steps = np.arange(1, ELSEWHERE + 1) * (len(change) // (ELSEWHERE + 1))
    noise = float(np.std([np.roll(change, step) @ apart for step in steps]))
    return found / whole, noise / whole if whole > 0 else np.inf
