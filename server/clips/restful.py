"""Find when a face rests in a clip that may begin anywhere: in mid-speech, in a smile, in a blink.

The face is looked at some times a second, and its keypoints tell what it does: lips that are as
closed as they get and no wider than usual, eyes open, brows as mostly, a nose in the middle. It is
off by some hundredths of a face unit, so that all this tells only what is far from rest. Of what is
left, the face rests where it is still and looks as it does in most of the clip.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ...models.flow import luminance
from ...models.heads.keypoints import NAMES
from .crop import Crop, take_crop
from .face import Encode, FaceBox, find_faces, looked_at
from .sampling import Reals
from .template import template_points

#: How often a clip is looked at.
LOOKS_A_SECOND, FEWEST_LOOKS, MOST_LOOKS = 4.0, 12, 40
#: The whole picture is searched for a face that is not there in every so many looks.
SEARCHED_EVERY = 4
#: Looks are compared at this size, with what follows within this time.
COMPARED_PIXELS, FOLLOWING_SECONDS = 48, 0.1
#: Lips are closed as in this share of looks, eyes open as in this one.
CLOSED_SHARE, OPEN_SHARE = 0.1, 0.6
#: What tells against rest, by 1, in face units: lips that are open, pressed, wide or narrow, their
#: corners up or down; eyes that are narrow or wide; brows up or down; a nose aside, up or down.
LIPS_OPEN, LIPS_PRESSED, LIPS_WIDE, CORNERS = 0.04, 0.15, 0.1, 0.08
EYES_NARROW, EYES_WIDE, BROWS, ASIDE, NOD = 0.025, 0.05, 0.1, 0.15, 0.2
#: What a motion or a look tells against rest that is as unusual as is usual, and up to which
#: multiple of that.
UNUSUAL, MOST_UNUSUAL = 0.5, 3.0
#: A face that the keypoints are less sure of by this than of the surest tells as much.
UNSURE = 0.15

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Look:
    """A `frame` in which the `face` is seen: its `picture` (48, 48), and by how much a pixel of
    that changes (`moving`, levels) within a moment."""

    frame: int
    face: FaceBox
    picture: NDArray[np.float32]
    moving: float


def most_at_rest(
    frames: Sequence[NDArray[np.uint8]], times: Reals, encode: Encode, first: int, face: FaceBox
) -> tuple[int, FaceBox]:
    """Return the frame of a clip in which a face rests most, and the face there.

    `frames` (H, W, 3) uint8 are at `times` (T,) seconds; `face` is seen in `first`, the earliest
    that is known to show it.
    """
    looks = _looks(frames, np.asarray(times, np.float64), encode, first, face)
    if not looks:
        return first, face
    points = np.stack([look.face.points for look in looks])
    sure = np.array([look.face.confidence for look in looks])
    pictures = np.stack([look.picture for look in looks])
    strange = np.abs(pictures - np.median(pictures, 0)).mean((1, 2))
    moving = np.array([look.moving for look in looks])
    against = _unrest(_in_face_units(points)) + ((sure.max() - sure) / UNSURE) ** 2
    for one in (strange, moving):
        usual = max(1e-9, float(np.median(one)))
        against += UNUSUAL * np.minimum(one / usual, MOST_UNUSUAL)
    best = looks[int(np.argmin(against))]
    return best.frame, best.face


def _looks(
    frames: Sequence[NDArray[np.uint8]], seconds: Floats, encode: Encode, first: int, face: FaceBox
) -> list[Look]:
    """Return looks at a face from the frame `first` on."""
    count = round(LOOKS_A_SECOND * float(seconds[-1] - seconds[first]))
    count = int(np.clip(count, FEWEST_LOOKS, MOST_LOOKS))
    found, near, missed = [], face.crop, 0
    for index in np.unique(np.linspace(first, len(frames) - 1, count).astype(int)):
        seen = looked_at(frames[index], encode, near)
        if seen is None and missed % SEARCHED_EVERY == 0:
            seen = _nearest(find_faces(frames[index], encode), near)
        missed = 0 if seen is not None else missed + 1
        if seen is None:
            continue
        near = seen.crop
        later = np.searchsorted(seconds, seconds[index] + FOLLOWING_SECONDS)
        after = frames[min(int(later), len(frames) - 1)]
        picture = _small(frames[index], near)
        moving = float(np.abs(_small(after, near) - picture).mean())
        found.append(Look(int(index), seen, picture, moving))
    return found


def _nearest(faces: Sequence[FaceBox], near: Crop) -> FaceBox | None:
    """Return the face nearest to a crop, None of none."""
    away = [float(np.hypot(*np.subtract(face.crop.centre, near.centre))) for face in faces]
    return faces[int(np.argmin(away))] if faces else None


def _small(frame: NDArray[np.uint8], crop: Crop) -> NDArray[np.float32]:
    """Return a face (48, 48) without its overall brightness."""
    level = luminance(take_crop(frame, crop, COMPARED_PIXELS)).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(level - level.mean(), (0, 0), 1.0), np.float32)


def _in_face_units(points: Floats) -> Floats:
    """Return faces' keypoints (N, 30, 2) as the average face's are: eyes' corners laid on its."""
    bones = [NAMES.index(name) for name in NAMES if name.startswith(("eye_", "nose_bridge"))]
    known, found = (np.asarray(a, np.float64) @ (1, 1j) for a in (template_points()[:, :2], points))
    middle, own = known[bones].mean(), found[:, bones].mean(1, keepdims=True)
    away = found[:, bones] - own
    turn = (np.conj(away) * (known[bones] - middle)).sum(1) / (np.abs(away) ** 2).sum(1)
    laid = middle + turn[:, None] * (found - own)
    return np.stack([laid.real, laid.imag], -1)


def _unrest(points: Floats) -> Floats:
    """Return how far (N,) faces' keypoints (N, 30, 2) in face units are from rest, squared."""
    lips, width, corners, lids, brows, aside, nod = _features(points)
    usual = _features(template_points()[None, :, :2].astype(float))[:, 0]
    lips = lips - np.quantile(lips, CLOSED_SHARE)
    lids = lids - np.quantile(lids, OPEN_SHARE)
    told = [
        np.where(lips > 0, lips / LIPS_OPEN, lips / LIPS_PRESSED),
        # Somebody may smile in most of a clip.
        (width - min(usual[1], float(np.median(width)))) / LIPS_WIDE,
        (corners - usual[2]) / CORNERS,
        np.where(lids < 0, lids / EYES_NARROW, lids / EYES_WIDE),
        (brows - np.median(brows)) / BROWS,
        aside / ASIDE,
        (nod - np.median(nod)) / NOD,
    ]
    return np.asarray(np.square(told).sum(0), np.float64)


def _features(points: Floats) -> Floats:
    """Return (7, N) of faces' keypoints (N, 30, 2): heights of lips, widths, how far the corners
    lie below the upper lip, heights of eyes, where brows are, and the nose, across and down."""
    x, y = ({name: points[:, k, axis] for k, name in enumerate(NAMES)} for axis in (0, 1))
    sides = ("right", "left")
    return np.stack(
        [
            y["lip_lower"] - y["lip_upper"],
            x["lip_corner_left"] - x["lip_corner_right"],
            np.mean([y[f"lip_corner_{side}"] for side in sides], 0) - y["lip_upper"],
            np.mean([y[f"lid_lower_{side}"] - y[f"lid_upper_{side}"] for side in sides], 0),
            np.mean([y[f"brow_{p}_{side}"] for p in ("inner", "middle") for side in sides], 0),
            x["nose_tip"],
            y["nose_tip"],
        ]
    )
