"""Spectacles on a character's picture stay while the face behind them moves.

They are found on the crop (`models/spectacles`), taken off the picture, so that the face alone is
read and moved, and put back on what was made. Where they lie, pixels are the neutral's own.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...models.heads.keypoints import NAMES
from ..clips.crop import NETWORK_PIXELS, Crop
from ..clips.sampling import Reals, own_places
from ..onnx_session import load_graph
from .runtime import as_input

Floats = NDArray[np.float32]
Pictures = NDArray[np.uint8]

STORED = Path(__file__).with_name("spectacles.onnx")
#: Shares hidden from which a pixel is surely a rim's, and from which on it is one beside such.
SURE, LIKELY = 0.5, 0.25
#: Sectors about an eye's centre, and how many of them rims pass through at least: brows pass
#: through four or five, half rims with their bridge and arms through seven or eight.
SECTORS, ENCLOSED = 12, 7
#: Rims go around an eye within these distances of it, in distances between the eyes.
NEAREST, FARTHEST = 0.12, 0.75
#: Spectacles are this near to an eye, and nearly all that looks like them is.
NEAR, NEARLY_ALL = 1.3, 0.8
#: Pixels of the crop beyond rims over which their stillness fades.
FADING = 1.5
#: Pixels of the crop from which the place of rims is filled; finer pictures are filled at so many
#: pixels for one of the crop.
FILLED_FROM, FINEST = 4, 2
#: Pixels of the crop about rims that are looked at.
MARGIN = 8
#: Keypoints of each eye.
EYES = tuple(
    [i for i, name in enumerate(NAMES) if name.startswith(("eye_", "lid_")) and name.endswith(side)]
    for side in ("right", "left")
)
#: Rows and columns of a part of a picture.
Box = tuple[slice, slice]


@cache
def _session() -> Any:
    return load_graph(STORED.read_bytes(), STORED.name)


def rims_on(picture: Pictures, points: Reals) -> Floats | None:
    """Return which pixels (256, 256) of a crop (256, 256, 3) uint8 the rims of spectacles hide, 0
    or 1; None where it shows no spectacles. `points` (30, 2) are the face's keypoints in [-1, 1].
    """
    share = _session().run(["rims"], {"image": as_input(picture)})[0][0, 0]
    away = _from_eyes(points)
    found = _linked(share)
    rims = found & (np.linalg.norm(away, axis=-1).min(0) < NEAR)
    if rims.sum() < max(1, NEARLY_ALL * found.sum()):
        return None
    return rims.astype(np.float32) if all(_around(rims, one) for one in away) else None


def _linked(share: Floats) -> NDArray[np.bool_]:
    """Return which pixels (256, 256) are likely a rim's and linked to one that surely is."""
    count, labels = cv2.connectedComponents((share > LIKELY).astype(np.uint8))
    sure = np.bincount(labels[share > SURE], minlength=count)
    return np.asarray(((sure > 0) & (np.arange(count) > 0))[labels], np.bool_)


def _from_eyes(points: Reals) -> Floats:
    """Return how far each pixel is from either eye's centre, (2, 256, 256, 2), in distances between
    the eyes; `points` as in `rims_on`."""
    eyes = (np.stack([points[list(eye)].mean(0) for eye in EYES]) + 1) * NETWORK_PIXELS / 2
    places = own_places(NETWORK_PIXELS, NETWORK_PIXELS) + 0.5
    away = (places - eyes[:, None, None]) / np.linalg.norm(eyes[1] - eyes[0])
    return np.asarray(away, np.float32)


def _around(rims: NDArray[np.bool_], away: Floats) -> bool:
    """Return whether rims (256, 256) go around an eye; pixels are `away` (256, 256, 2) from it."""
    places = away[rims]
    far = np.linalg.norm(places, axis=1)
    across, down = places[(far > NEAREST) & (far < FARTHEST)].T
    sector = np.floor((np.arctan2(down, across) / (2 * np.pi) + 0.5) * SECTORS) % SECTORS
    return len(np.unique(sector)) >= ENCLOSED


