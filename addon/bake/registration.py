"""What of a change of light a slightly misplaced picture could make, and what lies beyond that.

A pixel's worth of misplacement turns every lash, pore and brow hair into a strong ratio of light.
That belongs into a sequence that is to match its frames, and not into a wrinkle map that is to be
used again: a crease is what no small shift can make.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .region import feathered, shrunk

Light = NDArray[np.float32]

#: A log ratio within this may be noise of the render.
NOISE = 0.01
#: So many times the mean of the pixels around it may a pixel change: lines two pixels wide stay.
BORNE = 1.5


class Misplacement:
    """How much darker and lighter the surroundings of each pixel are, as log ratios."""

    def __init__(self, light: Light, floor: float, radius: int) -> None:
        """Take linear light (R,R,3) at rest; `floor` is added to it, `radius` is in pixels."""
        log = np.log(light + np.float32(floor))
        self._lower, self._upper = (
            np.stack([extreme(log[..., channel], radius) for channel in range(3)], axis=-1)
            for extreme in (shrunk, _largest)
        )
        self._lower -= log + np.float32(NOISE)
        self._upper += np.float32(NOISE) - log

    def beyond(self, factor: Light, box: tuple[slice, slice]) -> Light:
        """Return factors (h,w,3) of a box less what a shift could have made: 1 where that is all.

        A wholly shifted pixel takes a colour from beside it, so that what is left never turns
        around: darker stays darker, and what it keeps is less than it was.
        """
        log = np.log(factor)
        left = log - np.clip(log, self._lower[box], self._upper[box])
        # Specks are no creases: each pixel keeps as much as its neighbours bear out.
        darker, lighter = _mean(np.maximum(-left, 0)), _mean(np.maximum(left, 0))
        return np.asarray(np.exp(np.clip(left, -BORNE * darker, BORNE * lighter)), np.float32)


def _mean(values: Light) -> Light:
    return np.stack([feathered(one, 1) for one in values.transpose(2, 0, 1)], axis=-1)


def _largest(values: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    return -shrunk(-values, radius)
