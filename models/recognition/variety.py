"""Samples drawn for a step of training, varied: none is seen twice alike."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ..eam import grid, motion
from .regions import PARTNER, roll, windows
from .samples import Samples
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
#: Spread of the logarithm of a sample's gain, and what a gain may make of the largest amount.
GAIN, MOST = 0.4, 1.2


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
