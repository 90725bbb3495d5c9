"""See how open the eyes are.

Whichever way an open eye looks, iris and white meet in edges across; closed lids are skin with a
line of lashes along. So what changes from left to right in an eye tells how much of it is seen.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ...models.flow import luminance
from .crop import NETWORK_PIXELS, Crop, shrink_for
from .sampling import Reals
from .template import CROP_UNITS

Floats = NDArray[np.float64]

#: An eye in face units about the crop's middle, y down: top, bottom, inner and outer edge as
#: distances from the middle line.
_TOP, _BOTTOM, _INNER, _OUTER = -0.75, -0.35, 0.3, 1.05
#: The face about the eyes, by which light is told: as far above and below them again, and as far
#: out.
_BESIDE = 0.3
#: Finer detail than this, in pixels of the crop, may be noise.
_BLUR_PIXELS = 1.0


def eyes_seen(frames: Sequence[NDArray[np.uint8]], crop: Crop, poses: Reals) -> NDArray[np.float64]:
    """Return how much (T, 2) is seen of the right and the left eye in frames (H, W, 3) uint8.

    The face is in the crop in the neutral, and the head in `poses` (T, 6) since. What is seen is
    the change from left to right, RMS over the eye, in shares of the light a pixel of the crop.
    """
    return np.array(
        [_seen(frame, crop.followed(pose)) for frame, pose in zip(frames, poses, strict=True)]
    ).reshape(-1, 2)


def _seen(picture: NDArray[np.uint8], crop: Crop) -> Floats:
    first, last = _pixels(_TOP - _BESIDE), _pixels(_BOTTOM + _BESIDE)
    small, affine = shrink_for(luminance(picture), crop.affine())
    affine = affine.copy()
    affine[:, 2] += first * affine[:, 1]
    band = cv2.warpAffine(
        small, affine, (NETWORK_PIXELS, last - first),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
    ).astype(np.float32)  # fmt: skip
    light = float(band[:, _pixels(-_OUTER) : _pixels(_OUTER)].mean())
    across = cv2.Scharr(cv2.GaussianBlur(band, (0, 0), _BLUR_PIXELS), cv2.CV_32F, 1, 0) / 32
    rows = slice(_pixels(_TOP) - first, _pixels(_BOTTOM) - first)
    right = across[rows, _pixels(-_OUTER) : _pixels(-_INNER)]
    left = across[rows, _pixels(_INNER) : _pixels(_OUTER)]
    return np.array([np.sqrt((eye**2).mean()) for eye in (right, left)]) / max(1.0, light)


def _pixels(units: float) -> int:
    """Return the column or row of a crop at so many face units from its middle."""
    return round((0.5 + units / CROP_UNITS) * NETWORK_PIXELS)
