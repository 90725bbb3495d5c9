"""The character's neutral at its own resolution: bring what the network says on the crop to it.

Motion has no resolution of its own: the field of the 256-pixel crop is carried to the neutral's
pixels and warps them, so that pores and hair are the neutral's own, moved. Where nothing moves,
pixels are the neutral's, bit for bit, and no work is done. Where something does, it is done in
bands of rows: they stay in the processor's cache, and beside the pictures themselves it takes the
same memory at any resolution.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..clips.crop import NETWORK_PIXELS, Crop
from ..clips.sampling import sample
from .cubic import Taps, cubic_taps
from .inverse import invert

Floats = NDArray[np.float32]
#: Rows and columns of a part of a picture.
Box = tuple[slice, slice]

#: Motion below this, in pixels of the crop, is none.
STILL_PIXELS = 0.01
#: A residual below this, in 8-bit levels, is none; it is taken off the larger ones.
STILL_LEVELS = 0.5
#: An edge below this, in 8-bit levels, is none: alone it would be rounded off.
FAINT_LEVELS = 0.25
#: Motion fades to nothing over this share of the crop along its border.
FEATHER = 0.05
#: Rows worked on at once.
BAND_ROWS = 64


@dataclass(frozen=True)
class Band:
    """Some rows of the picture, the rows of the crop that reach them, and by how much each does."""

    rows: slice
    reached_by: slice
    down: Taps


class Canvas:
    """A neutral picture and the part of it that the crop covers."""

    def __init__(self, neutral: NDArray[np.uint8], crop: Crop) -> None:
        """Take the neutral (H, W, 3) uint8 and its crop, which must not be turned."""
        if crop.roll:
            raise ValueError("the character's crop is turned")
        self.neutral = neutral
        #: Pixels of the neutral per pixel of the crop.
        self.scale = crop.side / NETWORK_PIXELS
        height, width = neutral.shape[:2]
        left, top = crop.centre[0] - crop.side / 2, crop.centre[1] - crop.side / 2
        x0, x1 = (int(np.clip(np.floor(v), 0, width)) for v in (left, left + crop.side + 1))
        y0, y1 = (int(np.clip(np.floor(v), 0, height)) for v in (top, top + crop.side + 1))
        self._left = x0
        self._across = self._taps(x0, x1, left)
        self._bands = []
        for row in range(y0, y1, BAND_ROWS):
            rows = slice(row, min(row + BAND_ROWS, y1))
            down = self._taps(rows.start, rows.stop, top)
            reached_by = _extent(abs(down).sum(0))
            self._bands.append(Band(rows, reached_by, down[:, reached_by]))
        self._feather = feather(NETWORK_PIXELS)

    def _taps(self, start: int, stop: int, origin: float) -> Taps:
        """Return what the neutral's pixels `start` to `stop` are made of, of the crop's (256),
        along an axis on which the crop begins at `origin`."""
        places = (np.arange(start, stop) + 0.5 - origin) / self.scale - 0.5
        return cubic_taps(places, NETWORK_PIXELS)

    def _carried(self, field: Floats) -> Iterator[tuple[Box, Floats]]:
        """Carry a field (256, 256, C) of the crop to the neutral's pixels: yield boxes of them and
        what is there (h, w, C), new arrays; all around it is exactly zero."""
        known = _anything(field)
        if not known.any():
            return
        # Columns first, for all rows: (W, 256, C).
        turned = np.ascontiguousarray(field.transpose(1, 0, 2))
        wide = (self._across @ turned.reshape(NETWORK_PIXELS, -1)).reshape(
            -1, NETWORK_PIXELS, field.shape[2]
        )
        reach = abs(self._across)
        for band in self._bands:
            columns = _extent(reach @ known[band.reached_by].any(0))
            if columns.stop == columns.start:
                continue
            near = np.ascontiguousarray(wide[columns, band.reached_by].transpose(1, 0, 2))
            made = band.down @ near.reshape(len(near), -1)
            box = (band.rows, slice(self._left + columns.start, self._left + columns.stop))
            yield box, made.reshape(len(made), *near.shape[1:])

    def still(self, flow: Floats) -> Floats:
        """Return a flow (256, 256, 2) with exact zeros where it is next to nothing, faded out
        towards the crop's border."""
        across, down = (part * self._feather for part in cv2.split(flow))
        moving = cv2.magnitude(across, down) >= STILL_PIXELS
        faded = cv2.copyTo(cv2.merge((across, down)), moving.astype(np.uint8))
        return np.asarray(faded, dtype=np.float32)

    def motion(self, field: Floats) -> Iterator[tuple[Box, Floats]]:
        """Carry a flow (256, 256, 2) in pixels of the crop: yield boxes of the neutral and the
        motion there (h, w, 2) in its pixels; all around there is none."""
        return self._carried(field * np.float32(self.scale))

    def paint(self, backward: Floats, residual: Floats, mask: Floats) -> NDArray[np.uint8]:
        """Return the neutral (H, W, 3) uint8 warped by `backward` (256, 256, 2) in crop pixels,
        plus `residual` (256, 256, 3) in 0..1 where `mask` (256, 256) has it."""
        whole = self.neutral.copy()
        for box, motion in self.motion(self.still(backward)):
            moving = _anything(motion).astype(np.uint8)
            rows, columns = box
            motion[..., 0] += np.arange(columns.start, columns.stop, dtype=np.float32)
            motion[..., 1] += np.arange(rows.start, rows.stop, dtype=np.float32)[:, None]
            cv2.copyTo(sample(self.neutral, motion, cv2.INTER_LANCZOS4), moving, whole[box])
        extra = residual * (255 * mask * self._feather)[..., None]
        extra -= np.clip(extra, -STILL_LEVELS, STILL_LEVELS)
        for box, light in self._carried(extra):
            whole[box] = _levels(whole[box] + light)
        return whole

    def edge_map(self, edges: Floats) -> NDArray[np.uint8]:
        """Return edges (256, 256) in 0..1 as (H, W) uint8, 0 outside the crop."""
        whole = np.zeros(self.neutral.shape[:2], np.uint8)
        levels = (255 * edges * self._feather).astype(np.float32)
        levels[levels < FAINT_LEVELS] = 0
        for box, values in self._carried(levels[..., None]):
            whole[box] = _levels(values[..., 0])
        return whole

    def forward(self, backward: Floats) -> NDArray[np.float16]:
        """Return where each pixel of the neutral goes, (H, W, 2) float16 in its pixels."""
        whole = np.zeros((*self.neutral.shape[:2], 2), np.float16)
        for box, motion in self.motion(invert(self.still(backward))):
            # Many times faster than numpy's conversion.
            whole[box] = cv2.convertFp16(motion).view(np.float16)
        return whole


def _anything(field: Floats) -> NDArray[np.bool_]:
    """Return where (H, W) a field (H, W, C) is not zero."""
    planes = np.moveaxis(field, -1, 0)
    return np.asarray(np.any([plane != 0 for plane in planes], axis=0))


def _extent(reached: Floats) -> slice:
    """Return from the first to the last place (N,) that is not zero; empty where there is none."""
    places = np.flatnonzero(reached)
    return slice(int(places[0]), int(places[-1]) + 1) if len(places) else slice(0, 0)


def _levels(values: Floats) -> NDArray[np.uint8]:
    """Return 8-bit levels of values about 0..255, which are overwritten."""
    np.rint(values, out=values)
    return np.clip(values, 0, 255, out=values).astype(np.uint8)


def feather(pixels: int) -> Floats:
    """Return (pixels, pixels) float32: 1 inside, falling smoothly to 0 at the border."""
    away = np.minimum(np.arange(pixels), np.arange(pixels)[::-1]) / (FEATHER * pixels)
    ramp = np.clip(away, 0, 1)
    ramp = ramp * ramp * (3 - 2 * ramp)
    return np.asarray(np.minimum(ramp[:, None], ramp[None]), dtype=np.float32)
