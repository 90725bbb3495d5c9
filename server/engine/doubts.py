"""How sure the generated motion is: frame by frame, and place by place over the clip."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

#: Cells a side of the clip's map of doubt.
CELLS = 32
#: Motion, pixels of the crop, from which a cell counts as moving.
MOVING_PIXELS = 0.2
#: With fewer moving cells, of 64 x 64, than this a frame shows no expression.
LEAST_CELLS = 40
#: The motion near by is its mean over so many of the 64 cells a side, and this much is added,
#: pixels: as in the network (`models.eam.doubt`).
NEAR, LEAST_PIXELS = 7, 0.1
#: A frame less sure than this should be looked at.
LOOK_AT = 0.4


def shrunk(field: Floats, side: int) -> Floats:
    """Return the means (side, side[, C]) of a field (h, w[, C]) of `side` or more cells a side."""
    small = cv2.resize(field, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.float32)


class Doubts:
    """What the network doubts of a clip, gathered frame by frame."""

    def __init__(self) -> None:
        self._doubted = np.zeros((CELLS, CELLS), np.float64)
        self._moved = np.zeros((CELLS, CELLS), np.float64)
        #: How sure each frame is, 0 to 1, in order.
        self.frames: list[float] = []

    def add(self, flow: Floats, doubt: Floats, steadiness: float) -> float:
        """Take in a frame: `flow` (256, 256, 2) and `doubt` (64, 64), pixels of the crop, and how
        well the source's head was followed, 0 to 1. Return how sure the frame is, 0 to 1.

        That is the share of its motion that is not doubted. A frame in which next to nothing moves
        is as sure as its head was followed.
        """
        side = doubt.shape[0]
        cells = shrunk(flow, side)
        size = np.linalg.norm(cells, axis=-1)
        moving = size > MOVING_PIXELS
        whole = float(size[moving].sum())
        still = moving.sum() < LEAST_CELLS
        share = 1.0 if still else 1 - float(doubt[moving].sum()) / whole
        near = LEAST_PIXELS + np.asarray(cv2.blur(size, (NEAR, NEAR)), np.float32)
        # The frames that move most say most of where the motion can be trusted.
        for total, field in ((self._doubted, doubt), (self._moved, near)):
            total += whole * shrunk(field, CELLS).astype(np.float64) ** 2
        sure = float(np.clip(share, 0, 1)) * steadiness
        self.frames.append(sure)
        return sure

    @property
    def map(self) -> NDArray[np.float64] | None:
        """The expected error of the clip's motion over the motion near by (32, 32), both root mean
        square; None where nothing moved."""
        if not self._moved.any():
            return None
        return np.asarray(np.sqrt(self._doubted / self._moved))

    def summary(self) -> dict[str, object]:
        """Return the table of it, ready for JSON."""
        spread = self.map
        return {
            "sure": [round(one, 4) for one in self.frames],
            "look_at": [index for index, one in enumerate(self.frames) if one < LOOK_AT],
            "doubt": None if spread is None else np.round(spread, 4).tolist(),
        }
