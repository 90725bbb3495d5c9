"""Random changes of light and sensor, and mirroring, of whole batches."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..eam.keypoints import luminance
from ..heads.keypoints import MIRROR


def photometric(pictures: list[Tensor], rng: torch.Generator, noise: float = 0.008) -> list[Tensor]:
    """Return pictures (N, 3, H, W) of one camera, changed alike, with noise of their own.

    Exposure, gamma, white balance, grey (a fifth), blur (an eighth); noise up to `noise` of 1.
    """
    count = pictures[0].shape[0]

    def uniform(low: float, high: float, channels: int = 1) -> Tensor:
        drawn = torch.rand((count, channels, 1, 1), generator=rng, device=rng.device)
        return low + (high - low) * drawn

    def chance(share: float) -> Tensor:
        return torch.rand((count, 1, 1, 1), generator=rng, device=rng.device) < share

    gamma, gain, balance = uniform(0.7, 1.45), uniform(0.7, 1.25), uniform(0.9, 1.1, 3)
    offset, strength = uniform(-0.04, 0.06), uniform(0, noise)
    grey, blurred = chance(0.2), chance(0.125)
    changed = []
    for picture in pictures:
        toned = picture.clamp(min=1e-4) ** gamma * gain * balance + offset
        toned = torch.where(grey, luminance(toned).expand_as(toned), toned)
        smooth = F.avg_pool2d(toned, 3, stride=1, padding=1, count_include_pad=False)
        toned = torch.where(blurred, smooth, toned)
        grain = torch.randn(toned.shape, generator=rng, device=rng.device)
        toned = toned + strength * grain
        changed.append(toned.clamp(0, 1))
    return changed


def mirror_points(points: Tensor, size: int = 256) -> Tensor:
    """Return keypoints (N, 30, 2), pixels, of the mirrored picture: left and right swap names."""
    swapped = points[:, list(MIRROR)].clone()
    swapped[..., 0] = size - 1 - swapped[..., 0]
    return swapped


def mirror_motion(motion: Tensor) -> Tensor:
    """Return keypoints' displacements (N, 30, 2) of the mirrored picture."""
    swapped = motion[:, list(MIRROR)].clone()
    swapped[..., 0] = -swapped[..., 0]
    return swapped


def mirror_flow(flow: Tensor) -> Tensor:
    """Return the flow (N, 2, H, W) of the mirrored pictures."""
    flipped = flow.flip(-1)
    return torch.cat((-flipped[:, :1], flipped[:, 1:]), dim=1)


def mirror_chart(chart: Tensor) -> Tensor:
    """Return the chart (N, 4, H, W) of the mirrored pictures: the reference face has two like
    halves."""
    flipped = chart.flip(-1)
    return torch.cat((-flipped[:, :1], flipped[:, 1:]), dim=1)


def mirrored(batch: dict[str, Tensor], chosen: Tensor) -> dict[str, Tensor]:
    """Return the batch with the `chosen` (N,) pairs mirrored, both sides alike."""
    result: dict[str, Tensor] = {}
    for name, value in batch.items():
        if name.endswith("points"):
            other = mirror_points(value)
        elif name.endswith("motion"):
            other = mirror_motion(value)
        elif name.endswith("chart"):
            other = mirror_chart(value)
        elif value.shape[1] == 2:
            other = mirror_flow(value)
        else:
            other = value.flip(-1)
        shape = (-1,) + (1,) * (value.ndim - 1)
        result[name] = torch.where(chosen.reshape(shape), other, value)
    return result
