"""The released network: its size, and the quirks that are kept on purpose."""

from __future__ import annotations

import pytest
import torch
from microface.models.released.blocks import corners, inverse, sample
from microface.models.released.network import Keypoints, Released, ReleasedConfig, relative


def test_it_has_the_released_size() -> None:
    with torch.device("meta"):
        network = Released()
    count = sum(p.numel() for p in network.parameters())
    assert count == pytest.approx(59.9e6, rel=0.03)


def test_a_small_one_makes_pictures() -> None:
    torch.manual_seed(0)
    network = Released(ReleasedConfig(width=0.125, blocks=2)).eval()
    image = torch.rand(2, 3, 256, 256)
    with torch.no_grad():
        still = network.detector(image)
        made = network(image, still, relative(still, still, still))
    assert made.image.shape == image.shape and made.edges.shape == (2, 1, 64, 64)
    assert still.points.abs().max() <= 1
    assert torch.isfinite(made.image).all()


def test_its_motion_is_doubled_and_its_grid_is_off() -> None:
    still = Keypoints(torch.zeros(1, 2, 2), torch.eye(2).expand(1, 2, 2, 2))
    moved = Keypoints(torch.full((1, 2, 2), 0.1), torch.eye(2).expand(1, 2, 2, 2))
    assert relative(still, still, moved).points == pytest.approx(0.2)
    ramp = torch.arange(64.0).expand(1, 1, 64, 64).contiguous()
    same = sample(ramp, corners(64, ramp)[None])
    assert float((same - ramp)[0, 0, 32, 1]) == pytest.approx(-0.484, abs=0.01)


def test_matrices_are_inverted() -> None:
    torch.manual_seed(0)
    matrices = torch.randn(5, 3, 2, 2)
    assert torch.allclose(inverse(matrices) @ matrices, torch.eye(2), atol=1e-4)
