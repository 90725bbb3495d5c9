"""Edge-intensified multi-head self-attention: the moving edges ask, the appearance answers.

Fan et al. 2022, section 3.4, as described: the predicted edge map, warped by the dense motion, is
the query; key and value come from the warped appearance features; heads split the channels
(Vaswani et al. 2017); the outcome is added through a gate.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from . import grid
from .blocks import Projection

#: Tokens across the picture.
TOKENS = 32
#: What the gate starts at: small, but open, so that attention learns from the first step.
GATE = 0.1


class EdgeAttention(nn.Module):
    """Attend over the features (N, C, 32, 32) of the warped appearance."""

    def __init__(self, channels: int, heads: int = 4) -> None:
        super().__init__()
        if channels % heads:
            raise ValueError(f"{channels} channels do not divide into {heads} heads")
        self.heads = heads
        self.fold = nn.PixelUnshuffle(grid.SIZE // TOKENS)
        self.query = Projection((grid.SIZE // TOKENS) ** 2, channels, 1)
        self.key = Projection(channels, channels, 1)
        self.value = Projection(channels, channels, 1)
        self.out = Projection(channels, channels, 1)
        self.where_query = Projection(2, channels, 1, bias=False)
        self.where_key = Projection(2, channels, 1, bias=False)
        self.gate = nn.Parameter(torch.tensor(GATE))

    def split(self, tokens: Tensor) -> Tensor:
        """Return (N, heads, TOKENS^2, C / heads) for (N, C, TOKENS, TOKENS)."""
        return tokens.reshape(tokens.shape[0], self.heads, -1, TOKENS * TOKENS).transpose(2, 3)

    def forward(self, appearance: Tensor, edges: Tensor) -> Tensor:
        """Return `appearance` (N, C, 32, 32) with what attention found added to it.

        `edges` (N, 1, 256, 256) is the edge map of the frame, already warped.
        """
        place = grid.centres(TOKENS, TOKENS, appearance).permute(2, 0, 1)[None]
        query = self.split(self.query(self.fold(edges)) + self.where_query(place))
        key = self.split(self.key(appearance) + self.where_key(place))
        value = self.split(self.value(appearance))
        weights = (query * query.shape[-1] ** -0.5) @ key.transpose(2, 3)
        found = (weights.softmax(dim=-1) @ value).transpose(2, 3)
        added: Tensor = self.out(found.reshape(appearance.shape))
        return appearance + self.gate * added
