"""Lay the frames of a clip over one of them, head upon head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...models.flow import luminance
from .crop import Crop

#: The face's part of its crop's side, to either side of the middle.
REACH = 0.3
#: Faces are compared at this many pixels a side at most.
MOST_PIXELS = 256
#: Rounds of the alignment (Evangelidis and Psarakis, PAMI 30, 2008), its least step, and its blur.
ROUNDS, LEAST_STEP, BLUR_PIXELS = 15, 1e-4, 5

Floats = NDArray[np.float32]


class Overlay:
    """Lays frames (H, W, 3) uint8 over one of them; the head may turn and shift in the picture."""

    def __init__(self, frames: Sequence[NDArray[np.uint8]], first: int, crop: Crop | None) -> None:
        """Take the clip, the frame that the others are laid over, and where its face is; the
        picture's middle is compared if None."""
        self._frames = frames
        height, width = frames[first].shape[:2]
        x, y, side = width / 2, height / 2, float(min(width, height))
        if crop is not None:
            (x, y), side = crop.centre, crop.side
        rows, columns = _span(y, REACH * side, height), _span(x, REACH * side, width)
        self._face = rows, columns
        size = np.array([columns.stop - columns.start, rows.stop - rows.start])
        small = np.maximum(1, np.round(size * min(1.0, MOST_PIXELS / size.max()))).astype(int)
        self._size = int(small[0]), int(small[1])
        # From the small face's columns and rows to the picture's.
        step = size / self._size
        corner = np.array([columns.start, rows.start]) + (step - 1) / 2
        self._lattice = np.array([[step[0], 0, corner[0]], [0, step[1], corner[1]], [0, 0, 1]])
        self._first = self._shrunk(luminance(frames[first]))
        self._level = float(self._first.mean())
        self._warps = {first: np.eye(3)}
        self._faces: dict[int, Floats] = {}

    def frame(self, index: int) -> Floats:
        """Return a frame (H, W, 3) moved so that its head lies over the first one's, as bright."""
        picture = self._frames[index].astype(np.float32)
        whole = self._lattice @ self._warp(index) @ np.linalg.inv(self._lattice)
        moved = _moved(picture, whole, picture.shape[1::-1])
        own = self._shrunk(cv2.cvtColor(moved, cv2.COLOR_RGB2GRAY))
        return np.asarray(moved * self._gain(own), np.float32)

    def face(self, index: int) -> Floats:
        """Return the face (h, w) of a frame laid over the first one's, in grey levels, as bright;
        of fewer pixels than the picture's where these are many."""
        if index not in self._faces:
            small = self._shrunk(luminance(self._frames[index])).astype(np.float32)
            own = _moved(small, self._warp(index), self._size)
            self._faces[index] = np.asarray(own * self._gain(own), np.float32)
        return self._faces[index]

    def _warp(self, index: int) -> NDArray[np.float64]:
        """Return the map (3, 3) from the first frame's small face to that of another frame."""
        if index not in self._warps:
            self._warps[index] = self._aligned(self._frames[index])
        return self._warps[index]

    def _aligned(self, frame: NDArray[np.uint8]) -> NDArray[np.float64]:
        start = np.eye(2, 3, dtype=np.float32)
        ends = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, ROUNDS, LEAST_STEP)
        everywhere = np.full(self._first.shape, 255, np.uint8)
        small = self._shrunk(luminance(frame))
        try:
            found: Any = cv2.findTransformECC(
                self._first, small, start, cv2.MOTION_EUCLIDEAN, ends, everywhere, BLUR_PIXELS
            )
        except cv2.error:  # nothing to hold on to: the frame stays where it is
            return np.eye(3)
        return np.vstack([found[1], (0, 0, 1)]).astype(np.float64)

    def _shrunk(self, grey: NDArray[Any]) -> NDArray[Any]:
        return cv2.resize(grey[self._face], self._size, interpolation=cv2.INTER_AREA)

    def _gain(self, own: NDArray[Any]) -> np.float32:
        return np.float32(self._level / max(1.0, float(own.mean())))


def _span(middle: float, half: float, most: int) -> slice:
    """Return the whole pixels, at least one, within `half` of a place along a side of `most`."""
    start = min(max(0, round(middle - half)), most - 1)
    return slice(start, max(start + 1, min(most, round(middle + half))))


def _moved(picture: Floats, affine: NDArray[np.float64], size: Sequence[int]) -> Floats:
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(picture, affine[:2], size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)
