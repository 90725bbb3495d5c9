"""The frame: the character's neutral warped by the dense motion, and a small gated residual.

A micro-expression changes few pixels, so the picture is moved, not repainted: what warping
cannot show (a crease's shade, an eye behind the lid) is added where a mask opens, and nowhere
else, so that still regions come back bit-identical.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from . import grid
from .attention import TOKENS, EdgeAttention
from .blocks import Convolution, Projection, double, zeroed

#: Largest residual, of 1.
LARGEST = 0.3


class Generator(nn.Module):
    """Residual (N, 3, 256, 256) and its mask (N, 1, 256, 256) for the warped neutral."""

    def __init__(
        self, features: int, detail: int, context: int, channels: int, heads: int, attend: bool
    ) -> None:
        super().__init__()
        self.reduce = Convolution(features + context, channels, normalise=False, kernel=1)
        self.attention = EdgeAttention(channels, heads) if attend else None
        self.coarse = Convolution(2 * channels, 64, normalise=False)
        self.spread = nn.PixelShuffle(2)
        self.fine = Convolution(16 + detail, 16, normalise=False)
        self.out = zeroed(Projection(16 + 3 + 1, 4, 3, padding=1))

    def forward(
        self,
        image: Tensor,
        edges: Tensor,
        features: Tensor,
        detail: Tensor,
        context: Tensor,
        occlusion: Tensor,
        coarse_flow: Tensor,
        active: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Return (residual, mask).

        `image` (N, 3, 256, 256) and `edges` (N, 1, 256, 256) are already warped; `features`
        (N, C, 64, 64) and `detail` (N, D, 128, 128) are the character's neutral's and are warped
        here by `coarse_flow` (N, 2, 64, 64); the mask is exactly zero where `active` is.
        """
        moved = grid.warp(features, coarse_flow) * occlusion
        moved_detail = grid.warp(detail, double(coarse_flow))
        known = self.reduce(torch.cat((moved, context), dim=1))
        tokens = grid.resize(known, TOKENS)
        if self.attention is not None:
            tokens = self.attention(tokens, edges)
        known = self.coarse(torch.cat((known, double(tokens)), dim=1))
        known = self.fine(torch.cat((self.spread(known), moved_detail), dim=1))
        out = self.out(torch.cat((double(known), image - 0.5, edges), dim=1))
        residual = LARGEST * torch.tanh(out[:, :3])
        mask = torch.sigmoid(out[:, 3:] - 1.0) * double(double(active))
        return residual, mask
