"""Building blocks: convolutions that alias little and small hourglasses."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Convolution(nn.Sequential):
    """3x3 convolution, batch normalisation where asked for, leaky rectifier; size is kept.

    With `mixed` set (see `set_mixed`) it computes in bfloat16; everything between convolutions,
    the geometry above all, stays in float32.
    """

    mixed = False

    def __init__(self, inputs: int, outputs: int, *, normalise: bool, kernel: int = 3) -> None:
        parts: list[nn.Module] = [
            nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=not normalise)
        ]
        if normalise:
            parts.append(nn.BatchNorm2d(outputs))
        parts.append(nn.LeakyReLU(0.1, inplace=True))
        super().__init__(*parts)

    def forward(self, image: Tensor) -> Tensor:
        """Return (N, outputs, h, w) for (N, inputs, h, w)."""
        if not self.mixed:
            found: Tensor = super().forward(image)  # type: ignore[no-untyped-call]
            return found
        with torch.autocast(image.device.type, dtype=torch.bfloat16):
            found = super().forward(image)  # type: ignore[no-untyped-call]
        return found


class Projection(nn.Conv2d):
    """A convolution that gives float32 whatever comes in: the first and last of each branch."""

    mixed = False

    def forward(self, image: Tensor) -> Tensor:
        """Return the convolution of `image`."""
        if not self.mixed:
            return super().forward(image.float())
        with torch.autocast(image.device.type, dtype=torch.bfloat16):
            return super().forward(image).float()


def set_mixed(network: nn.Module, mixed: bool) -> None:
    """Let the convolutions of `network` compute in bfloat16, or not."""
    for module in network.modules():
        if isinstance(module, Convolution | Projection):
            module.mixed = mixed


class Halve(nn.Module):
    """Half the resolution by a mean over 4x4, which aliases little (Zhang, ICML 2019).

    The taps lie evenly about the new pixel's centre, so that the half-pixel convention of
    `grid` holds from level to level.
    """

    def forward(self, image: Tensor) -> Tensor:
        """Return (N, C, h / 2, w / 2) for (N, C, h, w)."""
        return F.avg_pool2d(image, 4, stride=2, padding=1, count_include_pad=False)


def double(image: Tensor) -> Tensor:
    """Return `image` at twice the resolution, bilinear."""
    return F.interpolate(image, scale_factor=2.0, mode="bilinear", align_corners=False)


class Hourglass(nn.Module):
    """A U-shaped network: down by antialiased halves, up by bilinear doubling, with skips."""

    def __init__(self, inputs: int, widths: Sequence[int], *, normalise: bool) -> None:
        """`widths` are the channels of each level from the finest to the coarsest."""
        super().__init__()
        self.halve = Halve()
        before = [inputs, *widths[:-1]]
        self.down = nn.ModuleList(
            Convolution(a, b, normalise=normalise) for a, b in zip(before, widths, strict=True)
        )
        self.up = nn.ModuleList(
            Convolution(fine + coarse, fine, normalise=normalise)
            for fine, coarse in pairwise(widths)
        )

    def forward(self, image: Tensor) -> Tensor:
        """Return (N, widths[0], h, w) for (N, inputs, h, w)."""
        levels: list[Tensor] = []
        for index, layer in enumerate(self.down):
            image = layer(image if index == 0 else self.halve(image))
            levels.append(image)
        for index in range(len(self.up) - 1, -1, -1):
            image = self.up[index](torch.cat((levels[index], double(image)), dim=1))
        return image


def zeroed(layer: nn.Conv2d) -> nn.Conv2d:
    """Return `layer` with weights and bias at zero, so that its branch starts silent."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
