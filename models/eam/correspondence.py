"""Which place of the source's face belongs to a place of the character's.

The keypoints mean the same on both faces, so they carry a smooth map from one to the other: near
each keypoint an affine one, fitted to its neighbours (moving least squares, Schaefer et al.,
SIGGRAPH 2006), mixed by soft masks. A small network may move the result a little. Then both faces
are looked up on the chart of the face that the encoder predicts, and the places are moved until
these agree.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import grid
from .blocks import Hourglass, Projection, zeroed
from .keypoints import CELLS, Encoding
from .motion import scale_between

#: Width, normalised, of the neighbourhood that a keypoint's affine map is fitted to.
NEIGHBOURHOOD = 0.22
#: Weight of the global map in each local one.
TOWARDS_GLOBAL = 0.15
#: Width, normalised, of a keypoint's mask before training.
WIDTH = 0.11
#: Farthest, in 256-px pixels, that the network may move a correspondence.
FARTHEST = 12.0
#: Rounds in which the places are moved to agree on the chart.
ROUNDS = 2
#: What is added to the chart's slopes, decimetres a normalised unit, before they are divided by.
LEAST_SLOPE = 0.1
#: Longest step, normalised, that one round takes on its own.
LONGEST_STEP = 0.08


class Correspondence(NamedTuple):
    """For each cell of the character: `positions` (N, 64, 64, 2) on the source, normalised, and
    `linear` (N, 64, 64, 2, 2), which turns the source's displacements into the character's."""

    positions: Tensor
    linear: Tensor


def local_maps(source: Tensor, character: Tensor) -> Tensor:
    """Return each keypoint's linear map (N, K, 2, 2) from the character's face to the source's.

    From points (N, K, 2) of both; exactly the identity where both are the same face.
    """
    scale = 1 / scale_between(source, character)
    distance = (character[:, :, None] - character[:, None]).square().sum(-1)
    weights = torch.exp(-distance / (2 * NEIGHBOURHOOD**2)) + 1e-3
    weights = weights / weights.sum(-1, keepdim=True)
    eye = torch.eye(2, dtype=source.dtype, device=source.device)

    def fit(about: Tensor, prior: Tensor, ridge: float) -> Tensor:
        """Return the weighted least squares map, drawn to `prior` by `ridge` of its spread."""
        mean_c = about @ character
        mean_s = about @ source
        offset_c = character[:, None] - mean_c[:, :, None]
        offset_s = source[:, None] - mean_s[:, :, None]
        cross = torch.einsum("nkj,nkja,nkjb->nkab", about, offset_s, offset_c)
        spread = torch.einsum("nkj,nkja,nkjb->nkab", about, offset_c, offset_c)
        trace = spread[..., 0, 0] + spread[..., 1, 1]
        pull = ridge * trace[..., None, None]
        return (cross + pull * prior) @ grid.inverse(spread + pull * eye, floor=1e-7)

    everywhere = torch.full_like(weights, 1 / weights.shape[-1])
    whole = fit(everywhere, scale[:, None, None, None] * eye, TOWARDS_GLOBAL)
    return fit(weights, whole, TOWARDS_GLOBAL)


def mixed(
    source: Tensor, character: Tensor, maps: Tensor, width: Tensor, correction: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Return positions (N, 64, 64, 2) on the source and mixing masks (N, K, 64, 64).

    From points (N, K, 2) of both, their `maps` (N, K, 2, 2), the masks' widths (K,), normalised,
    and what is added to the masks' logits, (N, K, 64, 64).
    """
    logits = -grid.apart(character, CELLS) / (2 * width * width)[None, :, None, None]
    if correction is not None:
        logits = logits + correction
    masks = logits.softmax(dim=1)
    positions = grid.mixed(masks, grid.affine(maps, character, source))
    return positions.permute(0, 2, 3, 1), masks


def by_landmarks(source: Tensor, character: Tensor) -> Correspondence:
    """Return the correspondence that the keypoints (N, K, 2) alone give, nothing learned."""
    maps = local_maps(source, character)
    width = source.new_full((source.shape[1],), WIDTH)
    positions, masks = mixed(source, character, maps, width, None)
    return Correspondence(positions, torch.einsum("nkhw,nkij->nhwij", masks, grid.inverse(maps)))


