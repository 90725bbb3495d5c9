"""The square crop about a face that the network sees.

Centre: the mean of the 30 keypoints. Side: `CROP_UNITS` face units, a face unit being the RMS
distance of the keypoints from their mean. Upright, or turned with the face by `roll`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .sampling import Reals, T
from .template import CROP_UNITS

#: Side of the picture that the network sees, in pixels.
NETWORK_PIXELS = 256


@dataclass(frozen=True)
class Crop:
    """A square in a picture: centre (x, y) and side in pixels, roll in radians.

    Pixel centres lie at whole numbers plus one half here, so (0, 0) is the picture's corner. A
    positive roll turns the square clockwise as seen.
    """

    centre: tuple[float, float]
    side: float
    roll: float = 0.0

    def affine(self, pixels: int = NETWORK_PIXELS) -> NDArray[np.float64]:
        """Return the (2, 3) map from array columns and rows of the crop to those of the picture."""
        scale = self.side / pixels
        turn = scale * np.array(
            [[np.cos(self.roll), -np.sin(self.roll)], [np.sin(self.roll), np.cos(self.roll)]]
        )
        middle = np.full(2, (pixels - 1) / 2)
        shift = np.asarray(self.centre) - 0.5 - turn @ middle
        return np.concatenate([turn, shift[:, None]], 1)

    def followed(self, pose: Reals) -> Crop:
        """Return the crop about the face when the head is in a pose (6,): rotation vector,
        logarithm of scale, shift in pixels of the crop."""
        turn = self.affine()[:, :2]
        x, y = np.asarray(self.centre) + turn @ np.asarray(pose[4:])
        return Crop(
            (float(x), float(y)), float(self.side * np.exp(pose[3])), float(self.roll + pose[2])
        )

    def to_picture(self, points: Reals) -> NDArray[np.float64]:
        """Return points (..., 2) in [-1, 1] of the crop as picture positions (corner at 0, 0)."""
        half = self.side / 2
        cosine, sine = np.cos(self.roll) * half, np.sin(self.roll) * half
        x, y = points[..., 0], points[..., 1]
        return np.stack(
            [self.centre[0] + cosine * x - sine * y, self.centre[1] + sine * x + cosine * y], -1
        )

    def of_picture(self, points: Reals) -> NDArray[np.float64]:
        """Return picture positions (..., 2) as points in [-1, 1] of the crop."""
        cosine, sine = np.cos(self.roll), np.sin(self.roll)
        away = np.asarray(points) - np.asarray(self.centre)
        x, y = away[..., 0], away[..., 1]
        turned = np.stack([cosine * x + sine * y, cosine * y - sine * x], -1)
        return np.asarray(turned / (self.side / 2), np.float64)


def crop_about(points: Reals, *, upright: bool) -> Crop:
    """Return the crop about keypoints (30, 2) in picture positions (corner at 0, 0).

    With `upright` it is turned so that the line through the eyes is level.
    """
    from ...models.heads.keypoints import NAMES, face_unit

    roll = 0.0
    if upright:
        right = points[[NAMES.index("eye_outer_right"), NAMES.index("eye_inner_right")]].mean(0)
        left = points[[NAMES.index("eye_outer_left"), NAMES.index("eye_inner_left")]].mean(0)
        roll = float(np.arctan2(left[1] - right[1], left[0] - right[0]))
    x, y = points.mean(0)
    return Crop((float(x), float(y)), CROP_UNITS * face_unit(points), roll)


def take_crop(
    picture: NDArray[np.uint8], crop: Crop, pixels: int = NETWORK_PIXELS
) -> NDArray[np.uint8]:
    """Return the crop (pixels, pixels, 3) uint8 of a picture, antialiased; edges are extended."""
    import cv2

    picture, affine = shrink_for(picture, crop.affine(pixels))
    return np.asarray(
        cv2.warpAffine(
            picture,
            affine,
            (pixels, pixels),
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        dtype=np.uint8,
    )


def shrink_for(
    picture: NDArray[T], affine: NDArray[np.float64]
) -> tuple[NDArray[T], NDArray[np.float64]]:
    """Return the picture shrunk to about the crop's resolution, and the crop's map into it.

    Sampling a picture of much finer pixels than the crop's would alias; area means do not.
    """
    import cv2

    step = float(np.sqrt(abs(np.linalg.det(affine[:, :2]))))
    if step < 1.25:
        return picture, affine
    height, width = picture.shape[:2]
    size = (max(1, round(width / step)), max(1, round(height / step)))
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), picture.dtype)
    ratio = np.array([size[0] / width, size[1] / height])
    moved = affine.copy()
    moved[:, 2] += 0.5
    moved *= ratio[:, None]
    moved[:, 2] -= 0.5
    return small, moved
