"""What faces can do: motions that a repertoire knows come through, noise does not."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from microface.models.eam import grid
from microface.models.eam.keypoints import Encoding
from microface.models.eam.network import Eam, EamConfig
from microface.models.eam.repertoire import SIDE, Repertoire, inverted

KEYPOINTS, FEATURES = 30, 8


def encoding(points: torch.Tensor) -> Encoding:
    count = len(points)
    nothing = torch.zeros(count, FEATURES, 64, 64)
    eye = torch.eye(2).expand(count, KEYPOINTS, 2, 2)
    return Encoding(points, eye, nothing, nothing, nothing, nothing, nothing[:, :3])


def face() -> torch.Tensor:
    rng = torch.Generator().manual_seed(3)
    return torch.rand(1, KEYPOINTS, 2, generator=rng) - 0.5


@pytest.fixture
def repertoire() -> Repertoire:
    """Six smooth movements of a face, the later ones rarer."""
    made = Repertoire(6, KEYPOINTS, FEATURES)
    rng = torch.Generator().manual_seed(0)
    coarse = torch.randn(6, 2, 6, 6, generator=rng)
    fine = torch.nn.functional.interpolate(coarse, size=(SIDE, SIDE), mode="bicubic")
    with torch.no_grad():
        made.mean_face.copy_(face()[0])
        made.directions.copy_(fine / fine.square().mean((1, 2, 3), keepdim=True).sqrt())
        made.sizes.copy_(torch.linspace(1, 0.5, 6))
        made.ridge.fill_(-20.0)
    return made


def fitted(repertoire: Repertoire, flow: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    fit = repertoire.fit(encoding(points))
    amounts = fit.readings.flatten(2) @ flow.reshape(1, -1, 1)
    return (amounts.transpose(1, 2) @ fit.movements.flatten(2)).reshape(flow.shape)


@torch.no_grad()
def test_what_faces_do_comes_through_and_noise_does_not(repertoire: Repertoire) -> None:
    movements = repertoire.fit(encoding(face())).movements
    known = 2 * movements[:, 0] - movements[:, 3]
    rest = fitted(repertoire, known, face()) - known
    assert rest.norm() < 0.05 * known.norm()
    noise = torch.randn(known.shape, generator=torch.Generator().manual_seed(1))
    assert fitted(repertoire, noise, face()).norm() < 0.1 * noise.norm()


@torch.no_grad()
def test_a_smaller_face_elsewhere_moves_by_less_at_its_own_place(repertoire: Repertoire) -> None:
    points = 0.5 * face() + 0.1
    usual, small = (repertoire.fit(encoding(p)).movements for p in (face(), points))
    at = grid.sample(usual.flatten(1, 2), torch.zeros(1, 1, 1, 2))
    there = grid.sample(small.flatten(1, 2), torch.full((1, 1, 1, 2), 0.1))
    assert torch.allclose(there, 0.5 * at, atol=0.05 * float(at.abs().max()))


@torch.no_grad()
def test_stillness_stays_exact(repertoire: Repertoire) -> None:
    still = torch.zeros(1, 2, 64, 64)
    neutral = encoding(face())
    assert not repertoire(still, still, repertoire.fit(neutral), neutral.features).any()


@given(st.integers(1, 24), st.integers(0, 2**16), st.floats(0.05, 1.0))
@settings(max_examples=30, deadline=None)
def test_newtons_inverse_is_one(size: int, seed: int, ridge: float) -> None:
    rng = torch.Generator().manual_seed(seed)
    root = torch.randn(2, size, size, generator=rng)
    matrix = root @ root.transpose(1, 2)
    matrix = matrix / matrix.diagonal(dim1=1, dim2=2).mean(1)[:, None, None]
    matrix = matrix + ridge * torch.eye(size)
    assert torch.allclose(inverted(matrix) @ matrix, torch.eye(size).expand_as(matrix), atol=1e-3)


@torch.no_grad()
def test_a_network_animates_with_a_repertoire() -> None:
    network = Eam(EamConfig(features=8, detail=8, context=8, channels=8, repertoire=4)).eval()
    rng = torch.Generator().manual_seed(0)
    neutral, frame = (network.encode(torch.rand(1, 3, 256, 256, generator=rng)) for _ in "ab")
    flow = torch.ones(1, 2, 64, 64)
    prepared = network.prepare(neutral, neutral)
    assert prepared.movements.shape == prepared.readings.shape == (1, 4, 2, 64, 64)
    image = torch.rand(1, 3, 256, 256, generator=rng)
    made = network.animate(neutral, frame, flow, image, neutral, torch.ones(1), prepared=prepared)
    assert torch.isfinite(made.image).all()
