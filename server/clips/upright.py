"""Show a head as if it had stayed where the neutral has it, whatever its pose in a frame."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .bundle import Chosen
from .crop import NETWORK_PIXELS, Crop, shrink_for
from .pose import Floats, Surface, project
from .sampling import T, sample, square_places

#: Cells a side of the network's motion grid.
CELLS = 64
#: Poses are fitted to means over squares of this many cells a side.
POOLED = 2


class Upright:
    """A face's surface in its crop: what poses do to it, and pictures with that taken out."""

    def __init__(self, crop: Crop, surface: Surface) -> None:
        """Take the crop about the face in the neutral, and the face (64 * 64 points)."""
        self.crop = crop
        self.bear(surface)

    def bear(self, surface: Surface) -> None:
        """Take another face (64 * 64 points) as the actor's."""
        self.surface = surface
        self.own = np.stack([surface.x, surface.y], 1)
        x, y, z = (pooled_cells(a.reshape(CELLS, CELLS)) for a in (surface.x, surface.y, surface.z))
        self.coarse = Surface(x, y, z, surface.nearness)

    def motion_of(self, pose: Floats) -> Floats:
        """Return (64, 64, 2) how a head's pose moves each cell, in pixels of the crop."""
        return (project(pose, self.surface) - self.own).reshape(CELLS, CELLS, 2)

    def shown(self, some: Chosen, flow: Floats, pose: Floats) -> tuple[Surface, Floats]:
        """Return some of the coarse cells, at rest, and where a pooled flow (N, 2), seen after
        sampling by `pose`, shows them in the frame."""
        coarse = self.coarse
        x, y, z, nearness = coarse.x[some], coarse.y[some], coarse.z[some], coarse.nearness
        dx, dy = flow[some].T
        return Surface(x, y, z, nearness), project(pose, Surface(x + dx, y + dy, z, nearness))

    def places(self, own: Floats, pose: Floats) -> Floats:
        """Return where points (N, 2) of the steadied crop are in the frame, from its middle."""
        z, nearness = self.surface.z, self.surface.nearness
        return project(pose, Surface(own[:, 0], own[:, 1], z, nearness))

    def shrunk(self, picture: NDArray[T], finer: int = 1) -> tuple[NDArray[T], Floats]:
        """Return the picture at the resolution of the crop's 256 / `finer` pixels, and the map."""
        return shrink_for(picture, self.crop.affine(NETWORK_PIXELS // finer))

    def sample(
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


def pooled_cells(cells: NDArray[np.floating[Any]]) -> Floats:
    """Return the means (N[, C]) over squares of `POOLED` cells a side of a map (64, 64[, C])."""
    side = CELLS // POOLED
    means = cv2.resize(cells, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(means, dtype=np.float64).reshape(side * side, *cells.shape[2:])


@lru_cache(maxsize=8)
def _laid(side: int, affine: bytes) -> NDArray[np.float32]:
    """Return where an affine map (2, 3) float64 takes the places of a square: (side, side, 2)."""
    matrix = np.frombuffer(affine).reshape(2, 3)
    places = square_places(side).astype(float) @ matrix[:, :2].T + matrix[:, 2]
    return np.asarray(places, dtype=np.float32)
