"""The source's own motion: the measured optical flow, cleaned by a small network.

Micro-expressions are sub-pixel, too small to be read as a difference of two detections. The
measured flow is refined with brightness evidence and both pictures' features: noise, residual
head shake and the flow's lost amplitude go out, the expression stays.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from . import measure
from .blocks import Convolution, Hourglass, Projection, zeroed
from .keypoints import CELLS, Encoding


class SourceMotion(nn.Module):
    """Forward expression motion (N, 2, 64, 64) of the source, in 256-px pixels."""

    def __init__(self, features: int, width: int = 32) -> None:
        super().__init__()
        self.reduce = Projection(features, 16, 1)
        self.change = Projection(features, 8, 1, bias=False)
        inputs = 2 + measure.CHANNELS + 16 + 8
        self.hourglass = Hourglass(inputs, (width, 48, 64, 64, 64), normalise=False)
        self.mix = Convolution(width, width, normalise=False)
        # Two channels correct the flow, two weigh the measured flow and brightness' own step.
        self.out = zeroed(Projection(width, 4, 1))

    def forward(self, neutral: Encoding, frame: Encoding, flow: Tensor) -> Tensor:
        """Return the refined forward flow; `flow` (N, 2, 64, 64) is the measured one."""
        seen = measure.evidence(neutral.luminance, frame.luminance, flow)
        steps = seen[:, 5:7]
        active = measure.agitation(neutral.luminance, frame.luminance, flow, steps)
        change = self.change(frame.features - neutral.features)
        known = torch.cat((flow, seen, self.reduce(neutral.features), change), dim=1)
        out: Tensor = self.out(self.mix(self.hourglass(known)))
        correction, keep, take = out[:, :2], out[:, 2:3], out[:, 3:4]
        return (1 + keep) * flow + take * steps + active * correction


def check_flow(flow: Tensor) -> None:
    """Raise ValueError unless `flow` is (N, 2, 64, 64)."""
    if flow.ndim != 4 or flow.shape[1:] != (2, CELLS, CELLS):
        raise ValueError(f"the source's flow is {tuple(flow.shape)}, not (N, 2, {CELLS}, {CELLS})")
