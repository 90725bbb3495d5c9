"""Auxiliary edge prediction: the edges of the parts of the character's face that move.

Fan et al. 2022, section 3.3. On the neutral's grid, the neutral's edges in the region that the
found motion moves; the head reads the keypoint network's features, the change of the source's
carried over to the character beside the character's own, and answers how much more or less than
that each edge is shown. The dense motion then brings the map to the frame, where it is taught.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .blocks import Convolution, Projection, double, zeroed
from .measure import gradients
from .motion import moving_region

#: Change of luminance per pixel that counts as an edge of strength 1.
FULL_EDGE = 0.1


def edge_map(luminance: Tensor) -> Tensor:
    """Return edge strength (N, 1, H, W) in 0..1 of `luminance` (N, 1, H, W) in 0..1.

    The length of the luminance's gradient by the Sobel operator, scaled to a change per pixel,
    over `FULL_EDGE`, at most 1.
    """
    x, y = gradients(luminance)
    x = torch.cat((x[..., :1, :], x, x[..., -1:, :]), dim=-2)
    y = torch.cat((y[..., :1], y, y[..., -1:]), dim=-1)
    x = (x[..., :-2, :] + 2 * x[..., 1:-1, :] + x[..., 2:, :]) / 4
    y = (y[..., :-2] + 2 * y[..., 1:-1] + y[..., 2:]) / 4
    return ((x.square() + y.square() + 1e-10).sqrt() / FULL_EDGE).clamp(max=1.0)


class EdgePrediction(nn.Module):
    """Predict the edge map (N, 1, 256, 256) in 0..1 on the character's neutral."""

    def __init__(self, features: int, detail: int, context: int) -> None:
        super().__init__()
        self.reduce = Projection(features, 16, 1)
        self.change = Projection(features, 12, 1, bias=False)
        self.coarse = Convolution(16 + 12 + context, 48, normalise=False)
        self.spread = nn.PixelShuffle(2)
        self.fine = Convolution(12 + detail, 16, normalise=False)
        self.out = Projection(16, 4, 3, padding=1)
        self.finest = nn.PixelShuffle(2)
        zeroed(self.out)

    def forward(
        self,
        luminance: Tensor,
        features: Tensor,
        detail: Tensor,
        change: Tensor,
        context: Tensor,
        flow: Tensor,
        active: Tensor,
    ) -> Tensor:
        """Return the map from the character's luminance (N, 1, 256, 256), features (N, C, 64, 64)
        and detail (N, D, 128, 128), the source's carried change (N, C, 64, 64), the motion's
        context (N, E, 64, 64), the backward flow (N, 2, 256, 256), pixels, and where anything moves
        (N, 1, 64, 64), outside of which the map is exactly zero."""
        known = torch.cat((self.reduce(features), self.change(change), context), dim=1)
        spread = self.spread(self.coarse(known))
        logits = self.finest(self.out(self.fine(torch.cat((spread, detail), dim=1))))
        moved = edge_map(luminance) * moving_region(flow)
        return (2 * torch.sigmoid(logits) * moved).clamp(max=1.0) * double(double(active))
