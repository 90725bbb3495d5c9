"""Measure a whole clip: its face, its neutral, and how every frame moves against it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from . import clean
from .calibrate import Neutral, brought, neutral_of
from .clip import Clip
from .covered import parts_covered
from .crop import Crop
from .eyelids import eyes_seen
from .face import Encode, FaceBox, face_among, find_faces, no_face
from .restful import most_at_rest
from .roomy import roomy
from .sampling import Reals
from .steady import Steadier
from .upright import CELLS

#: A clip shorter than this was cut to begin at rest; a longer one may rest anywhere.
TRIMMED_SECONDS = 3.0
#: Frames in which a face is looked for, at most, until one shows it; and how sure it must be where
#: the first frame has none. In films faces are sure by 0.2 to 0.6, letters and clouds by 0.1.
FIRST_LOOKS, SURE_FACE = 12, 0.2


@dataclass(frozen=True)
class Start:
    """What has to be known before the first frame is steadied: the face in the frame at rest, the
    neutral, and the steadier that has learned the actor's face."""

    face: FaceBox
    neutral: Neutral
    steadier: Steadier


@dataclass(frozen=True)
class Measured:
    """A clip's motion: `flows` (T, 64, 64, 2) float16 pixels of the 256-pixel crop with the head's
    motion taken out, `trust` (T, 64, 64) float16 0..1 in them, the head's `poses` (T, 6),
    `confidence` (T,) 0..1, and how much is seen of the right and the left of the `eyes` (T, 2).
    `warnings` tell what is wrong with the frames; the flows of those that repeat others or are
    smeared are mended, and all of those that do not show the face lies between what the frames
    beside them have, with no confidence."""

    start: Start
    flows: NDArray[np.float16]
    trust: NDArray[np.float16]
    poses: NDArray[np.float64]
    confidence: NDArray[np.float64]
    eyes: NDArray[np.float64]
    warnings: tuple[clean.Warning, ...]


def start_of(
    frames: Sequence[NDArray[np.uint8]],
    times: Reals,
    encode: Encode,
    name: str,
    *,
    onset: int | None = None,
    near: tuple[float, float] | None = None,
    rest: Clip | None = None,
) -> Start:
    """Return the start of a clip of frames (H, W, 3) uint8 at `times` (T,) seconds.

    `onset` names a frame known to be at rest, `near` (x, y) in pixels the face that is meant where
    there are several. `rest` is another clip of the same person, or a picture as a clip of one
    frame, whose neutral is taken. Raises InputError where the clip, `name`, or `rest` shows no
    face.
    """
    first, face = first_face(frames, encode, name, onset=onset, near=near)
    if rest is not None:
        height, width = frames[0].shape[:2]
        neutral = brought(*rest_of(rest, encode), face.crop, (width, height))
    else:
        neutral, face = neutral_and_face(frames, times, encode, first, face, onset=onset)
    steadier = Steadier(neutral.image, face.crop, encode)
    steadier.learn_face(frames)
    return Start(face, neutral, steadier)


def first_face(
    frames: Sequence[NDArray[np.uint8]],
    encode: Encode,
    name: str,
    *,
    onset: int | None = None,
    near: tuple[float, float] | None = None,
) -> tuple[int, FaceBox]:
    """Return the first of some frames that shows a face, and that face; see `start_of`.

    After the first frame only a face that is sure counts: other things look a little like one.
    """
    looks = np.unique(np.linspace(0, len(frames) - 1, FIRST_LOOKS).astype(int))
    for index in (int(k) for k in (looks if onset is None else [onset])):
        faces = find_faces(frames[index], encode)
        if index not in (0, onset):
            faces = [face for face in faces if face.confidence >= SURE_FACE]
        if faces:
            return index, face_among(faces, near)
    raise no_face(frames[onset or 0], name)


def neutral_and_face(
    frames: Sequence[NDArray[np.uint8]],
    times: Reals,
    encode: Encode,
    first: int,
    face: FaceBox,
    *,
    onset: int | None = None,
) -> tuple[Neutral, FaceBox]:
    """Return the neutral of a clip in which a face is seen first in that frame, and the face there.

    In a clip that was cut to begin at rest it is of its beginning, else of where the face rests.
    """
    if onset is not None:
        return neutral_of(frames, times, face.crop, about=onset, onset=True), face
    about = first or None
    if times[-1] - times[0] > TRIMMED_SECONDS and face.found_by != "cascades":
        about, rests = most_at_rest(frames, times, encode, first, face)
        face = replace(rests, others=face.others)
    return neutral_of(frames, times, face.crop, about=about), face


def rest_of(clip: Clip, encode: Encode) -> tuple[Neutral, Crop]:
    """Return the neutral of a clip, and the crop about its largest face; InputError without one."""
    first, face = first_face(clip.frames, encode, f"the neutral {clip.name}")
    neutral, face = neutral_and_face(clip.frames, clip.times, encode, first, face)
    return neutral, face.crop


def measure(
    clip: Clip,
    encode: Encode,
    tell: Callable[[float], None] | None = None,
    *,
    onset: int | None = None,
    near: tuple[float, float] | None = None,
    rest: Clip | None = None,
) -> Measured:
    """Return a clip's motion; `tell` hears how far this is, 0..1. See `start_of`."""
    name = f"the clip {clip.name}"
    start = start_of(clip.frames, clip.times, encode, name, onset=onset, near=near, rest=rest)
    flows = roomy((len(clip), CELLS, CELLS, 2), np.float16)
    trust = roomy((len(clip), CELLS, CELLS), np.float16)
    poses = np.zeros((len(clip), 6))
    confidence = np.zeros(len(clip))
    hidden = np.zeros((CELLS, CELLS), np.bool_)
    covered, lost = [], []
    for index, motion in enumerate(start.steadier.motions(clip.frames)):
        flows[index], trust[index] = motion.flow, motion.trust
        poses[index], confidence[index] = motion.pose, motion.confidence
        if not motion.found:
            lost.append(index)
        if motion.covered.any():
            covered.append(index)
            hidden |= motion.covered
        if tell is not None:
            tell((index + 1) / len(clip))
    gone = clean.gone(lost, len(clip))
    over = clean.covered(covered, parts_covered(hidden))
    warnings = (*clean.quality(clip.frames, clip.times, start.face.crop), *gone, *over)
    flows = clean.mended(flows, clip.times, clean.unbelievable(warnings))
    eyes = eyes_seen(clip.frames, start.face.crop, poses)
    for without in gone:
        confidence[list(without.frames)] = 0
        clean.bridge(eyes, clip.times, without.frames)
        clean.bridge(flows, clip.times, without.frames)
        clean.bridge(trust, clip.times, without.frames)
        clean.bridge(poses, clip.times, without.frames)
    return Measured(start, flows, trust, poses, confidence, eyes, warnings)
