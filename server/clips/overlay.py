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
        half = REACH * side
        self._rows = slice(max(0, round(y - half)), min(height, round(y + half)))
        self._columns = slice(max(0, round(x - half)), min(width, round(x + half)))
        rows, columns = self._rows.stop - self._rows.start, self._columns.stop - self._columns.start
        shrink = min(1.0, MOST_PIXELS / max(rows, columns, 1))
        self._size = max(1, round(columns * shrink)), max(1, round(rows * shrink))
        self._small = self._shrunk(luminance(frames[first]))
        self._level = float(self._small.mean())
        self._affines = {first: np.eye(2, 3)}

    def frame(self, index: int) -> Floats:
        """Return a frame (H, W, 3) moved so that its head lies over the first one's, as bright."""
        picture = self._frames[index].astype(np.float32)
        moved = _moved(picture, self._affine(index), picture.shape[1::-1])
        own = self._shrunk(cv2.cvtColor(moved, cv2.COLOR_RGB2GRAY))
        return np.asarray(moved * self._gain(own), np.float32)

    def face(self, index: int) -> Floats:
        """Return the face (h, w) of a frame laid over the first one's, in grey levels, as bright;
        of fewer pixels than the picture's where these are many."""
        lattice = self._lattice()
        whole = np.linalg.inv(lattice) @ np.vstack([self._affine(index), (0, 0, 1)]) @ lattice
        small = self._shrunk(luminance(self._frames[index])).astype(np.float32)
        own = _moved(small, whole[:2], self._size)
        return np.asarray(own * self._gain(own), np.float32)

    def _affine(self, index: int) -> NDArray[np.float64]:
        """Return the map (2, 3) from the first frame's columns and rows to those of another."""
        if index not in self._affines:
            lattice = self._lattice()
            warp = np.vstack([self._aligned(self._frames[index]), (0, 0, 1)])
            self._affines[index] = (lattice @ warp @ np.linalg.inv(lattice))[:2]
        return self._affines[index]

    def _aligned(self, frame: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return the map (2, 3) from the first frame's small face to that of another frame."""
        start = np.eye(2, 3, dtype=np.float32)
        ends = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, ROUNDS, LEAST_STEP)
        everywhere = np.full(self._small.shape, 255, np.uint8)
        small = self._shrunk(luminance(frame))
        try:
            found: Any = cv2.findTransformECC(
                self._small, small, start, cv2.MOTION_EUCLIDEAN, ends, everywhere, BLUR_PIXELS
            )
        except cv2.error:  # nothing to hold on to: the frame stays where it is
            return np.eye(2, 3)
        return np.asarray(found[1], np.float64)

    def _shrunk(self, grey: NDArray[Any]) -> NDArray[Any]:
        face = grey[self._rows, self._columns]
        return face if face.shape == self._size[::-1] else cv2.resize(
            face, self._size, interpolation=cv2.INTER_AREA
        )  # fmt: skip

    def _gain(self, own: NDArray[Any]) -> np.float32:
        return np.float32(self._level / max(1.0, float(own.mean())))

    def _lattice(self) -> NDArray[np.float64]:
        """Return the map (3, 3) from the small face's columns and rows to the picture's."""
        across = (self._columns.stop - self._columns.start) / self._size[0]
        down = (self._rows.stop - self._rows.start) / self._size[1]
        corner = (self._columns.start + (across - 1) / 2, self._rows.start + (down - 1) / 2)
        return np.array([[across, 0, corner[0]], [0, down, corner[1]], [0, 0, 1]])


def _moved(picture: Floats, affine: NDArray[np.float64], size: Sequence[int]) -> Floats:
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(picture, affine, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)
