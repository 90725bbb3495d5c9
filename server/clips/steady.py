"""Take the head's motion out of a clip, so that what is left is expression.

Every frame is compared with the neutral by optical flow; a rigid head pose is fitted to the flow
where a face is bone; the frame is sampled again as if the head had not moved, and measured again,
until nothing rigid is left. Each frame is measured against the neutral itself, never against the
frame before, so nothing drifts; the frame before only lends its pose as a start.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ...models.flow import luminance, measure_flow, to_grid
from .crop import NETWORK_PIXELS, Crop, shrink_for
from .pose import PARAMETERS, Floats, Surface, fit_pose, project
from .sampling import own_places, sample
from .template import CROP_UNITS, template

#: Cells a side of the network's motion grid, on which poses are fitted too.
CELLS = 64
#: Passes of measuring and sampling again, at most.
MAX_PASSES = 5
#: A pose that moves the face by less than this, in crop pixels, has settled.
SETTLED_PIXELS = 0.25


@dataclass(frozen=True)
class Steadied:
    """A frame with the head's motion taken out.

    `frame` (256, 256, 3) uint8 is sampled as if the head had stayed where the neutral has it.
    `flow` (64, 64, 2) float32 is what is left of the motion neutral -> frame, in pixels of the
    256-pixel crop, nothing outside the face. `trust` (64, 64) float32 in 0..1 says where the flow
    explains the picture; `confidence` is its mean over the face. `pose` (6,) is the head's:
    rotation vector, logarithm of scale, shift in pixels.
    """

    frame: NDArray[np.uint8]
    flow: NDArray[np.float32]
    trust: NDArray[np.float32]
    confidence: float
    pose: Floats


class Steadier:
    """Steadies the frames of one clip, in their order, to its neutral."""

    def __init__(self, neutral: NDArray[np.uint8], crop: Crop) -> None:
        """Take the neutral frame (H, W, 3) uint8 and the crop about its face."""
        self.crop = crop
        maps = template(CELLS)
        unit = NETWORK_PIXELS / CROP_UNITS
        self._cells = Surface(
            *(a.astype(float).ravel() * unit for a in (maps.x, maps.y, maps.depth))
        )
        self._face = maps.face
        depth = cv2.resize(maps.depth, (NETWORK_PIXELS, NETWORK_PIXELS)).astype(float) * unit
        own = own_places(NETWORK_PIXELS, NETWORK_PIXELS).astype(float) - (NETWORK_PIXELS - 1) / 2
        self._pixels = Surface(own[..., 0].ravel(), own[..., 1].ravel(), depth.ravel())
        self._blend = cv2.resize(maps.face, (NETWORK_PIXELS, NETWORK_PIXELS))[..., None]
        self._pose = np.zeros(PARAMETERS)
        # Sampled just as the frames are, so that a frame at rest equals it bit for bit.
        picture, affine = shrink_for(neutral, crop.affine())
        self.neutral = self._sample(picture, affine, self._pose)
        self._grey = self._sample(luminance(picture), affine, self._pose)
        rigid = (maps.rigid.astype(float) * _texture(self._grey)).ravel()
        # Cells that say next to nothing about the head only cost time.
        self._telling = np.flatnonzero(rigid > 0.03 * rigid.max())
        self._rigid = rigid[self._telling]

    def steady(self, frame: NDArray[np.uint8]) -> Steadied:
        """Return a frame (H, W, 3) uint8 of the clip with the head's motion taken out."""
        picture, affine = shrink_for(frame, self.crop.affine())
        grey = luminance(picture)
        pose = self._pose
        for _ in range(MAX_PASSES):
            flow = _quick_flow(self._grey, self._sample(grey, affine, pose))
            better = self._fit(flow, pose, None)
            moved = project(better, self._cells) - project(pose, self._cells)
            pose = better
            if np.sqrt((moved**2).sum(1).mean()) < SETTLED_PIXELS:
                break
        sampled = self._sample(grey, affine, pose)
        whole = measure_flow(self._grey, sampled)
        trust = _trust(self._grey, sampled, whole)
        final = self._fit(to_grid(whole, CELLS), pose, trust)
        rest = (project(final, self._cells) - project(pose, self._cells)).reshape(CELLS, CELLS, 2)
        expression = (to_grid(whole, CELLS) - rest) * self._face[..., None]
        self._pose = final
        upright = self._sample(picture, affine, final)
        blended = self.neutral + (upright.astype(np.float32) - self.neutral) * self._blend
        return Steadied(
            np.clip(blended + 0.5, 0, 255).astype(np.uint8),
            expression.astype(np.float32),
            trust,
            float((trust * self._face).sum() / self._face.sum()),
            final,
        )

    def _sample(
        self, picture: NDArray[np.uint8], affine: Floats, pose: Floats
    ) -> NDArray[np.uint8]:
        """Return the crop of a picture as if the head were not in `pose`."""
        middle = (NETWORK_PIXELS - 1) / 2
        places = project(pose, self._pixels) + middle
        places = places @ affine[:, :2].T + affine[:, 2]
        grid = places.reshape(NETWORK_PIXELS, NETWORK_PIXELS, 2)
        return sample(picture, grid, cv2.INTER_CUBIC)

    def _fit(
        self, flow: NDArray[np.float32], pose: Floats, trust: NDArray[np.float32] | None
    ) -> Floats:
        """Return the pose that explains the flow (64, 64, 2) seen after sampling by `pose`.

        Without `trust` it is a quick fit to every other cell.
        """
        some = slice(None, None, 2 if trust is None else 1)
        telling, weights = self._telling[some], self._rigid[some]
        if trust is not None:
            weights = weights * trust.ravel()[telling]
        x, y, z = self._cells.x[telling], self._cells.y[telling], self._cells.z[telling]
        dx, dy = flow.reshape(-1, 2)[telling].T
        seen = project(pose, Surface(x + dx, y + dy, z))
        return fit_pose(Surface(x, y, z), seen, weights, pose)


