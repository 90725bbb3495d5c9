"""Dense motion of the character: candidates mixed by learned masks, and occlusion.

First Order Motion Model, section 3.2, with one candidate more: the source's whole motion field
carried through the keypoint correspondence, which keeps the detail that lies between keypoints.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import grid
from .blocks import Convolution, Hourglass, Projection, zeroed
from .keypoints import CELLS

#: Motion, in 256-px pixels, below which the result is exactly still, and above which it is whole.
DEAD, ALIVE = 0.02, 0.06
#: Motion nearby, in 256-px pixels, from which the network's own corrections are fully open.
OPEN = 0.15
#: Subcells a cell is split into, each way, between the motion grid and the picture.
SPLIT = 4


class DenseMotion(NamedTuple):
    """flow (N, 2, 256, 256) backward in 256-px pixels, exactly zero where still; `supervised`
    (N, 2, 256, 256) the same before stillness is enforced; coarse (N, 2, 64, 64); masks
    (N, K + 2, 64, 64) of sum 1: still, keypoints, carried; occlusion (N, 1, 64, 64), 1 visible;
    context (N, C, 64, 64), features for the parts that follow; active (N, 1, 64, 64) in 0..1."""

    flow: Tensor
    supervised: Tensor
    coarse: Tensor
    masks: Tensor
    occlusion: Tensor
    context: Tensor
    active: Tensor


def activity(flow: Tensor, reach: int = 9) -> Tensor:
    """Return 0 where nothing moves within `reach` cells and 1 where something does, smoothly."""
    amount = flow.abs().sum(dim=1, keepdim=True)
    near = F.max_pool2d(amount, reach, stride=1, padding=reach // 2)
    return (near / OPEN).clamp(max=1.0)


def quiet(flow: Tensor) -> Tensor:
    """Return `flow` with motion under `DEAD` pixels exactly zero and over `ALIVE` as it was."""
    return flow * ((grid.length(flow) - DEAD) / (ALIVE - DEAD)).clamp(0.0, 1.0)


def softmax(logits: Tensor) -> Tensor:
    """Return the softmax over axis 1, spelled out: graphs compute it slowly but over the last."""
    weights = (logits - logits.amax(dim=1, keepdim=True)).exp()
    return weights / weights.sum(dim=1, keepdim=True)


def bilinear_logits() -> Tensor:
    """Return the logarithm of the 3x3 weights of bilinear upsampling, (9, SPLIT, SPLIT)."""
    offset = (torch.arange(SPLIT) + 0.5) / SPLIT - 0.5
    near = torch.stack(((-offset).clamp(min=0), 1 - offset.abs(), offset.clamp(min=0)))
    weights = torch.einsum("iy,jx->ijyx", near, near).reshape(9, SPLIT, SPLIT)
    return torch.log(weights + 1e-3)


class Upsample(nn.Module):
    """Bring a flow from the motion grid to the picture by learned convex mixing.

    RAFT (Teed and Deng, ECCV 2020, section 3.3): each subcell's motion is a mix of the 3x3 cells
    about it, with weights from the character's features, so that the motion ends at the lid's and
    the lip's edge and not at a cell's. It starts as bilinear interpolation.
    """

    def __init__(self, context: int, detail: int) -> None:
        super().__init__()
        self.fold = nn.PixelUnshuffle(2)
        self.mix = Convolution(context + 4 * detail, 48, normalise=False, kernel=1)
        self.out = zeroed(Projection(48, 9 * SPLIT * SPLIT, 1))
        self.register_buffer("bilinear", bilinear_logits(), persistent=False)

    def forward(self, flow: Tensor, context: Tensor, detail: Tensor) -> Tensor:
        """Return (N, 2, 256, 256) for `flow` (N, 2, 64, 64)."""
        count, parts, height, width = flow.shape
        known = torch.cat((context, self.fold(detail)), dim=1)
        change = self.out(self.mix(known)).float()
        change = change.reshape(count, 9, SPLIT, SPLIT, height, width)
        assert isinstance(self.bilinear, Tensor)
        weights = softmax(change + self.bilinear[None, :, :, :, None, None])
        padded = F.pad(flow, (1, 1, 1, 1), mode="replicate")
        fine = torch.zeros_like(flow)[:, :, None, None]
        for k in range(9):
            near = padded[:, :, k // 3 : k // 3 + height, k % 3 : k % 3 + width]
            fine = fine + weights[:, k, None] * near[:, :, None, None]
        fine = fine.permute(0, 1, 4, 2, 5, 3)
        return fine.reshape(count, parts, height * SPLIT, width * SPLIT)


class Dense(nn.Module):
    """Mix the candidates on the character's grid."""

    def __init__(self, features: int, detail: int, keypoints: int, width: int = 32) -> None:
        super().__init__()
        self.keypoints = keypoints
        self.reduce = Projection(features, 24, 1)
        self.change = Projection(features, 12, 1, bias=False)
        # Character, change, bumps at neutral and moved points, carried motion, sparse mean, reach.
        inputs = 24 + 12 + 1 + keypoints + 2 + 2 + 1
        self.hourglass = Hourglass(inputs, (width, 48, 64, 64), normalise=False)
        self.mix = Convolution(width, width, normalise=False)
        self.masks = zeroed(Projection(width, keypoints + 2, 1))
        self.rest = zeroed(Projection(width, 4, 1))
        self.upsample = Upsample(width, detail)
        self.log_width = nn.Parameter(torch.full((keypoints,), -2.4))
        self.still_logit = nn.Parameter(torch.tensor(-2.0))
        self.carried_logit = nn.Parameter(torch.tensor(2.0))

    def prior(self, points: Tensor) -> Tensor:
        """Return the masks (N, K + 2, 64, 64) to start from, as logarithms, from the character's
        points."""
        width = self.log_width.exp()[None, :, None, None]
        near = -grid.apart(points, CELLS) / (2 * width * width)
        # Away from every keypoint the still candidate takes over, past any carried motion.
        away = (-near).amin(dim=1, keepdim=True) * 0.1
        still = self.still_logit + away
        carried = self.carried_logit.expand_as(still)
        return torch.cat((still, near, carried), dim=1).log_softmax(dim=1)

    def forward(
        self,
        features: Tensor,
        detail: Tensor,
        points: Tensor,
        prior: Tensor,
        change: Tensor,
        sparse: Tensor,
        carried: Tensor,
        fine: bool = True,
    ) -> DenseMotion:
        """Return the character's motion; with `fine` false without learned upsampling.

        features (N, C, 64, 64), detail (N, D, 128, 128) and points (N, K, 2) of the character, and
        what `prior` gives for these; change (N, C, 64, 64) of the source's features carried over;
        backward candidates: `sparse` (N, K, 2, 3) affine maps (see `motion.candidates`) and
        `carried` (N, 2, 64, 64) in 256-px pixels.
        """
        base = prior.exp()
        mean = grid.mixed(base[:, 1:-1], sparse)
        active = activity(torch.cat((carried, mean), dim=1))
        bumps = grid.gaussians(points, CELLS, 0.05)
        known = torch.cat(
            (self.reduce(features), self.change(change), active, bumps, carried, mean, base[:, :1]),
            dim=1,
        )
        context = self.mix(self.hourglass(known))
        masks = softmax(prior + self.masks(context).float())
        rest = self.rest(context).float()
        mixed = grid.mixed(masks[:, 1:-1], sparse) + masks[:, -1:] * carried
        coarse = (1 + rest[:, 3:4]) * mixed + active * rest[:, :2]
        if fine:
            supervised = self.upsample(coarse, context, detail)
        else:
            supervised = grid.resize(coarse, grid.SIZE)
        occlusion = torch.sigmoid(4.0 + rest[:, 2:3])
        return DenseMotion(quiet(supervised), supervised, coarse, masks, occlusion, context, active)
