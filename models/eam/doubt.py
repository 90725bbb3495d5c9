"""How far off the motion may be: the expected end-point error of every cell.

The error is taken as Laplace distributed about the answer (Kendall and Gal, "What Uncertainties Do
We Need", NeurIPS 2017), with a scale that grows with the motion near by; so twice the strength is
twice the doubt.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import grid
from .blocks import Convolution, Projection, zeroed

#: Motion, 256-px pixels, that is added to the motion near by: still faces are doubted a little too.
LEAST = 0.1
#: The motion near by is the mean within this many cells.
NEAR = 7
#: Smallest and largest doubt, as a share of the motion near by, logarithm.
SHARE = (-4.0, 2.0)


class Doubt(nn.Module):
    """Say how far off each cell's motion may be, from what led to it."""

    def __init__(self, features: int, context: int, width: int = 24) -> None:
        super().__init__()
        self.reduce = Projection(features, 8, 1)
        self.change = Projection(features, 8, 1)
        # Context; measured, refined, carried and mixed motion's sizes and differences; the chart.
        self.first = Convolution(context + 8 + 8 + 6, width, normalise=False)
        self.second = Convolution(width, width, normalise=False)
        self.out = zeroed(Projection(width, 1, 1))

    def forward(
        self,
        features: Tensor,
        change: Tensor,
        context: Tensor,
        measured: Tensor,
        carried: Tensor,
        coarse: Tensor,
        apart: Tensor,
        active: Tensor,
    ) -> Tensor:
        """Return the expected end-point error (N, 1, 64, 64), 256-px pixels.

        `features` (N, C, 64, 64) of the character, `change` of the source's, carried over;
        `context` of the dense motion; `measured` and `carried` (N, 2, 64, 64) the source's motion
        as measured and as refined, carried over; `coarse` (N, 2, 64, 64) the answer; `apart`
        (N, 1, 64, 64) the distance on the chart of the places held to be the same; `active`
        (N, 1, 64, 64), where something moves.
        """
        near = nearby(coarse)
        ratios = [
            grid.length(coarse - carried) / near,
            grid.length(carried - measured) / near,
            grid.length(coarse) / near,
            near.log(),
        ]
        known = torch.cat(
            (context, self.reduce(features), self.change(change), *ratios, 10 * apart, active), 1
        )
        share = self.out(self.second(self.first(known))).float() - 1.0
        found: Tensor = near * share.clamp(*SHARE).exp()
        return found


def nearby(flow: Tensor) -> Tensor:
    """Return the size of the motion (N, 2, h, w) about each cell, (N, 1, h, w)."""
    size = grid.length(flow)
    near: Tensor = LEAST + F.avg_pool2d(
        size, NEAR, stride=1, padding=NEAR // 2, count_include_pad=False
    )
    return near
