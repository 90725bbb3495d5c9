"""The character's neutral at its own resolution: bring what the network says on the crop to it.

Motion has no resolution of its own: the field of the 256-pixel crop is carried to the neutral's
pixels and warps them, so that pores and hair are the neutral's own, moved. Where nothing moves,
pixels are the neutral's, bit for bit. Work is done in bands of rows: beside the pictures
themselves it takes the same memory at any resolution.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from ..clips.crop import NETWORK_PIXELS, Crop
from ..clips.sampling import own_places, sample
from .inverse import invert

Floats = NDArray[np.float32]

#: Motion below this, in pixels of the crop, is none.
STILL_PIXELS = 0.01
#: A residual below this, in 8-bit levels, is none; it is taken off the larger ones.
STILL_LEVELS = 0.5
#: Motion fades to nothing over this share of the crop along its border.
FEATHER = 0.05
#: Pixels worked on at once.
BAND_PIXELS = 1 << 20


class Canvas:
    """A neutral picture and the part of it that the crop covers."""

    def __init__(self, neutral: NDArray[np.uint8], crop: Crop) -> None:
        """Take the neutral (H, W, 3) uint8 and its crop, which must not be turned."""
        if crop.roll:
            raise ValueError("the character's crop is turned")
        self.neutral = neutral
        height, width = neutral.shape[:2]
        left, top = crop.centre[0] - crop.side / 2, crop.centre[1] - crop.side / 2
        x0, x1 = (int(np.clip(np.floor(v), 0, width)) for v in (left, left + crop.side + 1))
        y0, y1 = (int(np.clip(np.floor(v), 0, height)) for v in (top, top + crop.side + 1))
        self._inside = (slice(y0, y1), slice(x0, x1))
        #: Pixels of the neutral per pixel of the crop.
        self.scale = crop.side / NETWORK_PIXELS
        self._corner = np.array([left, top])
        self._feather = feather(NETWORK_PIXELS)

    def _bands(self) -> Iterator[tuple[slice, slice]]:
        """Yield the part that the crop covers in bands of rows."""
        rows, columns = self._inside
        deep = max(1, BAND_PIXELS // max(columns.stop - columns.start, 1))
        for top in range(rows.start, rows.stop, deep):
            yield slice(top, min(top + deep, rows.stop)), columns

    def _carry(self, field: Floats, box: tuple[slice, slice]) -> Floats:
        """Return a field (256, 256, ...) of the crop at the pixels of a box."""
        places = (_places(box) + 0.5 - self._corner) / self.scale - 0.5
        return sample(field, places, cv2.INTER_CUBIC, cv2.BORDER_CONSTANT)

    def still(self, flow: Floats) -> Floats:
        """Return a flow (256, 256, 2) with exact zeros where it is next to nothing, faded out
        towards the crop's border."""
        faded = flow * self._feather[..., None]
        faded[np.hypot(faded[..., 0], faded[..., 1]) < STILL_PIXELS] = 0
        return np.asarray(faded, dtype=np.float32)

    def paint(self, backward: Floats, residual: Floats, mask: Floats) -> NDArray[np.uint8]:
        """Return the neutral (H, W, 3) uint8 warped by `backward` (256, 256, 2) in crop pixels,
        plus `residual` (256, 256, 3) in 0..1 where `mask` (256, 256) has it."""
        field = self.still(backward)
        extra = residual * (255 * mask * self._feather)[..., None]
        extra = (np.sign(extra) * np.maximum(np.abs(extra) - STILL_LEVELS, 0)).astype(np.float32)
        whole = self.neutral.copy()
        for box in self._bands():
            self._paint(whole, box, field, extra)
        return whole

    def _paint(
        self, whole: NDArray[np.uint8], box: tuple[slice, slice], field: Floats, extra: Floats
    ) -> None:
        motion = self._carry(field, box) * np.float32(self.scale)
        moving = np.any(motion != 0, axis=-1)
        coloured = np.any(extra)
        if not moving.any() and not coloured:
            return
        shown = self.neutral[box].astype(np.float32)
        if moving.any():
            rows, columns = np.nonzero(moving.any(1))[0], np.nonzero(moving.any(0))[0]
            part = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
            warped = sample(self.neutral, _places(box)[part] + motion[part], cv2.INTER_LANCZOS4)
            shown[part] = np.where(moving[part][..., None], warped, shown[part])
        if coloured:
            shown += self._carry(extra, box)
        whole[box] = np.clip(np.rint(shown), 0, 255)

    def edge_map(self, edges: Floats) -> NDArray[np.uint8]:
        """Return edges (256, 256) in 0..1 as (H, W) uint8, 0 outside the crop."""
        whole = np.zeros(self.neutral.shape[:2], np.uint8)
        faded = (edges * self._feather).astype(np.float32)
        for box in self._bands():
            whole[box] = np.clip(np.rint(self._carry(faded, box) * 255), 0, 255)
        return whole

    def forward(self, backward: Floats) -> NDArray[np.float16]:
        """Return where each pixel of the neutral goes, (H, W, 2) float16 in its pixels."""
        whole = np.zeros((*self.neutral.shape[:2], 2), np.float16)
        field = invert(self.still(backward))
        for box in self._bands():
            whole[box] = self._carry(field, box) * np.float32(self.scale)
        return whole


def _places(box: tuple[slice, slice]) -> Floats:
    """Return the column and row of each pixel of a box, (h, w, 2)."""
    rows, columns = box
    corner = np.array([columns.start, rows.start], np.float32)
    return own_places(columns.stop - columns.start, rows.stop - rows.start) + corner


def feather(pixels: int) -> Floats:
    """Return (pixels, pixels) float32: 1 inside, falling smoothly to 0 at the border."""
    away = np.minimum(np.arange(pixels), np.arange(pixels)[::-1]) / (FEATHER * pixels)
    ramp = np.clip(away, 0, 1)
    ramp = ramp * ramp * (3 - 2 * ramp)
    return np.asarray(np.minimum(ramp[:, None], ramp[None]), dtype=np.float32)
