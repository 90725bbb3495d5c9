"""The character's neutral at its own resolution: bring what the network says on the crop to it.

Motion has no resolution of its own: the field of the 256-pixel crop is carried to the neutral's
pixels and warps them. Where nothing moves, pixels are the neutral's own, bit for bit.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ..clips.crop import NETWORK_PIXELS, Crop
from ..clips.sampling import own_places, sample

Floats = NDArray[np.float32]

#: Motion below this, in pixels of the crop, is none.
STILL_PIXELS = 0.01
#: A residual below this, in 8-bit levels, is none; it is taken off the larger ones.
STILL_LEVELS = 0.5
#: Motion fades to nothing over this share of the crop along its border.
FEATHER = 0.05
#: Steps of the inversion; each shrinks the error by the field's slope, which is well below 1/2.
INVERSION_STEPS = 12
#: The inversion ends when a step changes nothing by more than this.
INVERTED_PIXELS = 0.005


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
        self._own = own_places(width, height)[self._inside]
        self._places = (self._own + 0.5 - (left, top)) / self.scale - 0.5
        self._feather = feather(NETWORK_PIXELS)

    def _carry(self, field: Floats) -> Floats:
        """Return a field (256, 256, ...) of the crop at the pixels of the part it covers."""
        return sample(field, self._places, cv2.INTER_CUBIC, cv2.BORDER_CONSTANT)

    def still(self, flow: Floats) -> Floats:
        """Return a flow (256, 256, 2) with exact zeros where it is next to nothing, faded out
        towards the crop's border."""
        faded = flow * self._feather[..., None]
        faded[np.hypot(faded[..., 0], faded[..., 1]) < STILL_PIXELS] = 0
        return np.asarray(faded, dtype=np.float32)

    def paint(self, backward: Floats, residual: Floats, mask: Floats) -> NDArray[np.uint8]:
        """Return the neutral (H, W, 3) uint8 warped by `backward` (256, 256, 2) in crop pixels,
        plus `residual` (256, 256, 3) in 0..1 where `mask` (256, 256) has it."""
        field = self._carry(self.still(backward)) * self.scale
        moving = np.any(field != 0, axis=-1)
        part = self.neutral[self._inside]
        shown = part.astype(np.float32)
        if moving.any():
            rows, columns = np.nonzero(moving)
            box = (slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1))
            places = self._own[box] + field[box]
            warped = sample(self.neutral, places, cv2.INTER_LANCZOS4)
            shown[box] = np.where(moving[box][..., None], warped, shown[box])
        extra = residual * (255 * mask * self._feather)[..., None]
        extra = np.sign(extra) * np.maximum(np.abs(extra) - STILL_LEVELS, 0)
        if np.any(extra):
            shown += self._carry(extra.astype(np.float32))
        whole = self.neutral.copy()
        whole[self._inside] = np.clip(np.rint(shown), 0, 255).astype(np.uint8)
        return whole

    def edge_map(self, edges: Floats) -> NDArray[np.uint8]:
        """Return edges (256, 256) in 0..1 as (H, W) uint8, 0 outside the crop."""
        whole = np.zeros(self.neutral.shape[:2], np.uint8)
        carried = self._carry((edges * self._feather).astype(np.float32))
        whole[self._inside] = np.clip(np.rint(carried * 255), 0, 255).astype(np.uint8)
        return whole

    def forward(self, backward: Floats) -> NDArray[np.float16]:
        """Return where each pixel of the neutral goes, (H, W, 2) float16 in its pixels."""
        whole = np.zeros((*self.neutral.shape[:2], 2), np.float16)
        field = self._carry(invert(self.still(backward))) * self.scale
        whole[self._inside] = field.astype(np.float16)
        return whole


def feather(pixels: int) -> Floats:
    """Return (pixels, pixels) float32: 1 inside, falling smoothly to 0 at the border."""
    away = np.minimum(np.arange(pixels), np.arange(pixels)[::-1]) / (FEATHER * pixels)
    ramp = np.clip(away, 0, 1)
    ramp = ramp * ramp * (3 - 2 * ramp)
    return np.asarray(np.minimum(ramp[:, None], ramp[None]), dtype=np.float32)


def invert(backward: Floats) -> Floats:
    """Return the forward flow (H, W, 2) of a smooth backward flow: f(p) = -b(p + f(p)).

    Fixed-point iteration (Chen et al., Medical Physics 35, 2008). Exactly zero where the field is
    zero all around.
    """
    own = own_places(backward.shape[1], backward.shape[0])
    found = -backward
    for _ in range(INVERSION_STEPS):
        before = found
        found = -sample(backward, own + found, cv2.INTER_LINEAR)
        if np.abs(found - before).max() < INVERTED_PIXELS:
            break
    # No negative zeros.
    return found + np.float32(0)
