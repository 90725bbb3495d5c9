"""Measure a whole clip: its face, its neutral, and how every frame moves against it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import clean
from .calibrate import Neutral, brought, neutral_of
from .clip import Clip
from .covered import parts_covered
from .crop import Crop
from .eyelids import eyes_seen
from .face import Encode, FaceBox, find_face
from .roomy import roomy
from .sampling import Reals
from .steady import Steadier
from .upright import CELLS


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
    face = find_face(frames[onset or 0], encode, name, near=near)
    if rest is not None:
        height, width = frames[0].shape[:2]
        neutral = brought(*rest_of(rest, encode), face.crop, (width, height))
    else:
        neutral = neutral_of(frames, times, face.crop, onset=onset)
        if neutral.frame != (onset or 0):
            face = find_face(neutral.image, encode, name, near=face.crop.centre)
    steadier = Steadier(neutral.image, face.crop, encode)
    steadier.learn_face(frames)
    return Start(face, neutral, steadier)


def rest_of(clip: Clip, encode: Encode) -> tuple[Neutral, Crop]:
    """Return the neutral of a clip, and the crop about its largest face; InputError without one."""
    name = f"the neutral {clip.name}"
    face = find_face(clip.frames[0], encode, name)
    neutral = neutral_of(clip.frames, clip.times, face.crop)
    if neutral.frame:
        face = find_face(neutral.image, encode, name, near=face.crop.centre)
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
