"""Find the face in a picture: cascades propose, the network's keypoints decide and refine.

Where MediaPipe is installed it proposes as well, and stands in for keypoints that know no face.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from .crop import Crop, crop_about, take_crop
from .mediapipe_face import is_installed, mesh_keypoints
from .sampling import Reals
from .template import points_in_crop, template_points

Encode = Callable[[NDArray[np.uint8]], Mapping[str, NDArray[np.float32]]]

#: Cascades of OpenCV (Viola and Jones 2001; Lienhart and Maydt 2002), by what they let through.
CASCADES = ("alt2", "default", "alt")
#: The picture is searched at most at this size, for faces of a sixth of its shorter side and more;
#: where none is found, once more at this one, for small faces in large pictures.
SEARCH_PIXELS, FINE_PIXELS = 360, 1440
#: How wide a face must be at least, in pixels.
SMALLEST_FACE = 60
#: Turns of the picture that are searched, in degrees.
TURNS = (0.0, -20.0, 20.0)
#: A cascade's box against the crop: the crop's side, and how far its centre lies below, in sides
#: of the box. Measured on rendered heads and real clips.
CROP_PER_BOX = 1.16
BELOW_PER_BOX = 0.05
#: The keypoints may differ this much (RMS, face units) from the average face.
PLAUSIBLE_UNITS = 0.26
#: The keypoints' heatmaps must be this peaked on average, 0..1. Faces have 0.6 to 0.8, pictures
#: of anything else less than 0.25.
SURE = 0.35
#: A keypoint less sure than this is hidden; so many must be seen for the others to be laid in.
HIDDEN, LEAST_SEEN = 0.4, 8
#: Crops whose centres are nearer than this share of the larger one are of one face.
SAME_SHARE = 0.35
#: Of several faces, those that are this sure against the surest are taken for faces to choose from.
CONVINCING_SHARE = 0.6
#: Times that a crop is laid about the keypoints; and where the crop is about right before.
ROUNDS, LOOK_ROUNDS = 3, 2
#: Candidates that are looked at with the network, at most.
MAX_CANDIDATES = 6


@dataclass(frozen=True)
class FaceBox:
    """A face: its crop, its 30 keypoints (30, 2) in picture positions (corner at 0, 0), how sure
    the network is of them, 0..1, what found it, and how many `others` the picture has."""

    crop: Crop
    points: NDArray[np.float64]
    confidence: float
    found_by: Literal["keypoints", "cascades", "MediaPipe"] = "keypoints"
    others: int = 0

    @property
    def within(self) -> NDArray[np.float64]:
        """The keypoints (30, 2) in [-1, 1] of the crop."""
        return self.crop.of_picture(self.points)


@dataclass(frozen=True)
class _Candidate:
    crop: Crop
    votes: float


def find_face(
    picture: NDArray[np.uint8],
    encode: Encode,
    name: str,
    *,
    upright: bool = True,
    near: tuple[float, float] | None = None,
) -> FaceBox:
    """Return the face in a picture (H, W, 3) uint8; of several, the largest convincing one.

    `encode` is the network's (points in [-1, 1] of a crop, confidence). With `upright` the crop is
    turned so that the eyes are level. `near` (x, y) in pixels names the face that is meant. `name`
    is what the error calls the picture. Raises InputError where no face is found.
    """
    faces = find_faces(picture, encode, upright=upright)
    if not faces:
        raise no_face(picture, name)
    return face_among(faces, near)


def face_among(faces: Sequence[FaceBox], near: tuple[float, float] | None) -> FaceBox:
    """Return the largest convincing one of several faces, or the one nearest to a place (x, y)."""
    if near is not None:
        chosen = min(faces, key=lambda f: float(np.hypot(*np.subtract(f.crop.centre, near))))
    else:
        sure = max(face.confidence for face in faces)
        convincing = [face for face in faces if face.confidence >= CONVINCING_SHARE * sure]
        chosen = max(convincing, key=lambda f: f.crop.side)
    return replace(chosen, others=len(faces) - 1)


def no_face(picture: NDArray[np.uint8], name: str) -> InputError:
    """Return what to raise where a picture (H, W, 3) uint8, called `name`, shows no face."""
    small = _widest_small_face(picture)
    if small:
        return InputError(
            f"The faces in {name} are too small, some {small:.0f} pixels wide.",
            f"Enlarge or film the face so that it is at least {SMALLEST_FACE} pixels wide.",
        )
    return InputError(
        f"There is no face to be found in {name}.",
        f"Give a picture with one face, seen from the front, at least {SMALLEST_FACE} pixels wide.",
    )


def find_faces(
    picture: NDArray[np.uint8], encode: Encode, *, upright: bool = True
) -> list[FaceBox]:
    """Return the faces in a picture (H, W, 3) uint8, the most convincing first; see `find_face`."""
    found: list[FaceBox] = []
    for points in mesh_keypoints(picture) if is_installed() else ():
        around = crop_about(points, upright=True)
        face = _refine(picture, around, encode, upright=upright)
        if face is None or not _same(face.crop, around):
            face = FaceBox(crop_about(points, upright=upright), points, SURE, "MediaPipe")
        found.append(face)
    candidates = _propose(picture)
    _settle(picture, candidates, encode, found, upright=upright)
    if not found and max(picture.shape[:2]) > SEARCH_PIXELS:
        _settle(picture, _propose_small(picture), encode, found, upright=upright)
    if not found and candidates and candidates[0].votes >= 2:
        # Cascades that agree know a face whose features the network does not, as a cartoon's.
        crop = candidates[0].crop
        if not upright:
            crop = Crop(crop.centre, crop.side)
        points = crop.to_picture(points_in_crop())
        found.append(FaceBox(crop, points, 0.0, "cascades"))
    return sorted(found, key=lambda face: -face.confidence)


def crops_of(encode: Encode, picture: NDArray[np.uint8], near: Crop | None) -> list[Crop]:
    """Return the crop of the face `near` a crop in a picture (H, W, 3) uint8, or those of all of
    its faces, the most convincing first; none where there is no face."""
    if near is None:
        return [face.crop for face in find_faces(picture, encode)]
    face = looked_at(picture, encode, near)
    return [] if face is None else [face.crop]


def looked_at(picture: NDArray[np.uint8], encode: Encode, near: Crop) -> FaceBox | None:
    """Return the face near a crop in a picture (H, W, 3) uint8, None where there is none."""
    return _refine(picture, near, encode, upright=True, rounds=LOOK_ROUNDS)


def _settle(
    picture: NDArray[np.uint8],
    candidates: list[_Candidate],
    encode: Encode,
    found: list[FaceBox],
    *,
    upright: bool,
) -> None:
    """Add the faces that candidates turn out to be to those `found`."""
    for candidate in candidates[:MAX_CANDIDATES]:
        if any(_same(candidate.crop, face.crop) for face in found):
            continue
        face = _refine(picture, candidate.crop, encode, upright=upright)
        if face is not None and not any(_same(face.crop, other.crop) for other in found):
            found.append(face)


def _same(one: Crop, other: Crop) -> bool:
    """Return whether two crops are of one face."""
    away = float(np.hypot(*np.subtract(one.centre, other.centre)))
    return away < SAME_SHARE * max(one.side, other.side)


def _refine(
    picture: NDArray[np.uint8],
    crop: Crop,
    encode: Encode,
    *,
    upright: bool,
    rounds: int = ROUNDS,
) -> FaceBox | None:
    """Return the face near a crop, or None where the keypoints make none."""
    face = None
    for _ in range(rounds):
        encoding = encode(take_crop(picture, crop))
        local = completed(encoding["points"][0].astype(float), encoding["confidence"][0])
        distance, span = misfit(local)
        sure = float(encoding["confidence"][0].mean())
        if sure < SURE or distance > PLAUSIBLE_UNITS or not 0.35 < span < 2.0:
            return None
        points = crop.to_picture(local)
        crop = crop_about(points, upright=upright)
        face = FaceBox(crop, points, sure * (1 - distance / PLAUSIBLE_UNITS))
    return face


def completed(points: Reals, confidence: Reals) -> NDArray[np.float64]:
    """Return keypoints (30, 2) in which those that are hidden lie where the average face has them.

    A keypoint of less `confidence` (30,) than `HIDDEN` is behind a mask, a hand or hair, and its
    place a guess; the average face is laid over the others by a similarity. With too few others
    the keypoints stay as they are.
    """
    seen = np.asarray(confidence) >= HIDDEN
    whole = np.array(points, np.float64)
    if not seen.all() and seen.sum() >= LEAST_SEEN:
        whole[~seen] = _average_over(whole, seen)[0][~seen]
    return whole


def misfit(points: Reals) -> tuple[float, float]:
    """Return how far keypoints (30, 2) in [-1, 1] of a crop are from the average face.

    RMS distance in face units after the best similarity, and the face's size against the size
    that the crop is made for. A mirrored or upside-down face is far away.
    """
    from ...models.heads.keypoints import face_unit

    found = np.asarray(points, np.float64)
    span = face_unit(found)
    if span < 1e-6:
        return float("inf"), 0.0
    laid, turn = _average_over(found, np.ones(len(found), bool))
    distance = float(np.sqrt(((found - laid) ** 2).sum(1).mean())) / span
    return (float("inf") if abs(turn) > np.radians(45) else distance), span * 2.1


def _average_over(
    points: NDArray[np.float64], seen: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], float]:
    """Return the average face (30, 2) laid over the `seen` (30,) of keypoints (30, 2) by the best
    similarity, and its turn in radians."""
    known, found = (np.asarray(a, np.float64) @ (1, 1j) for a in (template_points()[:, :2], points))
    away, place = known - known[seen].mean(), found[seen].mean()
    turn = np.vdot(away[seen], found[seen] - place) / np.vdot(away[seen], away[seen])
    laid = place + turn * away
    return np.stack([laid.real, laid.imag], axis=1), float(np.angle(turn))


def _propose(picture: NDArray[np.uint8]) -> list[_Candidate]:
    """Return crops that may hold a face, the most voted for first, whole-frame ones last."""
    height, width = picture.shape[:2]
    grey, scale = _searched(picture, SEARCH_PIXELS)
    grey = cv2.equalizeHist(grey)
    least = max(24, min(grey.shape) // 6)
    found: list[_Candidate] = []
    for turn in TURNS:
        if turn and any(c.votes >= 2 for c in found):
            break
        found += _search(grey, turn, scale, least)
    merged = _merge(found)
    side = float(min(height, width))
    whole = [
        _Candidate(Crop((width / 2, height / 2 + shift * side), share * side), 0.0)
        for share, shift in ((1.0, 0.0), (0.7, 0.0), (1.25, 0.0))
    ]
    return merged + whole


def _propose_small(picture: NDArray[np.uint8]) -> list[_Candidate]:
    """Return crops that may hold a small, upright face of a large picture.

    Contrast is left as it is, and to the cascades: that of the whole is the background's.
    """
    grey, scale = _searched(picture, FINE_PIXELS)
    return _merge(_search(grey, 0.0, scale, max(24, round(SMALLEST_FACE * scale))))


def _widest_small_face(picture: NDArray[np.uint8]) -> float:
    """Return how wide the widest face is, in pixels, that is too small to be measured; or 0."""
    grey, _ = _searched(picture, FINE_PIXELS)
    scale = min(4.0, FINE_PIXELS / max(grey.shape))
    large = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    scale *= grey.shape[0] / picture.shape[0]
    found = _merge(_search(large, 0.0, scale, 24))
    sides = [one.crop.side / CROP_PER_BOX for one in found if one.votes >= 2]
    return max((side for side in sides if side < SMALLEST_FACE), default=0.0)


def _searched(picture: NDArray[np.uint8], pixels: int) -> tuple[NDArray[Any], float]:
    """Return a picture in grey, at most so many pixels large, and its scale."""
    height, width = picture.shape[:2]
    scale = min(1.0, pixels / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), scale


def _search(grey: NDArray[Any], turn: float, scale: float, least: int) -> list[_Candidate]:
    height, width = grey.shape
    middle = ((width - 1) / 2, (height - 1) / 2)
    forth = cv2.getRotationMatrix2D(middle, turn, 1.0)
    back = cv2.invertAffineTransform(forth)
    turned = cv2.warpAffine(grey, forth, (width, height), borderMode=cv2.BORDER_REPLICATE)
    found = []
    for cascade in _cascades():
        boxes = cascade.detectMultiScale(turned, 1.1, 3, minSize=(least, least))
        for x, y, side, _ in boxes:
            at = np.array([x + side / 2 - 0.5, y + side * (0.5 + BELOW_PER_BOX) - 0.5, 1.0])
            centre = (back @ at + 0.5) / scale
            found.append(
                _Candidate(
                    Crop(
                        (float(centre[0]), float(centre[1])),
                        float(side) * CROP_PER_BOX / scale,
                        float(np.radians(turn)),
                    ),
                    1.0,
                )
            )
    return found


@cache
def _cascades() -> tuple[cv2.CascadeClassifier, ...]:
    folder = Path(cv2.__file__).parent / "data"
    return tuple(
        cv2.CascadeClassifier(str(folder / f"haarcascade_frontalface_{name}.xml"))
        for name in CASCADES
    )


def _merge(found: list[_Candidate]) -> list[_Candidate]:
    """Return the candidates with those of one place merged and their votes added."""
    groups: list[list[_Candidate]] = []
    for candidate in found:
        for group in groups:
            near = group[0].crop
            away = np.hypot(*np.subtract(near.centre, candidate.crop.centre))
            if away < 0.25 * near.side and 0.6 < candidate.crop.side / near.side < 1.6:
                group.append(candidate)
                break
        else:
            groups.append([candidate])
    merged = []
    for group in groups:
        rows = np.array([[*c.crop.centre, c.crop.side, c.crop.roll] for c in group])
        x, y, side, roll = rows.mean(0)
        merged.append(
            _Candidate(
                Crop((float(x), float(y)), float(side), float(roll)), sum(c.votes for c in group)
            )
        )
    # Between equals the larger face is the one the picture is of.
    return sorted(merged, key=lambda c: (c.votes, c.crop.side), reverse=True)