class Worn:
    """What a character wears: its picture with it and without, and where it stays as it is."""

    def __init__(self, neutral: Pictures, bare: Pictures, box: Box, share: Floats) -> None:
        """Take a `neutral` (H, W, 3) with spectacles and `bare` (H, W, 3) without. Of each pixel in
        a `box` of them a `share` (h, w) stays as it is in the neutral; all around, nothing does."""
        self.bare = bare
        self._box = box
        self._worn = neutral[box]
        self._whole = (share == 1).astype(np.uint8)
        # Few pixels are neither.
        self._partly = np.nonzero((share > 0) & (share < 1))
        self._share = share[self._partly][:, None]
        self._levels = self._share * self._worn[self._partly]

    def put_on(self, picture: Pictures) -> Pictures:
        """Return a picture (H, W, 3) that was made of `bare`, which is overwritten, as worn."""
        part = picture[self._box]
        part[self._partly] = np.rint(self._levels + (1 - self._share) * part[self._partly])
        cv2.copyTo(self._worn, self._whole, part)
        return picture

    def without(self, edges: Pictures) -> Pictures:
        """Return an edge map (H, W), which is overwritten, with no edges where nothing moves."""
        part = edges[self._box]
        part[self._partly] = np.rint((1 - self._share[:, 0]) * part[self._partly])
        part[self._whole > 0] = 0
        return edges


def worn_on(neutral: Pictures, crop: Crop, picture: Pictures, points: Reals) -> Worn | None:
    """Return the spectacles in the `crop` of a neutral (H, W, 3) uint8; None if there are none.
    `picture` is that crop, `points` as in `rims_on`."""
    rims = rims_on(picture, points)
    return None if rims is None else taken_off(neutral, crop, rims)


def taken_off(neutral: Pictures, crop: Crop, rims: Floats) -> Worn:
    """Return a neutral (H, W, 3) uint8 with the `rims` (256, 256) of its `crop` taken off; the
    crop must not be turned."""
    scale = crop.side / NETWORK_PIXELS
    box = _box_about(rims, crop, neutral.shape[:2])
    part = neutral[box]
    about = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    wide = np.asarray(cv2.dilate(rims, about), np.float32)
    hidden = _carried(wide, crop, box)
    away = cv2.distanceTransform(1 - hidden, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) / scale
    share = np.clip(1 - away / FADING, 0, 1).astype(np.float32)
    bare = neutral.copy()
    cv2.copyTo(_filled(part, hidden, scale), hidden, bare[box])
    return Worn(neutral, bare, box, share)


def _box_about(rims: Floats, crop: Crop, size: tuple[int, ...]) -> Box:
    """Return the part of a picture of `size` (H, W) in which rims lie and fade."""
    rows, columns = np.nonzero(rims)
    corners = np.array(
        [
            [columns.min() - MARGIN, columns.max() + MARGIN],
            [rows.min() - MARGIN, rows.max() + MARGIN],
            [1, 1],
        ]
    )
    (left, right), (top, bottom) = np.rint(crop.affine() @ corners).astype(int)
    return _within(top, bottom, size[0]), _within(left, right, size[1])


def _within(first: int, last: int, size: int) -> slice:
    """Return the pixels from `first` to `last` that a picture of `size` has, one at least: a crop
    may reach beyond the picture."""
    start = int(np.clip(first, 0, size - 1))
    return slice(start, int(np.clip(last + 1, start + 1, size)))


def _carried(mask: Floats, crop: Crop, box: Box) -> Pictures:
    """Return where (h, w), 0 or 1, a mask (256, 256) of the crop lies in a `box` of the picture."""
    rows, columns = box
    there = np.asarray(cv2.invertAffineTransform(crop.affine()), np.float64)
    there[:, 2] += there[:, :2] @ (columns.start, rows.start)
    size = (columns.stop - columns.start, rows.stop - rows.start)
    share = cv2.warpAffine(mask, there, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return np.asarray(share > 0.5, np.uint8)


def _filled(part: Pictures, hidden: Pictures, scale: float) -> Pictures:
    """Return a part of a picture (h, w, 3) with what is `hidden` (h, w) made up from what is about
    it. It is seen where the face moves from behind a rim, a pixel or two of the crop wide."""
    height, width = hidden.shape
    shrink = max(1.0, scale / FINEST)
    size = (max(1, round(width / shrink)), max(1, round(height / shrink)))
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    holes = cv2.resize(hidden.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
    reach = FILLED_FROM * scale / shrink
    made = cv2.inpaint(small, holes.astype(np.uint8), reach, cv2.INPAINT_TELEA)
    return np.asarray(cv2.resize(made, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
