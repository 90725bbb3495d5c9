"""Relative transfer, reading motion at keypoints, the correspondence of two faces."""

from __future__ import annotations

import torch
from microface.models.eam import correspondence, grid, motion
from microface.models.eam.keypoints import Encoding


def face(count: int = 1) -> torch.Tensor:
    rng = torch.Generator().manual_seed(3)
    return (torch.rand(count, 30, 2, generator=rng) - 0.5) * 1.1


def encoding(points: torch.Tensor, jacobians: torch.Tensor | None = None) -> Encoding:
    count = len(points)
    if jacobians is None:
        jacobians = torch.eye(2).expand(count, 30, 2, 2)
    nothing = torch.zeros(count, 1, 64, 64)
    chart = torch.zeros(count, 3, 64, 64)
    return Encoding(points, jacobians, nothing, nothing, nothing, nothing, chart)


def test_relative_transfer_composes_points_and_jacobians() -> None:
    rng = torch.Generator().manual_seed(0)
    before, after, mine = (
        torch.eye(2) + 0.2 * torch.randn(1, 30, 2, 2, generator=rng) for _ in "abc"
    )
    source, moved, character = face(), face() + 0.02, 0.7 * face() + 0.1
    found = motion.by_difference(encoding(source, before), encoding(moved, after))
    points, jacobians = motion.transfer(found, encoding(character, mine), torch.tensor([0.7]))
    assert torch.allclose(points, character + 0.7 * 0.02, atol=1e-6)
    assert torch.allclose(jacobians, after @ torch.linalg.inv(before) @ mine, atol=1e-3)


def test_no_strength_moves_nothing() -> None:
    found = motion.SparseMotion(
        torch.full((1, 30, 2), 0.1), torch.eye(2) * 1.3 + torch.zeros(1, 30, 2, 2)
    )
    none = motion.strengthen(found, torch.zeros(1))
    points, _ = motion.transfer(none, encoding(face()), torch.zeros(1))
    assert float(motion.candidates(points, none.local, face()).abs().max()) == 0.0


def test_a_candidate_is_the_translation_of_its_keypoint() -> None:
    character = encoding(face())
    moved = character.points + torch.tensor([1.0, -0.5]) * grid.PIXEL
    maps = motion.candidates(moved, character.jacobians, character.points)
    field = grid.mixed(torch.full((1, 30, 64, 64), 1 / 30), maps)
    expected = torch.tensor([-1.0, 0.5])[None, :, None, None].expand_as(field)
    assert torch.allclose(field, expected, atol=1e-3)


def test_an_affine_flow_is_read_at_the_keypoints() -> None:
    positions = grid.centres(64, 64, torch.zeros(1))
    linear = torch.tensor([[0.02, -0.01], [0.005, 0.03]])
    flow = (positions @ linear.T / grid.PIXEL).permute(2, 0, 1)[None]
    points = face() * 0.8
    found = motion.by_flow(flow, motion.windows(points, 64))
    assert torch.allclose(found.shift, points @ linear.T, atol=1e-4)
    assert torch.allclose(found.local, (torch.eye(2) + linear).expand(1, 30, 2, 2), atol=1e-3)


def test_backward_undoes_forward() -> None:
    positions = grid.centres(64, 64, torch.zeros(1))
    forward = (1.5 * torch.sin(2 * positions)).permute(2, 0, 1)[None]
    back = motion.backward(forward)
    there = grid.sample(forward, positions[None] + back.permute(0, 2, 3, 1) * grid.PIXEL)
    assert (there + back).abs().max() < 0.01


def test_backward_undoes_motion_as_steep_as_a_broad_smiles() -> None:
    # The corner of the lips goes 20 pixels, places 24 pixels away hardly at all.
    own = grid.centres(64, 64, torch.zeros(1))
    near = torch.exp(-((own - torch.tensor([0.0, 0.25])) / 0.14).square().sum(-1) / 2)
    forward = torch.stack((12 * near, -16 * near))[None]
    back = motion.backward(forward)
    there = own[None] + back.permute(0, 2, 3, 1) * grid.PIXEL
    left = back + grid.sample(forward, there)
    assert float(left.abs().max()) < 0.8
    assert float(left.abs().mean()) < 0.004
    assert float(back.norm(dim=1).max()) > 19


def test_the_scale_is_the_ratio_of_the_faces() -> None:
    assert torch.allclose(motion.scale_between(face(), 1.4 * face() + 0.2), torch.tensor([1.4]))


def test_the_same_face_corresponds_to_itself_and_a_larger_one_is_scaled() -> None:
    maps = correspondence.local_maps(face(), face())
    assert torch.allclose(maps, torch.eye(2).expand(1, 30, 2, 2), atol=1e-4)
    module = correspondence.Correspond(1, 30)
    source, character = face(), 1.25 * face() + 0.05
    plain = encoding(source), encoding(character)
    with torch.no_grad():
        where = module(*plain)
    expected = (grid.centres(64, 64, source) - 0.05) / 1.25
    assert (where.positions - expected).abs().max() < 1e-3
    carried = correspondence.carry(torch.ones(1, 2, 64, 64), where)
    assert (carried - 1.25).abs().max() < 2e-3


def test_places_are_found_again_by_the_chart() -> None:
    """A step on the chart takes a place that is off by a few pixels to where it belongs."""
    positions = grid.centres(64, 64, torch.zeros(1))
    chart = torch.cat((positions, 0.3 * positions[..., :1] * positions[..., 1:]), dim=-1)
    chart = 0.8 * chart.permute(2, 0, 1)[None]
    inside = (positions.abs() < 0.8).all(-1)
    off = positions[None] + torch.tensor([0.03, -0.02])
    for _ in range(3):
        seen = grid.sample(correspondence.slopes(chart), off)
        off = off + correspondence.towards(chart, seen).permute(0, 2, 3, 1)
    assert (off[0] - positions)[inside].abs().max() < 2e-3
