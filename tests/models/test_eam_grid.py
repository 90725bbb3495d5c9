"""The grid convention: pixel centres, half-pixel shifts, inverses."""

from __future__ import annotations

import math

import torch
from microface.models.eam import grid


def waves(count: int = 1, size: int = 256) -> torch.Tensor:
    """Smooth pictures (count, 3, size, size) whose values at any place are known."""
    return picture(grid.centres(size, size, torch.zeros(1))).expand(count, -1, -1, -1).clone()


def picture(positions: torch.Tensor) -> torch.Tensor:
    """The picture of `waves` at normalised positions (H, W, 2): (1, 3, H, W)."""
    x, y = positions[..., 0], positions[..., 1]
    parts = [0.5 + 0.4 * torch.sin(math.pi * (a * x + b * y)) for a, b in ((1, 2), (2, -1), (1, 1))]
    return torch.stack(parts)[None]


def test_no_motion_reproduces_the_input_bit_for_bit() -> None:
    image = torch.rand(2, 3, 256, 256)
    assert torch.equal(grid.warp(image, torch.zeros(2, 2, 256, 256)), image)


def test_reading_at_the_centres_reproduces_the_input() -> None:
    image = torch.rand(1, 3, 256, 256)
    read = grid.sample(image, grid.centres(256, 256, image)[None])
    assert (read - image).abs().max() < 1e-4


def test_half_a_pixel_is_half_a_pixel() -> None:
    image = waves()
    flow = torch.zeros(1, 2, 256, 256)
    flow[:, 0] = 0.5
    moved = grid.warp(image, flow)
    truth = picture(grid.centres(256, 256, image) + torch.tensor([0.5 * grid.PIXEL, 0.0]))
    assert (moved - truth)[..., 4:-4, 4:-4].abs().max() < 1e-3


def test_a_resized_flow_stays_in_its_pixels() -> None:
    flow = torch.ones(1, 2, 64, 64) * 1.5
    assert torch.allclose(grid.resize(flow, 256), torch.full((1, 2, 256, 256), 1.5))
    assert torch.allclose(grid.resize(grid.resize(flow, 256), 64), flow)


def test_resizing_keeps_a_ramp_in_place() -> None:
    ramp = grid.centres(64, 64, torch.zeros(1))[..., 0][None, None]
    wide = grid.centres(256, 256, torch.zeros(1))[..., 0][None, None]
    assert (grid.resize(ramp, 256) - wide)[..., 4:-4].abs().max() < 1e-6


def test_pixels_and_normalised_points_are_inverse() -> None:
    points = torch.tensor([[[0.0, 255.0], [127.5, 10.25]]])
    assert torch.allclose(grid.to_pixels(grid.to_normalised(points)), points, atol=1e-4)
    assert torch.allclose(grid.to_normalised(torch.tensor(127.5)), torch.tensor(0.0))


def test_the_inverse_is_the_inverse_and_stays_finite() -> None:
    matrices = torch.eye(2) + 0.3 * torch.randn(5, 2, 2, generator=torch.Generator().manual_seed(0))
    product = matrices @ grid.inverse(matrices)
    assert torch.allclose(product, torch.eye(2).expand(5, 2, 2), atol=1e-4)
    assert torch.isfinite(grid.inverse(torch.zeros(2, 2))).all()


def test_mixed_maps_are_the_mixed_fields() -> None:
    rng = torch.Generator().manual_seed(2)
    masks = torch.rand(2, 5, 8, 8, generator=rng).softmax(dim=1)
    linear = torch.randn(2, 5, 2, 2, generator=rng)
    points, values = torch.randn(2, 5, 2, generator=rng), torch.randn(2, 5, 2, generator=rng)
    offset = grid.centres(8, 8, masks) - points[:, :, None, None]
    each = values[:, :, None, None] + torch.einsum("nkij,nkhwj->nkhwi", linear, offset)
    expected = torch.einsum("nkhw,nkhwi->nihw", masks, each)
    found = grid.mixed(masks, grid.affine(linear, points, values))
    assert torch.allclose(found, expected, atol=1e-5)


def test_gathered_rows_are_what_sampling_gives() -> None:
    rng = torch.Generator().manual_seed(5)
    image = torch.randn(2, 3, 8, 12, generator=rng)
    positions = 1.3 * (2 * torch.rand(2, 5, 7, 2, generator=rng) - 1)
    found = grid.gathered(image, positions)
    assert torch.allclose(found, grid.sample(image, positions), atol=1e-5)
