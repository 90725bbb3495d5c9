"""How far the motion at each vertex can be trusted, by what the server doubts of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .gather import bilinear
from .shown import face_crop


def trust_at(result: Mapping[str, Any], pixels: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return trust (V,) in 0..1 at places (V,2), pixels of the neutral as in `Jacobian.pixels`.

    `result` is a retarget's table: `doubt`, the expected error over the motion near by in squares
    of the crop, and `faces.character`, where the crop lies. Trust falls as the error grows, no
    faster: errors of places near each other go together. Without doubts in the table every place
    is trusted alike.
    """
    doubt = np.asarray(result.get("doubt") or (), np.float32)
    if doubt.ndim != 2 or not len(pixels):
        return np.ones(len(pixels), np.float32)
    x, y, side, roll = face_crop(result)
    away = pixels + 0.5 - (x, y)
    cosine, sine = np.cos(roll), np.sin(roll)
    upright = np.stack([away @ (cosine, sine), away @ (-sine, cosine)], axis=1)
    height, width = doubt.shape
    cells = (upright / side + 0.5) * (width, height) - 0.5
    inside = np.clip(cells, 0, (width - 1, height - 1))
    found = bilinear(inside, height, width)(doubt)
    ratio = found / max(float(np.median(found)), 1e-6)
    return np.asarray(1 / np.sqrt(1 + ratio**2), np.float32)
