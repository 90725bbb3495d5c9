"""Read pictures: which units they show against their neutral, on which side, how strongly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..eam import grid
from ..eam.network import Eam
from .network import Recogniser
from .regions import windows
from .samples import Pictures, moved, without_head
from .scores import PRESENT
from .units import COLUMNS


@dataclass(frozen=True)
class Recognised:
    """What N frames show: `chance` (N, COLUMNS) 0..1 that a unit is there, whether it counts as
    `named`, and its `amount`, 1 for a full contraction."""

    chance: NDArray[np.float32]
    named: NDArray[np.bool_]
    amount: NDArray[np.float32]

    @property
    def told(self) -> NDArray[np.float32]:
        """The amounts (N, COLUMNS) of units that are named, 0 for those that are not."""
        return np.where(self.named, np.maximum(self.amount, PRESENT), 0).astype(np.float32)

    def words(self, frame: int) -> list[str]:
        """Return the units named in a frame with their amounts, the strongest first."""
        order = np.argsort(-self.told[frame])
        return [f"{COLUMNS[k]} {self.amount[frame, k]:.2f}" for k in order if self.named[frame, k]]


def as_pictures(tensor: Tensor) -> Pictures:
    """Return pictures (N, 3, H, W) in 0..1 as (N, H, W, 3) uint8."""
    return np.ascontiguousarray((tensor * 255).round().byte().permute(0, 2, 3, 1).numpy())


def find_points(keypoints: Eam, neutrals: Pictures) -> Tensor:
    """Return the keypoints (N, 30, 2) in [-1, 1] that the network finds in pictures (N, 256, 256,
    3)."""
    with torch.no_grad():
        pictures = torch.from_numpy(neutrals).permute(0, 3, 1, 2).float() / 255
        return keypoints.encode(pictures).points


def seen(neutrals: Pictures, frames: Pictures, points: Tensor) -> Tensor:
    """Return the motion in the windows of faces (see `regions.windows`) from `neutrals`, N of them
    or one for all, to `frames` (N, 256, 256, 3).

    Pictures are RGB crops about the face, as the network takes them; `points` are the neutrals'.
    Raises ValueError for pictures of another size.
    """
    if frames.ndim != 4 or frames.shape[1:] != (grid.SIZE, grid.SIZE, 3):
        raise ValueError(f"pictures are {frames.shape}, not (N, 256, 256, 3)")
    points = points.expand(len(frames), -1, -1)
    pixels = grid.to_pixels(points).numpy().astype(np.float32)
    flow = without_head(moved(np.broadcast_to(neutrals, frames.shape), frames), pixels)
    return windows(torch.from_numpy(flow).float().permute(0, 3, 1, 2), points)


def read(motions: Tensor, recogniser: Recogniser) -> Recognised:
    """Return what the motion in windows (N, WINDOWS, 2, ACROSS, ACROSS) shows."""
    reading = recogniser.recognise(motions)
    chance = reading.chance.numpy()
    return Recognised(chance, chance >= recogniser.config.threshold, reading.amount.numpy())
