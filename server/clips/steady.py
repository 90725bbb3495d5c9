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
from functools import lru_cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from ..engine.in_order import in_order
from .basis import basis, mobility
from .bundle import Chosen, usual_face
from .covered import Covers
from .crop import NETWORK_PIXELS, Crop, shrink_for
from .dense import Matcher, quick_detail, quick_flow, taken_back, texture, trusted
from .depth import depths
from .outline import outline_of, within
from .pose import PARAMETERS, Floats, Surface, fit_pose, project
from .sampling import T, grey_levels, sample, square_places
from .search import share_beyond
from .shape import Seeming, Seen, learn, seeming_motion
from .template import CROP_UNITS, template

#: Cells a side of the network's motion grid.
CELLS = 64
#: Poses are fitted to means over squares of this many cells a side.
POOLED = 2
#: A place that full action units move by this, in crop pixels, tells half as much of the head as
#: one that none moves.
MOBILE_PIXELS = 3.0
#: A pose is fitted beside this many principal components of the expressions.
PRINCIPAL = 16
#: Rounds of fitting a pose: quickly, between passes, and in the end.
QUICK_ROUNDS, ROUNDS = 3, 5
#: Passes of measuring and sampling again, at most.
MAX_PASSES = 5
#: A pose that moves the face by less than this, in crop pixels, has settled.
SETTLED_PIXELS = 0.25
#: Where more than this share of the face has moved by so many pixels of the crop beside the rough
#: pose, by a flow that is smooth and tells less than there is, no search has to find out.
SURELY_FAR_SHARE, SURELY_FAR_PIXELS = 0.03, 3.0
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
    `covered` (64, 64), there is neither flow nor trust.
    """

    flow: NDArray[np.float32]
    trust: NDArray[np.float32]
    confidence: float
    pose: Floats
    covered: NDArray[np.bool_]


@dataclass(frozen=True)
class Steadied(Motion):
    """A frame with the head's motion taken out: `frame` (256, 256, 3) uint8 is sampled as if the
    head had stayed where the neutral has it."""

    frame: NDArray[np.uint8]


class Followed(NamedTuple):
    """The rough pose (6,) of a head in a frame, and whether its face has surely moved far beside
    that."""

    pose: Floats
    far: bool


class Steadier:
    """Steadies the frames of one clip, in their order, to its neutral."""

    def __init__(self, neutral: NDArray[np.uint8], crop: Crop) -> None:
        """Take the neutral frame (H, W, 3) uint8 and the crop about its face."""
        self.crop = crop
        maps = template(CELLS)
        unit = NETWORK_PIXELS / CROP_UNITS
        x, y = (a.astype(float).ravel() * unit for a in (maps.x, maps.y))
        self._take_face(maps.face)
        self._begin()
        self._usual = usual_face(x, y, depths())
        self._seeming: Seeming | None = None
        self._bear(self._usual.surface())
        # Sampled just as the frames are, so that a frame at rest equals it bit for bit.
        self.neutral = self._sample(*self._shrunk(neutral), self._pose)
        grey = grey_levels(neutral)
        self._grey = self._sample(*self._shrunk(grey), self._pose)
        self._small = self._sample(*self._quick(grey), self._pose, 2)
        self._matcher = Matcher(self._grey, CELLS)
        self._texture = texture(self._grey, CELLS)
        self._covers = Covers(self._grey, CELLS)
        #: What each cell tells of the head's motion.
        self._bone = maps.face / (1 + (mobility() / MOBILE_PIXELS) ** 2) * self._texture
        rigid = _pooled(self._bone)
        # Cells that say next to nothing about the head only cost time.
        self._telling = np.flatnonzero(rigid > 0.03 * rigid.max())
        self._rigid = rigid[self._telling].astype(float)
        self._expressions = _principal(basis().columns(POOLED)[self._telling], self._rigid)

    def learn_face(self, frames: Sequence[NDArray[np.uint8]]) -> bool:
        """Learn the actor's face from frames in which the head is turned, each another way.

        Returns whether any is turned enough; otherwise the average face stays.
        """
        places = np.unique(np.linspace(0, len(frames) - 1, LOOKED_AT_FRAMES).astype(int))
        looked_at = [frames[index] for index in places]
        followed = self._followed_all(looked_at)
        chosen = _unlike(np.array([one.pose[:2] for one in followed]))
        if not chosen:
            return False
        several = [(looked_at[index], followed[index]) for index in chosen]
        self._outlined(several)
        weights = self._bone.ravel().astype(float)
        seen = list(in_order(lambda one: self._seen(*one), several, threads()))
        stray, expressions = depths().stray, basis().columns()
        self._bear(learn(self._usual, stray, CELLS, seen, weights, expressions))
        # Measured again as all frames will be, since what it leaves there shall be taken off.
        again = [looked_at[index] for index in sorted(chosen)]
        several = list(zip(again, self._followed_all(again), strict=True))
        seen = list(in_order(lambda one: self._seen(*one), several, threads()))
        self._seeming = seeming_motion(self._cells, CELLS, seen, weights, expressions)
        return True

    def _outlined(self, seen: Sequence[tuple[NDArray[np.uint8], Followed]]) -> None:
        """Take the face to end where it does in frames of these rough poses, or before."""
        rest = np.zeros(PARAMETERS)
        crops = [(self._shrunk(grey_levels(frame)), one.pose) for frame, one in seen]
        pairs = ((self._sample(*grey, rest), self._sample(*grey, pose)) for grey, pose in crops)
        self._take_face(np.minimum(self._face, within(outline_of(self._grey, pairs), CELLS)))
        self._matcher = Matcher(self._grey, CELLS, self._face)

    def _followed_all(self, frames: Sequence[NDArray[np.uint8]]) -> list[Followed]:
        """Follow the head through frames from rest on, where it is again afterwards."""
        self._begin()
        followed = [self._followed(grey_levels(frame)) for frame in frames]
        self._begin()
        return followed

    def _begin(self) -> None:
        """Take the head to be at rest in the frame before the next."""
        self._pose, self._step = np.zeros(PARAMETERS), np.zeros(PARAMETERS)

    def _seen(self, frame: NDArray[np.uint8], followed: Followed) -> Seen:
        """Return what a frame shows of the face, given its rough pose."""
        whole, trust, _ = self._measure(grey_levels(frame), followed)
        places = self._places(self._own + whole.reshape(-1, 2), followed.pose)
        face = trust * np.sqrt(self._texture) * (self._face > 0.5)
        return Seen(places, face.ravel().astype(float), followed.pose)

    def motion_of(self, pose: Floats) -> Floats:
        """Return (64, 64, 2) how a head's pose moves each cell, in pixels of the crop."""
        return (project(pose, self._cells) - self._own).reshape(CELLS, CELLS, 2)

    def steady(self, frame: NDArray[np.uint8]) -> Steadied:
        """Return a frame (H, W, 3) uint8 of the clip with the head's motion taken out."""
        grey = grey_levels(frame)
        motion = self._moved(grey, self._followed(grey))
        upright = self._sample(*self._shrunk(frame), motion.pose)
        blended = cv2.blendLinear(upright, self.neutral, self._blend, 1 - self._blend)
        return Steadied(**vars(motion), frame=np.asarray(blended, dtype=np.uint8))

    def motions(self, frames: Iterable[NDArray[np.uint8]]) -> Iterator[Motion]:
        """Yield what the frames show beside the head's motion, worked out by a thread a core.

        The head is followed from frame to frame, all else waits for no other frame.
        """
        greys = (grey_levels(frame) for frame in frames)
        followed = ((grey, self._followed(grey)) for grey in greys)
        yield from in_order(lambda one: self._moved(*one), followed, threads())

    def _moved(self, grey: NDArray[np.float32], followed: Followed) -> Motion:
        """Return what a grey frame shows beside the head's motion, given its rough pose."""
        pose = followed.pose
        whole, trust, covered = self._measure(grey, followed)
        told = _pooled(trust)
        begun: tuple[Floats, Floats | None] = pose, None
        if self._seeming:
            # For the turn that is fitted: the rough pose may be off by some degrees.
            begun = self._fit(_pooled(whole), pose, told, begun, QUICK_ROUNDS)
            whole = whole - self._seeming.at(begun[0]).reshape(whole.shape).astype(np.float32)
        final, _ = self._fit(_pooled(whole), pose, told, begun, ROUNDS)
        rest = self.motion_of(final) - self.motion_of(pose)
        expression = (whole - rest) * (self._face * ~covered)[..., None]
        confidence = float((trust * self._face).sum() / self._face.sum())
        return Motion(expression.astype(np.float32), trust, confidence, final, covered)

    def _take_face(self, face: NDArray[np.float32]) -> None:
        """Take the face to be where a map (64, 64) 0..1 says."""
        self._face = face
        self._coarse_face = _pooled(face) > 0.5
        self._blend = cv2.resize(face, (NETWORK_PIXELS, NETWORK_PIXELS))

    def _bear(self, surface: Surface) -> None:
        """Take a face (64 * 64 points) as the actor's, and nothing as seeming to move."""
        self._seeming = None
        self._cells: Surface = surface
        self._own = np.stack([surface.x, surface.y], 1)
        x, y, z = (_pooled(a.reshape(CELLS, CELLS)) for a in (surface.x, surface.y, surface.z))
        self._coarse = Surface(x, y, z, surface.nearness)

    def _shrunk(self, picture: NDArray[T], finer: int = 1) -> tuple[NDArray[T], Floats]:
        """Return the picture at the resolution of the crop's 256 / `finer` pixels, and the map."""
        return shrink_for(picture, self.crop.affine(NETWORK_PIXELS // finer))

    def _quick(self, grey: NDArray[np.float32]) -> tuple[NDArray[np.uint8], Floats]:
        """Return what the quick flow compares, at half of the crop's resolution, and the map."""
        small, affine = self._shrunk(grey, 2)
        return quick_detail(small), affine

    def _sample(
        self, picture: NDArray[T], affine: Floats, pose: Floats, finer: int = 1
    ) -> NDArray[T]:
        """Return the crop of a picture, 256 / `finer` pixels, as if the head were not in `pose`."""
        side = NETWORK_PIXELS // finer
        grid = _laid(side, affine.tobytes())
        if pose.any():
            # The map is affine in the places, so the turn's own part may be enlarged after it.
            coarse = (self.motion_of(pose) @ (affine[:, :2].T / finer)).astype(np.float32)
            grid = grid + cv2.resize(coarse, (side, side))
        return sample(picture, grid, cv2.INTER_CUBIC)

    def _followed(self, grey: NDArray[np.float32]) -> Followed:
        """Return the pose of a grey frame to about a quarter of a pixel, from half the pixels, and
        keep it for the next frame."""
        small, affine = self._quick(grey)
        # A head that moves goes on moving.
        pose = self._pose + self._step
        places = project(pose, self._coarse)
        for _ in range(MAX_PASSES):
            sampled = self._sample(small, affine, pose, 2)
            flow = 2 * quick_flow(self._small, sampled, CELLS // POOLED).reshape(-1, 2)
            pose = self._quick_fit(flow, pose)
            before, places = places, project(pose, self._coarse)
            moved = places - before
            if _settled(moved):
                break
        still = _settled(places - project(self._pose, self._coarse))
        self._step = np.zeros(PARAMETERS) if still else pose - self._pose
        self._pose = pose
        left = (flow - moved)[self._coarse_face]
        return Followed(pose, share_beyond(SURELY_FAR_PIXELS, left) > SURELY_FAR_SHARE)

    def _measure(
        self, grey: NDArray[np.float32], followed: Followed
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
        """Return flow (64, 64, 2) and trust (64, 64) from the neutral to a grey frame sampled by
        its rough pose, and where (64, 64) something covers the face."""
        sampled = self._sample(*self._shrunk(grey), followed.pose)
        whole = self._matcher.flow(sampled, far=followed.far)
        back = taken_back(sampled, whole)
        covered = self._covers.found(back, whole)
        return whole, trusted(self._grey, back, CELLS) * ~covered, covered

    def _places(self, own: Floats, pose: Floats) -> Floats:
        """Return where points (N, 2) of the steadied crop are in the frame, from its middle."""
        z, nearness = self._cells.z, self._cells.nearness
        return project(pose, Surface(own[:, 0], own[:, 1], z, nearness))

    def _quick_fit(self, flow: Floats, pose: Floats) -> Floats:
        """Return roughly the pose that explains the pooled flow (N, 2) seen after sampling by
        `pose`, by some of the cells and blind to expressions."""
        some, weights = self._telling[::3], self._rigid[::3]
        return fit_pose(*self._shown(some, flow, pose), weights, pose, QUICK_ROUNDS)[0]

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
        shown, weights = self._shown(some, flow, pose), self._rigid * trust[some]
        return fit_pose(*shown, weights, begun[0], rounds, self._expressions, begun[1])

    def _shown(self, some: Chosen, flow: Floats, pose: Floats) -> tuple[Surface, Floats]:
        """Return some of the coarse cells, at rest, and where a pooled flow (N, 2), seen after
        sampling by `pose`, shows them in the frame."""
        coarse = self._coarse
        x, y, z, nearness = coarse.x[some], coarse.y[some], coarse.z[some], coarse.nearness
        dx, dy = flow[some].T
        return Surface(x, y, z, nearness), project(pose, Surface(x + dx, y + dy, z, nearness))


def threads() -> int:
    """Return by how many threads frames are measured."""
    return max(1, min(4, os.cpu_count() or 1))


def _settled(moved: Floats) -> bool:
    """Return whether a face that `moved` (N, 2) in pixels as good as stays."""
    return bool(np.sqrt((moved**2).sum(1).mean()) < SETTLED_PIXELS)


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


@lru_cache(maxsize=8)
def _laid(side: int, affine: bytes) -> NDArray[np.float32]:
    """Return where an affine map (2, 3) float64 takes the places of a square: (side, side, 2)."""
    matrix = np.frombuffer(affine).reshape(2, 3)
    places = square_places(side).astype(float) @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray(places, dtype=np.float32)


def _pooled(cells: NDArray[np.floating[Any]]) -> Floats:
    """Return the means (N[, C]) over squares of `POOLED` cells a side of a map (64, 64[, C])."""
    side = CELLS // POOLED
    means = cv2.resize(cells, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(means, dtype=np.float64).reshape(side * side, *cells.shape[2:])
