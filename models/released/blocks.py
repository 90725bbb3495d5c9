"""The released network's blocks: those of the First Order Motion Model (Siarohin et al. 2019)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Same(nn.Sequential):
    """Convolution, batch normalisation, rectifier; size is kept."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )


class Down(nn.Sequential):
    """`Same`, then half the size by means over 2x2."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(Same(inputs, outputs), nn.AvgPool2d(2))


class Up(nn.Module):
    """Twice the size by repetition, then `Same`."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.same = Same(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, outputs, 2 h, 2 w) for (N, inputs, h, w)."""
        found: Tensor = self.same(F.interpolate(x, scale_factor=2.0))
        return found


class Residual(nn.Module):
    """Two convolutions after normalisation, added to what came in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.norms = nn.ModuleList(nn.BatchNorm2d(channels) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor of the same shape."""
        y = self.first(F.relu(self.norms[0](x)))
        y = self.second(F.relu(self.norms[1](y)))
        found: Tensor = x + y
        return found


class Hourglass(nn.Module):
    """Five halvings and back, each level joined with its like on the way down."""

    def __init__(self, inputs: int, width: int, levels: int, most: int) -> None:
        super().__init__()
        sizes = [inputs, *(min(most, width * 2 ** (i + 1)) for i in range(levels))]
        self.down = nn.ModuleList(Down(sizes[i], sizes[i + 1]) for i in range(levels))
        ups = []
        coming = sizes[-1]
        for i in reversed(range(levels)):
            outputs = min(most, width * 2**i)
            ups.append(Up(coming, outputs))
            coming = outputs + sizes[i]
        self.up = nn.ModuleList(ups)
        self.outputs = coming

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, outputs, h, w) for (N, inputs, h, w); 2**levels divides h and w."""
        levels = [x]
        for down in self.down:
            levels.append(down(levels[-1]))
        y = levels.pop()
        for up in self.up:
            y = torch.cat((up(y), levels.pop()), dim=1)
        return y


def corners(side: int, like: Tensor) -> Tensor:
    """Return places (side, side, 2) whose ends are the first and last pixel's centres.

    They are given to a sampling whose ends are the picture's borders, so what does not move is
    moved by half a pixel at the ends: one of the released code's quirks.
    """
    line = torch.linspace(-1, 1, side, dtype=like.dtype, device=like.device)
    y, x = torch.meshgrid(line, line, indexing="ij")
    return torch.stack((x, y), dim=-1)


def bumps(points: Tensor, side: int, variance: float = 0.01) -> Tensor:
    """Return Gaussian bumps (N, K, side, side) at points (N, K, 2)."""
    away = corners(side, points) - points[:, :, None, None]
    return torch.exp(-0.5 * away.square().sum(-1) / variance)


def sample(x: Tensor, places: Tensor) -> Tensor:
    """Return `x` (N, C, h, w) at `places` (N, H, W, 2)."""
    return F.grid_sample(x, places, mode="bilinear", padding_mode="zeros", align_corners=False)


def inverse(matrices: Tensor) -> Tensor:
    """Return the inverses of 2x2 matrices (..., 2, 2)."""
    a, b, c, d = matrices.flatten(-2).unbind(-1)
    rows = torch.stack((d, -b, -c, a), dim=-1) / (a * d - b * c)[..., None]
    return rows.reshape(matrices.shape)
