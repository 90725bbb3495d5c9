"""What lies before a face and stays when it moves: hair and clothes of a head, and covers."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from .families import Floats, RenderHead
from .occluders import free_share
from .render import SUPERSAMPLING, Drawing, Motion

#: Share of a pixel from which it shows what is fixed.
MOSTLY = 0.5


def fixed_share(head: RenderHead, drawing: Drawing, cover: Floats | None = None) -> Floats:
    """Return how much of each pixel shows what is fixed, (S, S) in 0..1.

    `drawing` of the head, and the `cover` (2S, 2S, 4) that lies over it.
    """
    side = drawing.raster.triangle.shape[0]
    fixed = np.array([surface.fixed for surface in head.surfaces])
    shown = np.zeros(side * side, np.float32)
    shown[drawing.pixel] = fixed[head.surface[drawing.owner]]
    shown = shown.reshape(side, side)
    if cover is not None:
        shown = np.maximum(shown, cover[..., 3])
    size = (side // SUPERSAMPLING, side // SUPERSAMPLING)
    return np.asarray(cv2.resize(shown, size, interpolation=cv2.INTER_AREA), np.float32)


def beneath(seen: Motion, cover: Floats) -> Motion:
    """Return the motion that is seen where a `cover` (2S, 2S, 4) lies over both drawings.

    The cover's own pixels stay and are seen in both; what goes under it or comes out is not.
    """
    size = (seen.flow.shape[1], seen.flow.shape[0])
    hidden = cv2.resize(cover[..., 3], size, interpolation=cv2.INTER_AREA) > MOSTLY
    free = free_share(cover, cover, seen.flow) > MOSTLY
    return replace(
        seen,
        flow=np.where(hidden[..., None], np.float32(0), seen.flow),
        visible=np.where(hidden, np.float32(1), seen.visible * free),
    )
