"""Losses, geometric and photometric changes: each against a known answer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from microface.models.eam import grid
from microface.models.eam.keypoints import Encoding
from microface.models.training import augment, losses, steady, transforms


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def bright_spot(points: torch.Tensor) -> torch.Tensor:
    return grid.gaussians(points, 256, 0.05)


def spot(image: torch.Tensor) -> torch.Tensor:
    weight = image / image.sum(dim=(2, 3), keepdim=True)
    return torch.einsum("nkhw,hwc->nkc", weight, grid.centres(256, 256, image))


def test_points_go_where_the_picture_goes_under_a_similarity() -> None:
    points = torch.tensor([[[0.2, -0.1]]])
    maps = transforms.similarity(1, rng(), zoom=(0.8, 1.2), degrees=20, shift=0.1)
    moved = transforms.apply(bright_spot(points), maps)
    assert (spot(moved) - transforms.carry_points(points, maps)).abs().max() < 2e-3


def test_a_thin_plate_moves_picture_points_and_jacobians_alike() -> None:
    plate = transforms.ThinPlate(1, rng())
    points = torch.tensor([[[0.2, -0.1]]])
    warped = plate.image(bright_spot(plate.positions(points)))
    assert (spot(warped) - points).abs().max() < 5e-3
    steps = torch.eye(2)[None] * 1e-3
    slope = (plate.positions(points + steps) - plate.positions(points - steps)) / 2e-3
    assert torch.allclose(plate.jacobians(points)[0, 0], slope[0].T, atol=2e-3)


def test_a_perfect_detector_has_no_equivariance_loss() -> None:
    plate = transforms.ThinPlate(2, rng())
    there = (torch.rand(2, 30, 2, generator=rng()) - 0.5) * 1.2
    nothing = torch.zeros(2, 1)
    eye = torch.eye(2).expand(2, 30, 2, 2)
    warped = Encoding(there, eye, nothing, nothing, nothing, nothing, nothing)
    plain = Encoding(
        plate.positions(there), plate.jacobians(there), nothing, nothing, nothing, nothing, nothing
    )
    values, jacobians = losses.equivariance(plain, warped, plate)
    assert float(values) < 1e-6 and float(jacobians) < 1e-4
    off = plain._replace(points=plain.points + 0.01)
    assert abs(float(losses.equivariance(off, warped, plate)[0]) - 0.01) < 1e-4


def made_flow() -> torch.Tensor:
    flow = torch.zeros(1, 2, 64, 64)
    flow[:, 0, 20:40, 20:40] = 1.0
    return flow


def test_a_static_copy_has_a_relative_error_near_one_and_the_truth_none() -> None:
    truth, seen = made_flow(), torch.ones(1, 1, 64, 64)
    assert float(losses.relative_error(truth, truth, seen)) < 1e-4
    assert 0.8 < float(losses.relative_error(truth * 0, truth, seen)) <= 1.0
    assert float(losses.lost_gain(truth, truth, seen)) < 1e-5
    assert abs(float(losses.lost_gain(truth * 0.5, truth, seen)) - 0.5) < 0.02
    assert float(losses.leak(truth, truth)) < 1e-4
    still = 1 - 400 / 64**2
    found = float(losses.leak(truth + 1.0, truth))
    assert abs(found - still * 2**0.5) < 1e-2


def test_the_picture_loss_looks_where_it_is_told() -> None:
    image = torch.rand(1, 3, 64, 64, generator=rng())
    changed = image.clone()
    changed[..., :16, :16] += 0.2
    weight = torch.zeros(1, 1, 64, 64)
    weight[..., 32:, 32:] = 1
    assert float(losses.pyramid(changed, image, weight)) < 1e-6
    assert float(losses.pyramid(changed, image, torch.ones_like(weight))) > 1e-3


def test_mirroring_twice_changes_nothing_and_once_swaps_sides() -> None:
    batch = {
        "source_neutral": torch.rand(2, 3, 256, 256, generator=rng()),
        "source_flow": torch.rand(2, 2, 64, 64, generator=rng()),
        "source_points": torch.rand(2, 30, 2, generator=rng()) * 255,
        "source_motion": torch.rand(2, 30, 2, generator=rng()),
    }
    chosen = torch.tensor([True, False])
    once = augment.mirrored(batch, chosen)
    twice = augment.mirrored(once, chosen)
    for name, value in batch.items():
        assert torch.allclose(twice[name], value, atol=1e-4)
        assert torch.equal(once[name][1], value[1])
    assert torch.allclose(once["source_flow"][0, 0], -batch["source_flow"][0, 0].flip(-1))
    assert torch.allclose(once["source_points"][0, 0, 0], 255 - batch["source_points"][0, 5, 0])


def test_light_changes_a_camera_s_pictures_alike() -> None:
    image = torch.rand(2, 3, 32, 32, generator=rng())
    first, second = augment.photometric([image, image], rng(), noise=0.0)
    assert torch.equal(first, second)
    assert not torch.allclose(first, image)
    assert np.all((first.numpy() >= 0) & (first.numpy() <= 1))


def test_steadying_takes_head_motion_out_and_leaves_the_expression() -> None:
    points = (torch.rand(1, 30, 2, generator=torch.Generator().manual_seed(0)) - 0.5) * 1.0
    expression = torch.zeros(1, 2, 64, 64)
    expression[:, 1, 40:46, 26:38] = -1.5
    shaken = expression + torch.tensor([0.7, -0.4])[None, :, None, None]
    rest = shaken - steady.head_motion(shaken, points) - expression
    assert rest[..., 12:52, 12:52].abs().max() < 0.12


def test_ripple_is_what_goes_up_and_down_within_a_cell() -> None:
    rows = torch.arange(256.0)[None, None, :, None].expand(1, 2, 256, 256)
    nothing, everywhere = torch.zeros(1, 2, 256, 256), torch.ones(1, 1, 256, 256)
    for period in (2, 4):
        dots = 0.1 * torch.cos(2 * torch.pi * rows / period)
        expected = float(dots.abs().mean())
        assert float(losses.ripple(dots, nothing, everywhere)) == pytest.approx(expected, rel=0.05)
    slope = rows / 256
    assert float(losses.ripple(slope, nothing, everywhere)) < 0.005
    assert float(losses.ripple(slope, slope, everywhere)) == 0
