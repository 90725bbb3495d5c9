"""Say where lips have gone that moved so far that they look like something else.

A broad smile bares the teeth and folds the cheek beside the corners of the lips; what the flow
compares there is gone, and it loses the corners while the cheeks about them are measured well. The
network's keypoints are found in each picture by itself. They are less exact, some 2 pixels, but
they are not lost; and they rather stay behind lips that open wide than run ahead. So the flow is
brought to a lip's keypoint where this has gone farther than the flow, and the flow is not trusted.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from ...models.heads.keypoints import NAMES
from .crop import NETWORK_PIXELS
from .face import HIDDEN, Encode
from .sampling import rounded, square_places

Floats = NDArray[np.float64]

#: Which of the keypoints are the lips'.
LIPS = tuple(index for index, name in enumerate(NAMES) if name.startswith("lip_"))
#: Which of these are the corners, the first to be lost.
CORNERS = [place for place, index in enumerate(LIPS) if "corner" in NAMES[index]]
#: A keypoint may be off by this, in pixels; one that went less than that far tells nothing.
APART_PIXELS, LEAST_PIXELS = 3.0, 5.0
#: The flow is believed above this trust, and below the other one not at all.
BELIEVED, LOST = 0.85, 0.6
#: Lips are lost only where a face moves as far as this, in pixels.
BROAD_PIXELS = 10.0
#: Standard deviation, in pixels, of what a keypoint brings along; ridge of laying it through all.
REACH_PIXELS, RIDGE = 14.0, 0.05


class Lips:
    """Follows the lips of one clip beside the flow."""

    def __init__(self, neutral: NDArray[np.float32], encode: Encode) -> None:
        """Take the neutral's grey levels (256, 256) and the network that finds keypoints."""
        self._encode = encode
        self._rest, self._seen = self._points(neutral)

    def followed(
        self,
        flow: NDArray[np.float32],
        trust: NDArray[np.float32],
        steadied: Callable[[], NDArray[np.float32]],
    ) -> NDArray[np.float32]:
        """Return a flow (N, N, 2) in pixels of the crop that loses no lips.

        `trust` (N, N) is the flow's; `steadied` gives the frame's grey levels (256, 256) without
        the head's motion, and is only asked for where lips may be lost.
        """
        least = np.asarray(cv2.erode(trust, np.ones((3, 3))), np.float32)
        told = self._at(least)[:, 0]
        doubt = np.clip((BELIEVED - told) / (BELIEVED - LOST), 0, 1) * self._seen
        if doubt[CORNERS].max() < 1 or np.square(flow).sum(-1).max() < BROAD_PIXELS**2:
            return flow
        points, seen = self._points(steadied())
        gone, along = points - self._rest, self._at(flow)
        far = np.hypot(*gone.T)
        behind = far - (along * gone).sum(1) / np.maximum(far, 1e-6)
        share = doubt * seen
        share *= np.clip(behind / APART_PIXELS - 1, 0, 1) * np.clip(far / LEAST_PIXELS - 1, 0, 1)
        if not share.any():
            return flow
        lacking = share[:, None] * (gone - along)
        amounts = np.linalg.solve(
            _near(self._rest, self._rest) + RIDGE * np.eye(len(LIPS)), lacking
        )
        cells = square_places(len(flow)).reshape(-1, 2) + 0.5
        places = cells * (NETWORK_PIXELS / len(flow)) - 0.5
        brought = (_near(places, self._rest) @ amounts).reshape(flow.shape)
        return flow + brought.astype(np.float32)

    def _points(self, grey: NDArray[np.float32]) -> tuple[Floats, Floats]:
        """Return where a picture's lips are (8, 2), in pixels, and which are in sight (8,)."""
        found = self._encode(np.repeat(rounded(grey)[..., None], 3, 2))
        points = found["points"][0, LIPS, :].astype(float)
        seen = found["confidence"][0, LIPS] >= HIDDEN
        return (points + 1) * (NETWORK_PIXELS / 2) - 0.5, seen.astype(float)

    def _at(self, field: NDArray[np.float32]) -> Floats:
        """Return what a map (N, N, C) says where the lips rest, (8, C)."""
        places = ((self._rest + 0.5) * (len(field) / NETWORK_PIXELS) - 0.5).astype(np.float32)
        read = cv2.remap(field, places[:, None, 0], places[:, None, 1], cv2.INTER_LINEAR)
        return read.reshape(len(LIPS), -1).astype(float)


def _near(places: Floats, points: Floats) -> Floats:
    """Return (P, K) 0..1 how near places (P, 2) are to points (K, 2)."""
    squared = ((places[:, None] - points) ** 2).sum(2)
    return np.asarray(np.exp(-squared / (2 * REACH_PIXELS**2)))
