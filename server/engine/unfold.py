"""Keep a magnified motion from folding the picture over itself."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

#: The least area that a pixel may shrink to, of its own.
LEAST_AREA = 0.2
#: Rounds, and the width in pixels of the first one's smoothing; each next is wider by a half.
ROUNDS, WIDTH = 10, 1.5


def areas(flow: Floats) -> Floats:
    """Return the area (H, W) that each pixel is mapped to by x + flow(x), flow (H, W, 2) pixels."""
    down_y, down_x = np.gradient(flow[..., 1]), np.gradient(flow[..., 0])
    return np.asarray((1 + down_x[1]) * (1 + down_y[0]) - down_x[0] * down_y[1], dtype=np.float32)


def unfolded(flow: Floats) -> Floats:
    """Return `flow` (H, W, 2), pixels, smoothed where it would tear or fold, and only there.

    What maps no pixel to less than `LEAST_AREA` of itself comes back as it is.
    """
    width = WIDTH
    for _ in range(ROUNDS):
        folded = areas(flow) < LEAST_AREA
        if not folded.any():
            return flow
        smooth = cv2.GaussianBlur(flow, (0, 0), width)
        near = cv2.GaussianBlur(
            cv2.dilate(folded.astype(np.float32), np.ones((3, 3), np.uint8), iterations=3),
            (0, 0), width,
        )  # fmt: skip
        share = np.clip(2 * near, 0, 1)[..., None]
        flow = np.asarray(flow + share * (smooth - flow), dtype=np.float32)
        width *= 1.5
    return flow
