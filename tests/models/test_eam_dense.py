"""Dense motion: masks, stillness, learned upsampling that starts as bilinear."""

from __future__ import annotations

import torch
from microface.models.eam import dense, grid


def made(carried: torch.Tensor, sparse: torch.Tensor | None = None) -> dense.DenseMotion:
    torch.manual_seed(0)
    module = dense.Dense(8, 4, 30).eval()
    count = len(carried)
    if sparse is None:
        sparse = torch.zeros(count, 30, 2, 3)
    points = (torch.rand(count, 30, 2) - 0.5) * 1.2
    features, change = torch.rand(count, 8, 64, 64), torch.rand(count, 8, 64, 64)
    with torch.no_grad():
        found: dense.DenseMotion = module(
            features,
            torch.rand(count, 4, 128, 128),
            points,
            module.prior(points),
            change,
            sparse,
            carried,
        )
    return found


def test_masks_sum_to_one() -> None:
    found = made(torch.randn(2, 2, 64, 64))
    assert torch.allclose(found.masks.sum(1), torch.ones(2, 64, 64), atol=1e-5)


def test_nothing_carried_means_exactly_no_motion() -> None:
    found = made(torch.zeros(1, 2, 64, 64))
    assert float(found.flow.abs().max()) == 0.0
    assert float(found.active.max()) == 0.0


def test_the_start_follows_what_is_carried_near_the_face() -> None:
    found = made(torch.ones(1, 2, 64, 64), torch.tensor([0.0, 0.0, 1.0]).expand(1, 30, 2, 3))
    assert 0.7 < float(found.supervised[..., 112:144, 112:144].mean()) < 1.01


def test_quiet_keeps_motion_and_drops_noise() -> None:
    flow = torch.tensor([[[[0.5, 0.01, 0.0]], [[-0.5, 0.01, 0.0]]]])
    kept = dense.quiet(flow)
    assert torch.allclose(kept[..., 0], flow[..., 0], atol=1e-6)
    assert torch.equal(kept[..., 1:], torch.zeros(1, 2, 1, 2))


def test_upsampling_starts_as_bilinear() -> None:
    module = dense.Upsample(8, 4)
    flow = torch.randn(1, 2, 64, 64, generator=torch.Generator().manual_seed(1))
    smooth = grid.resize(grid.resize(flow, 8), 64)
    with torch.no_grad():
        fine = module(smooth, torch.rand(1, 8, 64, 64), torch.rand(1, 4, 128, 128))
    assert (fine - grid.resize(smooth, 256)).abs().max() < 5e-3
