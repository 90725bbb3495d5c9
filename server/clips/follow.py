"""Follow a head roughly from frame to frame, tell where it is lost, and find it anew.

From half of the pixels, by a quick flow: the pose is right to about a quarter of a pixel, from
where the frame is measured. A pose counts only while the picture there looks like the neutral: a
head that is hidden, leaves, or is somebody else's picture after a cut is lost, and its last pose
means nothing. It is then looked for anew, near there and wherever the keypoints show a face.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from .bundle import Chosen
from .crop import NETWORK_PIXELS, Crop
from .dense import quick_detail, quick_flow
from .pose import PARAMETERS, Floats, fit_pose, project
from .search import share_beyond
from .template import template
from .upright import CELLS, POOLED, Upright, pooled_cells

#: Rounds of fitting a pose quickly.
QUICK_ROUNDS = 3
#: Passes of measuring and sampling again, at most.
MAX_PASSES = 5
#: A pose that moves the face by less than this, in crop pixels, has settled.
SETTLED_PIXELS = 0.25
#: Where more than this share of the face has moved by so many pixels of the crop beside the rough
#: pose, by a flow that is smooth and tells less than there is, no search has to find out.
SURELY_FAR_SHARE, SURELY_FAR_PIXELS = 0.03, 3.0
#: Pictures are alike by how their detail correlates, smoothed over so many of the small pixels. In
#: films, heads that are followed well are alike by 0.6 to 1, turned far by 0.3 and more; where a
#: wrong place was held on to it was 0.5 at most, and 0.2 about where there is no face.
ALIKE_PIXELS = 2.0
#: A head that is alike by less is looked for anew as well, and is lost where the best place is so.
SURE, LOST = 0.6, 0.28
#: The most that a head turns, in radians, grows or shrinks, as a logarithm, and goes, in pixels of
#: the crop.
MOST_TURN, MOST_GROWTH, MOST_SHIFT_PIXELS = np.radians(75), np.log(3), 10_000.0
#: A head has left that shows less than this share of what the neutral shows of it.
LEAST_INSIDE = 0.5
#: A head that is not surely found is looked for anew in every so many frames; a lost one, near
#: its last place, in all.
SEARCHED_EVERY = 4

#: Returns crops of faces in a frame (H, W, 3) uint8: of the one near a crop, or of all.
Find = Callable[[NDArray[np.uint8], Crop | None], Iterable[Crop]]
#: What the quick flow compares, at half of the crop's resolution, its map, and the frame's size.
_Half = tuple[NDArray[np.uint8], Floats, tuple[int, ...]]


class Followed(NamedTuple):
    """The rough pose (6,) of a head in a frame, whether its face has surely moved far beside that,
    and how `alike` it is there to the neutral, -1..1. Of a head that is not found, the pose is
    that of the last frame that shows it."""

    pose: Floats
    far: bool
    alike: float

    @property
    def found(self) -> bool:
        """Whether the head was found at all."""
        return self.alike >= LOST

    @property
    def surely(self) -> bool:
        """Whether the head was found beyond doubt."""
        return self.alike >= SURE


class Follower:
    """Follows the head of one clip through its frames, in their order."""

    def __init__(
        self,
        upright: Upright,
        neutral: NDArray[np.float32],
        some: Chosen,
        weights: Floats,
        find: Find | None = None,
    ) -> None:
        """Take the face, the neutral's grey levels (H, W), `some` coarse cells (N,) that tell of
        the head, what they are worth (N,), and what finds faces when the head is lost."""
        self._upright, self._find = upright, find
        self._some, self._weights = some, weights
        self.begin()
        self._small = upright.sample(*self._quick(neutral)[:2], self._pose, 2)
        self._face = template(len(self._small)).face > 0.5
        self.take_face(template(CELLS).face)
        self._own = self._likeness(self._small)
        self._inside = self._share_inside(self._pose, neutral.shape)

    def take_face(self, face: NDArray[np.float32]) -> None:
        """Take the face to be where a map (64, 64) 0..1 says."""
        self._coarse_face = pooled_cells(face) > 0.5

    def begin(self) -> None:
        """Take the head to be at rest in the frame before the next."""
        self._pose, self._step = np.zeros(PARAMETERS), np.zeros(PARAMETERS)
        self._searched_ago = SEARCHED_EVERY

    def followed(self, frame: NDArray[np.uint8], grey: NDArray[np.float32]) -> Followed:
        """Return where the head is in a frame (H, W, 3) uint8 of such grey levels (H, W), and keep
        it for the next frame."""
        half = self._quick(grey)
        # A head that moves goes on moving.
        starts = (self._pose + self._step, self._pose)[: 1 + self._step.any()]
        best = tracked = self._best(Followed(self._pose, False, -1.0), starts, half)
        if self._find is not None and not best.surely:
            best = self._anew(best, frame, half, self._find)
        self._searched_ago += 1
        moving = best is tracked and best.found
        if not best.found:
            best = best._replace(pose=self._pose)
        here, there = (project(pose, self._upright.coarse) for pose in (self._pose, best.pose))
        still = not moving or _settled(there - here)
        self._step = np.zeros(PARAMETERS) if still else best.pose - self._pose
        self._pose = best.pose
        return best

    def _anew(self, best: Followed, frame: NDArray[np.uint8], half: _Half, find: Find) -> Followed:
        """Return where the head is if faces found in a frame show it better than is known."""
        due = self._searched_ago >= SEARCHED_EVERY
        if best.found and not due:
            return best
        last = self._upright.crop.followed(self._pose)
        near = [self._pose_in(crop) for crop in find(frame, last)]
        best = self._best(best, near, half)
        if due:
            self._searched_ago = 0
            if not best.found or not near:
                best = self._best(best, map(self._pose_in, find(frame, None)), half)
        return best

    def _best(self, best: Followed, starts: Iterable[Floats], half: _Half) -> Followed:
        """Return the best place that is known or found from where the head may start from."""
        for start in starts:
            if best.surely:
                break
            one = self._from(start, half)
            if one is not None and one.alike > best.alike:
                best = one
        return best

    def is_possible(self, pose: Floats, size: tuple[int, ...]) -> bool:
        """Return whether a head could be in a pose (6,) in a picture of `size` (H, W)."""
        return _is_bounded(pose) and self._share_inside(pose, size) >= LEAST_INSIDE * self._inside

    def _from(self, start: Floats, half: _Half) -> Followed | None:
        """Return where the head is, looked for from a pose, or None where it cannot be."""
        small, affine, size = half
        pose = start
        places = project(pose, self._upright.coarse)
        for _ in range(MAX_PASSES):
            if not _is_bounded(pose):
                return None
            sampled = self._upright.sample(small, affine, pose, 2)
            flow = 2 * quick_flow(self._small, sampled, CELLS // POOLED).reshape(-1, 2)
            shown = self._upright.shown(self._some, flow, pose)
            pose = fit_pose(*shown, self._weights, pose, QUICK_ROUNDS)[0]
            before, places = places, project(pose, self._upright.coarse)
            moved = places - before
            if _settled(moved):
                break
        if not self.is_possible(pose, size):
            return None
        alike = float((self._likeness(sampled) * self._own).mean())
        left = (flow - moved)[self._coarse_face]
        return Followed(pose, share_beyond(SURELY_FAR_PIXELS, left) > SURELY_FAR_SHARE, alike)

    def _quick(self, grey: NDArray[np.float32]) -> _Half:
        small, affine = self._upright.shrunk(grey, 2)
        return quick_detail(small), affine, grey.shape

    def _likeness(self, small: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return a face's detail, smoothed, of mean 0 and variance 1."""
        smooth = cv2.GaussianBlur(small.astype(np.float32), (0, 0), ALIKE_PIXELS)[self._face]
        return np.asarray((smooth - smooth.mean()) / max(1e-3, float(smooth.std())), np.float32)

    def _share_inside(self, pose: Floats, size: tuple[int, ...]) -> float:
        """Return which share of the face in a pose lies inside a picture of `size` (H, W)."""
        affine = self._upright.crop.affine()
        places = project(pose, self._upright.coarse)[self._coarse_face] + (NETWORK_PIXELS - 1) / 2
        columns, rows = (places @ affine[:, :2].T + affine[:, 2]).T
        height, width = size[:2]
        inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
        return float(inside.mean())

    def _pose_in(self, crop: Crop) -> Floats:
        """Return the pose of a face that has another crop, as far as that tells."""
        own = self._upright.crop
        shift = np.linalg.solve(own.affine()[:, :2], np.subtract(crop.centre, own.centre))
        return np.array([0, 0, crop.roll - own.roll, np.log(crop.side / own.side), *shift])


def _is_bounded(pose: Floats) -> bool:
    """Return whether a head could ever be in a pose; one with a NaN could not."""
    turn, shift = float(np.linalg.norm(pose[:3])), float(np.abs(pose[4:]).max())
    return turn < MOST_TURN and abs(pose[3]) < MOST_GROWTH and shift < MOST_SHIFT_PIXELS


def _settled(moved: Floats) -> bool:
    """Return whether a face that `moved` (N, 2) in pixels as good as stays."""
    return bool(np.sqrt((moved**2).sum(1).mean()) < SETTLED_PIXELS)