def slopes(chart: Tensor) -> Tensor:
    """Return the chart (N, 3, 64, 64) with its derivatives across and down, a normalised unit,
    appended: (N, 9, 64, 64)."""
    padded = F.pad(chart, (1, 1, 1, 1), mode="replicate")
    across = (padded[:, :, 1:-1, 2:] - padded[:, :, 1:-1, :-2]) * (CELLS / 4)
    down = (padded[:, :, 2:, 1:-1] - padded[:, :, :-2, 1:-1]) * (CELLS / 4)
    return torch.cat((chart, across, down), dim=1)


def towards(chart: Tensor, seen: Tensor) -> Tensor:
    """Return the step (N, 2, 64, 64), normalised, that brings what is `seen` of the source (N, 9,
    64, 64; see `slopes`) to the character's `chart` (N, 3, 64, 64): Gauss-Newton's, damped."""
    rest = chart - seen[:, :3]
    across, down = seen[:, 3:6], seen[:, 6:]
    xx = (across * across).sum(1, keepdim=True) + LEAST_SLOPE**2
    yy = (down * down).sum(1, keepdim=True) + LEAST_SLOPE**2
    xy = (across * down).sum(1, keepdim=True)
    xr = (across * rest).sum(1, keepdim=True)
    yr = (down * rest).sum(1, keepdim=True)
    determinant = xx * yy - xy * xy
    return torch.cat(((yy * xr - xy * yr), (xx * yr - xy * xr)), dim=1) / determinant


class Correspond(nn.Module):
    """Carry places from the character's face to the source's neutral."""

    def __init__(self, features: int, keypoints: int, width: int = 24, chart: bool = True) -> None:
        super().__init__()
        self.log_width = nn.Parameter(torch.full((keypoints,), math.log(WIDTH)))
        self.reduce = Projection(features, 16, 1)
        self.hourglass = Hourglass(3 * 16, (width, 32, 48), normalise=False)
        self.out = zeroed(Projection(width, 2 + keypoints, 1))
        self.agree = Hourglass(11, (width, 32, 32), normalise=False) if chart else None
        self.moves = zeroed(Projection(width, 3, 1)) if chart else None

    def forward(self, source: Encoding, character: Encoding) -> Correspondence:
        """Return the correspondence of the character's cells with the source's neutral."""
        maps = local_maps(source.points, character.points)
        width = self.log_width.exp()
        base, _ = mixed(source.points, character.points, maps, width, None)
        ours = self.reduce(character.features)
        theirs = grid.sample(self.reduce(source.features), base)
        out = self.out(self.hourglass(torch.cat((ours, theirs, ours - theirs), dim=1)))
        positions, masks = mixed(source.points, character.points, maps, width, out[:, 2:])
        moved = FARTHEST * grid.PIXEL * torch.tanh(out[:, :2] / FARTHEST)
        positions = positions + moved.permute(0, 2, 3, 1)
        if self.agree is not None and self.moves is not None:
            known = slopes(source.chart)
            for _ in range(ROUNDS):
                seen = grid.sample(known, positions)
                step = towards(character.chart, seen).clamp(-LONGEST_STEP, LONGEST_STEP)
                parts = (character.chart, seen[:, :3], 10 * (character.chart - seen[:, :3]))
                out = self.moves(self.agree(torch.cat((*parts, 10 * step), dim=1)))
                move = step * out[:, :1] + 0.1 * out[:, 1:]
                positions = positions + move.permute(0, 2, 3, 1)
        linear = torch.einsum("nkhw,nkij->nhwij", masks, grid.inverse(maps))
        return Correspondence(positions, linear)


def carry(flow: Tensor, where: Correspondence) -> Tensor:
    """Return the source's forward `flow` (N, 2, 64, 64) on the character's cells, likewise."""
    found = grid.sample(flow, where.positions)
    return (where.linear.permute(0, 3, 4, 1, 2) * found[:, None]).sum(dim=2)
