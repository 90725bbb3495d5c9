"""Take the head's motion out of a clip, so that what is left is expression.

Every frame is compared with the neutral by optical flow; a rigid head pose is fitted to the flow
where a face is bone, beside the action units that might be there; the frame is sampled again as if
the head had not moved, and measured again, until nothing rigid is left. Each frame is measured
against the neutral itself, never against the frame before, so nothing drifts; the frame before only
lends its pose as a start. The face's depth, which turns need, is learned from the clip beforehand.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from ..engine.in_order import in_order
from .basis import basis, mobility
from .bundle import usual_face
from .covered import Covers
from .crop import NETWORK_PIXELS, Crop
from .dense import Matcher, taken_back, texture, trusted
from .depth import depths
from .face import Encode, crops_of
from .follow import QUICK_ROUNDS, Followed, Follower
from .lips import Lips
from .outline import outline_of, within
from .pose import PARAMETERS, Floats, fit_pose
from .sampling import T, grey_levels
from .shape import Seeming, Seen, learn, seeming_motion
from .template import CROP_UNITS, template
from .upright import CELLS, POOLED, Upright, pooled_cells

#: A place that full action units move by this, in crop pixels, tells half as much of the head as
#: one that none moves.
MOBILE_PIXELS = 3.0
#: A pose is fitted beside this many principal components of the expressions.
PRINCIPAL = 16
#: The pose of a head as the neutral has it.
REST = np.zeros(PARAMETERS)
#: Rounds of fitting a pose in the end.
ROUNDS = 5
#: The face is learned from this many frames, out of so many that are looked at.
LEARNED_FRAMES, LOOKED_AT_FRAMES = 14, 36
#: Below this turn, in radians, a frame tells nothing of depth.
LEAST_TURN = np.radians(0.4)
#: Beyond this one, in radians, part of the face hides: nothing is learned there.
MOST_TURN = np.radians(7.0)
#: Two frames that are turned less unlike than this, in radians, tell the same.
LEAST_APART = np.radians(0.05)


@dataclass(frozen=True)
class Motion:
    """How a face moves, with the head's motion taken out.

    `flow` (64, 64, 2) float32 is what is left of the motion neutral -> frame, in pixels of the
    256-pixel crop, nothing outside the face. `trust` (64, 64) float32 in 0..1 says where the flow
    explains the picture; `confidence` is its mean over the face. `pose` (6,) is the head's:
    rotation vector, logarithm of scale, shift in pixels. Where something covers the face,
    `covered` (64, 64), there is neither flow nor trust; nor is there any in a frame in which the
    face is not `found`, whose pose is another frame's.
    """

    flow: NDArray[np.float32]
    trust: NDArray[np.float32]
    confidence: float
    pose: Floats
    covered: NDArray[np.bool_]
    found: bool


@dataclass(frozen=True)
class Steadied(Motion):
    """A frame with the head's motion taken out: `frame` (256, 256, 3) uint8 is sampled as if the
    head had stayed where the neutral has it; where the face is not found it is the neutral."""

    frame: NDArray[np.uint8]


class Steadier:
    """Steadies the frames of one clip, in their order, to its neutral."""

    def __init__(
        self, neutral: NDArray[np.uint8], crop: Crop, encode: Encode | None = None
    ) -> None:
        """Take the neutral frame (H, W, 3) uint8 and the crop about its face; `encode` finds the
        keypoints of a face in its crop, and with it a head that is lost is found anew, and lips
        that move far are not lost."""
        self.crop = crop
        maps = template(CELLS)
        unit = NETWORK_PIXELS / CROP_UNITS
        x, y = (a.astype(float).ravel() * unit for a in (maps.x, maps.y))
        self._usual = usual_face(x, y, depths())
        self._seeming: Seeming | None = None
        self._upright = Upright(crop, self._usual.surface())
        # Sampled just as the frames are, so that a frame at rest equals it bit for bit.
        self.neutral = self._sampled(neutral, REST)
        grey = grey_levels(neutral)
        self._grey = self._sampled(grey, REST)
        self._matcher = Matcher(self._grey, CELLS)
        self._texture = texture(self._grey, CELLS)
        self._covers = Covers(self._grey, CELLS)
        self._lips = None if encode is None else Lips(self._grey, encode)
        #: What each cell tells of the head's motion.
        self._bone = maps.face / (1 + (mobility() / MOBILE_PIXELS) ** 2) * self._texture
        rigid = pooled_cells(self._bone)
        # Cells that say next to nothing about the head only cost time.
        self._telling = np.flatnonzero(rigid > 0.03 * rigid.max())
        self._rigid = rigid[self._telling].astype(float)
        self._expressions = _principal(basis().columns(POOLED)[self._telling], self._rigid)
        some = slice(None, None, 3)
        find = None if encode is None else partial(crops_of, encode)
        self._follower = Follower(self._upright, grey, self._telling[some], self._rigid[some], find)
        self._take_face(maps.face)

    def learn_face(self, frames: Sequence[NDArray[np.uint8]]) -> bool:
        """Learn the actor's face from frames in which the head is turned, each another way.

        Returns whether any is turned enough; otherwise the average face stays.
        """
        places = np.unique(np.linspace(0, len(frames) - 1, LOOKED_AT_FRAMES).astype(int))
        looked_at = [frames[index] for index in places]
        followed = self._followed_all(looked_at)
        # A head that is not surely found is turned nowhere.
        chosen = _unlike(np.array([one.surely * one.pose[:2] for one in followed]))
        if not chosen:
            return False
        several = [(looked_at[index], followed[index]) for index in chosen]
        self._outlined(several)
        weights = self._bone.ravel().astype(float)
        seen = list(in_order(lambda one: self._seen(*one), several, threads()))
        stray, expressions = depths().stray, basis().columns()
        self._upright.bear(learn(self._usual, stray, CELLS, seen, weights, expressions))
        # Measured again as all frames will be, since what it leaves there shall be taken off.
        again = [looked_at[index] for index in sorted(chosen)]
        followed = self._followed_all(again)
        several = [one for one in zip(again, followed, strict=True) if one[1].surely]
        if not several:
            return True
        seen = list(in_order(lambda one: self._seen(*one), several, threads()))
        self._seeming = seeming_motion(self._upright.surface, CELLS, seen, weights, expressions)
        return True

    def _outlined(self, seen: Sequence[tuple[NDArray[np.uint8], Followed]]) -> None:
        """Take the face to end where it does in frames of these rough poses, or before."""
        poses = [(grey_levels(frame), one.pose) for frame, one in seen]
        pairs = ((self._sampled(grey, REST), self._sampled(grey, pose)) for grey, pose in poses)
        self._take_face(np.minimum(self._face, within(outline_of(self._grey, pairs), CELLS)))
        self._matcher = Matcher(self._grey, CELLS, self._face)

    def _followed_all(self, frames: Sequence[NDArray[np.uint8]]) -> list[Followed]:
        """Follow the head through frames from rest on, where it is again afterwards."""
        self._follower.begin()
        followed = [self._follower.followed(frame, grey_levels(frame)) for frame in frames]
        self._follower.begin()
        return followed

    def _seen(self, frame: NDArray[np.uint8], followed: Followed) -> Seen:
        """Return what a frame shows of the face, given its rough pose."""
        whole, trust, _ = self._measure(grey_levels(frame), followed)
        upright = self._upright
        places = upright.places(upright.own + whole.reshape(-1, 2), followed.pose)
        face = trust * np.sqrt(self._texture) * (self._face > 0.5)
        return Seen(places, face.ravel().astype(float), followed.pose)

    def motion_of(self, pose: Floats) -> Floats:
        """Return (64, 64, 2) how a head's pose moves each cell, in pixels of the crop."""
        return self._upright.motion_of(pose)

    def steady(self, frame: NDArray[np.uint8]) -> Steadied:
        """Return a frame (H, W, 3) uint8 of the clip with the head's motion taken out."""
        grey = grey_levels(frame)
        motion = self._moved(grey, self._follower.followed(frame, grey))
        if not motion.found:
            return Steadied(**vars(motion), frame=self.neutral)
        upright = self._sampled(frame, motion.pose)
        blended = cv2.blendLinear(upright, self.neutral, self._blend, 1 - self._blend)
        return Steadied(**vars(motion), frame=np.asarray(blended, dtype=np.uint8))

    def motions(self, frames: Iterable[NDArray[np.uint8]]) -> Iterator[Motion]:
        """Yield what the frames show beside the head's motion, worked out by a thread a core.

        The head is followed from frame to frame, all else waits for no other frame.
        """
        greys = ((frame, grey_levels(frame)) for frame in frames)
        followed = ((grey, self._follower.followed(frame, grey)) for frame, grey in greys)
        yield from in_order(lambda one: self._moved(*one), followed, threads())

    def _moved(self, grey: NDArray[np.float32], followed: Followed) -> Motion:
        """Return what a grey frame shows beside the head's motion, given its rough pose."""
        pose = followed.pose
        if not followed.found:
            return _nothing(pose)
        whole, trust, covered = self._measure(grey, followed)
        told = pooled_cells(trust)
        begun: tuple[Floats, Floats | None] = pose, None
        if self._seeming:
            # For the turn that is fitted: the rough pose may be off by some degrees.
            begun = self._fit(pooled_cells(whole), pose, told, begun, QUICK_ROUNDS)
            whole = whole - self._seeming.at(begun[0]).reshape(whole.shape).astype(np.float32)
        final, _ = self._fit(pooled_cells(whole), pose, told, begun, ROUNDS)
        if not self._follower.is_possible(final, grey.shape):
            return _nothing(pose)
        rest = self.motion_of(final) - self.motion_of(pose)
        expression = (whole - rest).astype(np.float32)
        if self._lips is not None:
            sampled = partial(self._sampled, grey, final)
            expression = self._lips.followed(expression, trust, sampled)
        expression *= (self._face * ~covered)[..., None]
        confidence = float((trust * self._face).sum() / self._face.sum())
        return Motion(expression, trust, confidence, final, covered, found=True)

    def _take_face(self, face: NDArray[np.float32]) -> None:
        """Take the face to be where a map (64, 64) 0..1 says."""
        self._face = face
        # What is background tells nothing of the head, however well its flow explains it.
        self._rigid_face = self._rigid * pooled_cells(face)[self._telling]
        self._follower.take_face(face)
        self._blend = cv2.resize(face, (NETWORK_PIXELS, NETWORK_PIXELS))

    def _sampled(self, picture: NDArray[T], pose: Floats) -> NDArray[T]:
        """Return the crop (256, 256, ...) of a picture as if the head were not in `pose`."""
        return self._upright.sample(*self._upright.shrunk(picture), pose)

    def _measure(
        self, grey: NDArray[np.float32], followed: Followed
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
        """Return flow (64, 64, 2) and trust (64, 64) from the neutral to a grey frame sampled by
        its rough pose, and where (64, 64) something covers the face."""
        sampled = self._sampled(grey, followed.pose)
        whole = self._matcher.flow(sampled, far=followed.far)
        back = taken_back(sampled, whole)
        covered = self._covers.found(back, whole)
        return whole, trusted(self._grey, back, CELLS) * ~covered, covered

    def _fit(
        self,
        flow: Floats,
        pose: Floats,
        trust: Floats,
        begun: tuple[Floats, Floats | None],
        rounds: int,
    ) -> tuple[Floats, Floats]:
        """Return the pose that explains the pooled flow (N, 2) seen after sampling by `pose`, and
        the expressions' amounts beside it, looked for from those that are `begun` with."""
        some = self._telling
        shown, weights = self._upright.shown(some, flow, pose), self._rigid_face * trust[some]
        return fit_pose(*shown, weights, begun[0], rounds, self._expressions, begun[1])


def threads() -> int:
    """Return by how many threads frames are measured."""
    return max(1, min(4, os.cpu_count() or 1))


def _nothing(pose: Floats) -> Motion:
    """Return what a frame tells in which the face is not found, after one with a head's `pose`."""
    cells = CELLS, CELLS
    none = np.zeros(cells, np.float32)
    return Motion(
        np.zeros((*cells, 2), np.float32), none, 0.0, pose, np.zeros(cells, np.bool_), found=False
    )


def _unlike(turns: Floats) -> list[int]:
    """Return which frames, turned by (T, 2) radians, are turned most unlike rest and each other."""
    apart = np.hypot(*turns.T)
    apart[apart > MOST_TURN] = 0
    chosen: list[int] = []
    while len(chosen) < LEARNED_FRAMES:
        farthest = int(np.argmax(apart))
        if apart[farthest] < (LEAST_APART if chosen else LEAST_TURN):
            break
        chosen.append(farthest)
        apart = np.minimum(apart, np.hypot(*(turns - turns[farthest]).T))
    return chosen


def _principal(expressions: Floats, weights: Floats) -> Floats:
    """Return what matters most (N, 2, P) of expressions (N, 2, K) where points have weights (N,).

    With the same prior on each, they stand for the same faces as the expressions do.
    """
    count = expressions.shape[2]
    flat = expressions.reshape(-1, count)
    weighted = flat * np.sqrt(np.repeat(weights, 2))[:, None]
    mixed = np.linalg.svd(weighted, full_matrices=False)[2][:PRINCIPAL].T
    return np.ascontiguousarray((flat @ mixed).reshape(*expressions.shape[:2], -1))
