"""Samples drawn for a step of training, varied: none is seen twice alike."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..eam import grid, motion
from .regions import PARTNER, roll, windows
from .samples import Samples
from .scores import PRESENT
from .units import COLUMNS, MIRROR

#: Units to a side that move the whole mouth or jaw; columns that no half of a face does alone; and
#: 1 for those on the left, those on the right.
_ASIDE = ("mouth", "AU30")
_MIDDLE = [k for k, column in enumerate(COLUMNS) if column.side == "both" or column.unit in _ASIDE]
_LEFT, _RIGHT = (
    torch.tensor([float(column.side == side) for column in COLUMNS]) for side in ("left", "right")
)
#: How far keypoints are off, each and all together, in face units: detected ones are.
ASTRAY, ASTRAY_ALL = 0.04, 0.03
#: Share of samples to which another one is added.
MIXED = 0.3
#: Share of samples of which one half of the face alone moves, and how soft the line between is, in
#: face units. Rendered faces do few units on one side alone.
HALVED, SOFT = 0.15, 0.12
#: Share of samples that are mixed with one of the same columns, and how far beyond either of the
#: two a mixture may go.
BLENDED, BEYOND = 0.5, 0.3
#: How many times as strong or weak one of them is made for that, at most.
EVENED = 5.0
#: Spread of the logarithm of a sample's gain, and what a gain may make of the largest amount.
GAIN, MOST = 0.4, 1.2


class Alike:
    """Which samples show the same columns: families and people do a unit each in their own way."""

    def __init__(self, amounts: NDArray[np.float32]) -> None:
        """Take the amounts (M, COLUMNS) of all samples."""
        present = np.packbits(amounts >= PRESENT, axis=1)
        _, self._of = np.unique(present, axis=0, return_inverse=True)
        self._order = np.argsort(self._of, kind="stable")
        self._count = np.bincount(self._of)
        self._first = np.concatenate(([0], np.cumsum(self._count)[:-1]))

    def others(self, rows: Tensor, rng: torch.Generator) -> Tensor:
        """Return for each of `rows` (N,) one that shows the same columns, perhaps itself."""
        group = self._of[rows.numpy()]
        chance = torch.rand(len(rows), generator=rng, dtype=torch.float64).numpy()
        step = np.floor(chance * self._count[group]).astype(np.int64)
        return torch.from_numpy(self._order[self._first[group] + step])


def drawn(samples: Samples, rows: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return motion in windows and amounts of `rows`, as seen with keypoints a little astray."""
    at = rows.numpy()
    flow = torch.from_numpy(samples.flow[at].astype(np.float32)).permute(0, 3, 1, 2)
    points = grid.to_normalised(torch.from_numpy(samples.points[at]))
    flow, amounts = halved(flow, points, torch.from_numpy(samples.amounts[at]), rng)
    unit = motion.face_unit(points)[:, None, None]
    points = points + ASTRAY * unit * torch.randn(points.shape, generator=rng)
    points = points + ASTRAY_ALL * unit * torch.randn((len(rows), 1, 2), generator=rng)
    return windows(flow, points), amounts


def halved(
    flow: Tensor, points: Tensor, amounts: Tensor, rng: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return flows (N, 2, 64, 64) and amounts (N, COLUMNS), of some the left or the right half.

    None of those is halved in which a unit without sides moves.
    """
    count = len(flow)
    left = torch.rand(count, generator=rng) < 0.5
    chosen = torch.rand(count, generator=rng) < HALVED
    chosen &= amounts[:, _MIDDLE].sum(1) == 0
    away = grid.centres(flow.shape[2], flow.shape[3], flow) - points.mean(1)[:, None, None]
    # The subject's left is to the right of an upright picture.
    across = torch.einsum("nhwc,nc->nhw", away, roll(points)[:, :, 0])
    to_left = torch.sigmoid(across / (SOFT * motion.face_unit(points)[:, None, None]))
    side = torch.where(left[:, None, None], to_left, 1 - to_left)
    kept = torch.where(left[:, None], _LEFT, _RIGHT)
    flow = torch.where(chosen[:, None, None, None], flow * side[:, None], flow)
    return flow, torch.where(chosen[:, None], amounts * kept, amounts)


def blended(
    one: tuple[Tensor, Tensor], other: tuple[Tensor, Tensor], rng: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return motions (N, ...) and amounts (N, COLUMNS) of `one`, some mixed with the `other`'s at
    the same strength.

    Only what shows the same columns is mixed; what is left of a halved face may not.
    """
    (motions, amounts), (motions_too, amounts_too) = one, other
    count = len(motions)
    alike = ((amounts >= PRESENT) == (amounts_too >= PRESENT)).all(1) & (amounts.sum(1) > 0)
    alike &= torch.rand(count, generator=rng) < BLENDED
    even = amounts.sum(1) / amounts_too.sum(1).clamp(min=1e-6)
    even = even.clamp(1 / EVENED, EVENED)
    share = torch.rand(count, generator=rng) * (1 + 2 * BEYOND) - BEYOND
    share = torch.where(alike, share, 1.0)
    rest = torch.where(alike, (1 - share) * even, 0.0)

    def of(weights: Tensor, values: Tensor) -> Tensor:
        return weights.reshape(-1, *[1] * (values.ndim - 1)) * values

    mixed = of(share, motions) + of(rest, motions_too)
    return mixed, (of(share, amounts) + of(rest, amounts_too)).clamp(min=0)


def varied(motions: Tensor, amounts: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return samples varied: half of them mirrored, weaker or stronger, some with another added.

    Small motions add up, and so do the amounts of those who make them.
    """
    count = len(motions)
    flip = torch.rand(count, generator=rng) < 0.5
    motions = torch.where(flip[:, None, None, None, None], motions[:, PARTNER], motions)
    amounts = torch.where(flip[:, None], amounts[:, MIRROR], amounts)
    gain = torch.exp(GAIN * torch.randn(count, generator=rng))
    gain = torch.minimum(gain, MOST / amounts.amax(1).clamp(min=0.1))
    motions, amounts = motions * gain[:, None, None, None, None], amounts * gain[:, None]
    added = (torch.rand(count, generator=rng) < MIXED).float()
    other = torch.randperm(count, generator=rng)
    motions = motions + added[:, None, None, None, None] * motions[other]
    return motions, amounts + added[:, None] * amounts[other]
