"""Turn a backward flow around: where does each pixel go?"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ..clips.sampling import own_places, sample

Floats = NDArray[np.float32]

#: Steps of the fixed-point iteration; each shrinks the error by the field's slope.
FIXED_STEPS = 12
#: It ends when a step changes nothing by more than this, pixels.
INVERTED_PIXELS = 0.005
#: Where more than this is left, pixels, the field is too steep for it.
LEFT_PIXELS = 0.1
#: A steep field is grown in so many steps, with rounds of Newton's method in each.
GROWN_STEPS, ROUNDS = 16, 3
#: Newton's steps hold up to this area of a pixel; unfolded motion has more.
LEAST_AREA = 0.05


def invert(backward: Floats) -> Floats:
    """Return the forward flow (H, W, 2) of a backward flow that folds nothing: f(p) = -b(p + f(p)).

    Fixed-point iteration (Chen et al., Medical Physics 35, 2008), which a field with slopes of 1
    and more, as of strongly magnified motion, does not let settle; that is followed as it grows.
    Exactly zero where the field is zero all around.
    """
    own = own_places(backward.shape[1], backward.shape[0])
    found = -backward
    for _ in range(FIXED_STEPS):
        before = found
        found = -sample(backward, own + found, cv2.INTER_LINEAR)
        if np.abs(found - before).max() < INVERTED_PIXELS:
            break
    else:
        left = np.abs(found + sample(backward, own + found, cv2.INTER_LINEAR)).max()
        if left > LEFT_PIXELS:
            found = _followed(backward, own)
    # No negative zeros.
    return found + np.float32(0)


def _followed(backward: Floats, own: Floats) -> Floats:
    """Return the forward flow of a steep backward flow: from none at all, as it grows, by Newton's
    method at each step."""
    down, across = np.gradient(backward, axis=(0, 1))
    slopes = np.concatenate([across, down], -1)  # of x and y, to the right, then down
    found = np.zeros_like(backward)
    for step in range(1, GROWN_STEPS + 1):
        share = np.float32(step / GROWN_STEPS)
        for _ in range(ROUNDS):
            left = found + share * sample(backward, own + found, cv2.INTER_LINEAR)
            if np.abs(left).max() < INVERTED_PIXELS:
                break
            xx, yx, xy, yy = np.moveaxis(
                share * sample(slopes, own + found, cv2.INTER_LINEAR), -1, 0
            )
            area = np.maximum((1 + xx) * (1 + yy) - xy * yx, LEAST_AREA)
            x, y = left[..., 0], left[..., 1]
            move = np.stack([(1 + yy) * x - xy * y, (1 + xx) * y - yx * x], -1)
            found = found - move / area[..., None]
    return np.asarray(found, np.float32)
