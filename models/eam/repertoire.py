"""What faces can do: the source's motion held to the movements that faces make.

Where skin has no texture a measured motion is noise, but a face moves in few ways: laid on a mean
face by the keypoints, the displacements of expressions keep to a linear space of few dimensions.
The refined motion is fitted by these movements (least squares with a prior, weighed by what each
place has to tell), and a small network mixes the fit and the motion, place by place.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from . import grid
from .blocks import Hourglass, Projection, zeroed
from .correspondence import by_landmarks
from .keypoints import CELLS, Encoding
from .together import Together

#: Cells a side of the movements' grid, which spans the mean face's crop.
SIDE = 48
#: The prior's weight before training, and the least it can be, of a movement's mean weight.
RIDGE, LEAST_RIDGE = 0.05, 0.01
#: Squared pixels: what keeps the slope of a root finite.
TINY = 1e-8
#: Rounds of Newton's iteration for an inverse: enough for the worst that `LEAST_RIDGE` allows.
ROUNDS = 18


class Fit(NamedTuple):
    """How a face is fitted: `movements` (N, M, 2, 64, 64), what each moves there, and `readings`
    (N, M, 2, 64, 64), which give each one's amount when multiplied with a motion and summed."""

    movements: Tensor
    readings: Tensor


class Repertoire(nn.Module):
    """Fits a forward motion (N, 2, 64, 64), 256-px pixels, by as many learned `movements`.

    `directions` (M, 2, 48, 48) are displacements of the mean face, about a pixel each, `sizes` (M,)
    how large each movement is beside the others; `together` units a side know which go
    together, 0 for none.
    """

    def __init__(self, movements: int, keypoints: int, features: int, together: int = 0) -> None:
        super().__init__()
        # Apart, so that usual and rare movements are taught at the same pace.
        self.directions = nn.Parameter(torch.zeros(movements, 2, SIDE, SIDE))
        self.sizes = nn.Parameter(torch.ones(movements))
        self.register_buffer("mean_face", torch.zeros(keypoints, 2))
        self.mean_face: Tensor
        self.ridge = nn.Parameter(torch.tensor(math.log(RIDGE - LEAST_RIDGE)))
        self.worth = zeroed(Projection(features, 1, 1))
        self.together = Together(movements, together) if together else None
        self.reduce = Projection(features, 8, 1)
        self.hourglass = Hourglass(6 + 8, (24, 32, 32), normalise=False)
        self.share = zeroed(Projection(24, 1, 1))

    def fit(self, neutral: Encoding) -> Fit:
        """Return how the face of `neutral` is fitted; the same for all frames of its clip."""
        number = len(self.sizes)
        where = by_landmarks(self.mean_face.expand_as(neutral.points), neutral.points)
        sized = self.directions * self.sizes[:, None, None, None]
        stored = sized.reshape(1, 2 * number, SIDE, SIDE)
        # As many as there are faces, by a size that an exported graph reads anew.
        stored = stored.expand(neutral.points.shape[0], -1, -1, -1)
        laid = grid.sample(stored, where.positions).reshape(-1, number, 2, CELLS, CELLS)
        across, down = laid[:, :, :1], laid[:, :, 1:]
        linear = where.linear.permute(0, 3, 4, 1, 2)[:, None]
        laid = linear[:, :, :, 0] * across + linear[:, :, :, 1] * down
        worth = torch.sigmoid(self.worth(neutral.features))[:, None]
        weighed = (worth * laid).flatten(2)
        normal = weighed @ laid.flatten(2).transpose(1, 2)
        eye = torch.eye(number, dtype=normal.dtype, device=normal.device)
        mean = (normal * eye).sum((1, 2), keepdim=True) / number + 1e-6
        inverse = inverted(normal / mean + (LEAST_RIDGE + self.ridge.exp()) * eye)
        return Fit(laid, ((inverse @ weighed) / mean).reshape(laid.shape))

    def forward(self, motion: Tensor, measured: Tensor, fit: Fit, features: Tensor) -> Tensor:
        """Return `motion` (N, 2, 64, 64) mixed with its fit; `measured` is what it was refined
        from, `features` are the neutral's."""
        amounts = self.amounts(motion, fit)
        fitted = made(amounts, fit)
        if self.together is not None:
            noise = self.noise(motion, measured, fitted, features)
            fitted = made(self.together(amounts, noise), fit)
        known = torch.cat((motion, fitted, fitted - motion, self.reduce(features)), dim=1)
        share = torch.sigmoid(self.share(self.hourglass(known)))
        return motion + share * (fitted - motion)

    def amounts(self, motion: Tensor, fit: Fit) -> Tensor:
        """Return how much (N, M) of each movement fits a motion (N, 2, 64, 64) best."""
        return (fit.readings.flatten(2) @ motion.flatten(1)[..., None])[..., 0]

    def noise(self, motion: Tensor, measured: Tensor, fitted: Tensor, features: Tensor) -> Tensor:
        """Return (N, 2), 256-px pixels, how far a motion is from its fit, and from what was
        measured: root mean squares over what is worth something."""
        worth = torch.sigmoid(self.worth(features)).flatten(1)
        total = worth.sum(1)
        apart = ((motion - other).square().sum(1).flatten(1) for other in (fitted, measured))
        return torch.stack([((worth * a).sum(1) / total + TINY).sqrt() for a in apart], dim=1)


def made(amounts: Tensor, fit: Fit) -> Tensor:
    """Return the motion (N, 2, 64, 64) of amounts (N, M) of movements."""
    flat = amounts[:, None] @ fit.movements.flatten(2)
    return flat.reshape(-1, 2, CELLS, CELLS)


def inverted(matrices: Tensor) -> Tensor:
    """Return the inverses of symmetric positive definite `matrices` (N, M, M).

    Newton's iteration (Schulz, ZAMM 13, 1933), which needs nothing but products: exchanged networks
    know no operator for an inverse.
    """
    eye = torch.eye(matrices.shape[-1], dtype=matrices.dtype, device=matrices.device)
    most = matrices.abs().sum(-1).amax(-1)[:, None, None]
    found = eye / most
    for _ in range(ROUNDS):
        found = found @ (2 * eye - matrices @ found)
    return found


def no_fit(neutral: Encoding) -> Fit:
    """Return what stands for the fit of a network without a repertoire."""
    nothing = torch.zeros_like(neutral.chart[:, :1, :1, :1])[:, :, None]
    return Fit(nothing, nothing)
