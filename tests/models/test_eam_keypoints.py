"""Keypoints: soft-argmax under known shifts, Jacobians, the encoding's shapes."""

from __future__ import annotations

import pytest
import torch
from microface.models.eam import grid
from microface.models.eam.keypoints import KeypointNetwork, luminance, soft_argmax


def bump(points: torch.Tensor) -> torch.Tensor:
    heat = grid.gaussians(points, 64, 0.06)
    return heat / heat.sum(dim=(2, 3), keepdim=True)


def test_soft_argmax_follows_a_shift_far_below_a_cell() -> None:
    points = torch.tensor([[[0.1, -0.2], [0.0, 0.3]]])
    step = torch.tensor([0.1, -0.05]) * grid.PIXEL
    moved = soft_argmax(bump(points + step)) - soft_argmax(bump(points))
    assert (moved - step).abs().max() < 0.001 * grid.PIXEL


def test_soft_argmax_is_equivariant_under_mirroring() -> None:
    heat = bump(torch.tensor([[[0.13, -0.2]]]))
    there, back = soft_argmax(heat), soft_argmax(heat.flip(-1))
    assert torch.allclose(there * torch.tensor([-1.0, 1.0]), back, atol=1e-5)


def test_the_encoding_has_its_shapes_and_starts_with_identity_jacobians() -> None:
    network = KeypointNetwork().eval()
    image = torch.rand(2, 3, 256, 256)
    with torch.no_grad():
        code = network(image)
    assert code.points.shape == (2, 30, 2)
    assert code.features.shape == (2, 48, 64, 64)
    assert code.detail.shape == (2, 16, 128, 128)
    assert code.luminance.shape == (2, 1, 256, 256)
    assert code.points.abs().max() <= 1
    assert torch.allclose(code.jacobians, torch.eye(2).expand(2, 30, 2, 2), atol=1e-5)
    assert 0 <= float(code.confidence.min()) <= float(code.confidence.max()) <= 1


def test_confidence_tells_a_gathered_heatmap_from_a_flat_one() -> None:
    network = KeypointNetwork(keypoints=1).eval()
    image, rest = (
        torch.rand(1, 3, 256, 256),
        (torch.zeros(1, 48, 64, 64), torch.zeros(1, 16, 128, 128)),
    )
    flat = network.read(image, torch.zeros(1, 1, 64, 64), *rest)
    peak = network.read(
        image, 40 * bump(torch.zeros(1, 1, 2)) / bump(torch.zeros(1, 1, 2)).max(), *rest
    )
    assert float(peak.confidence) > 0.8 > 0.1 > float(flat.confidence)


def test_luminance_is_that_of_rec_601() -> None:
    red = torch.zeros(1, 3, 4, 4)
    red[:, 0] = 1
    assert float(luminance(red).mean()) == pytest.approx(0.299, abs=1e-6)