def _quick_flow(neutral: NDArray[np.uint8], frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the flow (64, 64, 2) in full pixels, measured at half resolution."""
    half = NETWORK_PIXELS // 2
    small = [cv2.resize(p, (half, half), interpolation=cv2.INTER_AREA) for p in (neutral, frame)]
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    flow = np.asarray(search.calc(small[0], small[1], np.zeros((half, half, 2), np.float32)))
    return to_grid(flow.astype(np.float32), CELLS) * 2


def _texture(grey: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return (64, 64) in 0..1: how well the flow can be measured there."""
    picture = cv2.GaussianBlur(grey, (0, 0), 1.0).astype(np.float32)
    across = cv2.Scharr(picture, cv2.CV_32F, 1, 0) / 32
    down = cv2.Scharr(picture, cv2.CV_32F, 0, 1) / 32
    energy = cv2.GaussianBlur(across**2 + down**2, (0, 0), 4.0)
    cells = cv2.resize(energy, (CELLS, CELLS), interpolation=cv2.INTER_AREA).astype(np.float64)
    return np.asarray(cells / (cells + 4.0))


def _trust(
    neutral: NDArray[np.uint8], frame: NDArray[np.uint8], flow: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return (64, 64) in 0..1: where `frame`, taken back by the flow, looks like the neutral."""
    height, width = neutral.shape
    back = sample(frame, own_places(width, height) + flow, cv2.INTER_LINEAR)
    change = back.astype(np.float32) - neutral
    # A change of light is smooth, a wrong match is not.
    change -= cv2.GaussianBlur(change, (0, 0), 16.0)
    error = cv2.resize(
        cv2.GaussianBlur(np.abs(change), (0, 0), 4.0), (CELLS, CELLS), interpolation=cv2.INTER_AREA
    )
    usual = max(1.5, float(np.median(error)))
    return np.asarray(1 / (1 + (error / (4 * usual)) ** 4), dtype=np.float32)
