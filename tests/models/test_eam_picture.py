"""Edges, attention, generator: what paints the frame."""

from __future__ import annotations

import pytest
import torch
from microface.models.eam.attention import GATE, EdgeAttention
from microface.models.eam.edges import FULL_EDGE, EdgePrediction, edge_map
from microface.models.eam.generator import Generator


def test_the_edge_map_of_a_ramp_is_its_slope() -> None:
    ramp = torch.linspace(0, 1, 64).expand(1, 1, 64, 64)
    found = edge_map(ramp)[..., 4:-4, 4:-4]
    assert torch.allclose(found, torch.full_like(found, (1 / 63) / FULL_EDGE), atol=1e-4)
    assert float(edge_map(torch.full((1, 1, 32, 32), 0.7)).max()) < 1e-3


def test_no_activity_no_edges() -> None:
    module = EdgePrediction(8, 4, 8)
    parts = [torch.rand(1, 8, 64, 64), torch.rand(1, 4, 128, 128), torch.rand(1, 8, 64, 64)]
    with torch.no_grad():
        grey, context = torch.rand(1, 1, 256, 256), torch.rand(1, 8, 64, 64)
        found = module(grey, *parts, context, torch.ones(1, 2, 256, 256), torch.zeros(1, 1, 64, 64))
    assert found.shape == (1, 1, 256, 256)
    assert float(found.abs().max()) == 0.0


def test_edges_are_the_pictures_own_where_it_moves() -> None:
    module = EdgePrediction(8, 4, 8)
    grey = torch.full((1, 1, 256, 256), 0.4)
    grey[..., 100:] = 0.6
    flow = torch.zeros(1, 2, 256, 256)
    flow[..., :128, :] = 1.5
    parts = [torch.rand(1, 8, 64, 64), torch.rand(1, 4, 128, 128), torch.rand(1, 8, 64, 64)]
    with torch.no_grad():
        known = (*parts, torch.rand(1, 8, 64, 64), flow, torch.ones(1, 1, 64, 64))
        found = module(grey, *known)[0, 0]
    # Before training: the neutral's edges in the region that moves.
    torch.testing.assert_close(found[:120], edge_map(grey)[0, 0, :120])
    assert found[:120, 98:102].max() > 0.5 and found[:, :96].max() < 0.01
    assert found[140:].max() == 0


def test_zeroing_the_edge_query_changes_what_attention_finds() -> None:
    torch.manual_seed(0)
    module = EdgeAttention(64)
    appearance, edges = torch.randn(1, 64, 32, 32), torch.rand(1, 1, 256, 256)
    asked, unasked = module(appearance, edges), module(appearance, torch.zeros_like(edges))
    assert float((asked - unasked).abs().max()) > 1e-4


def test_the_gate_starts_small_but_open() -> None:
    module = EdgeAttention(64)
    assert float(module.gate.detach()) == pytest.approx(GATE) and GATE > 0
    with torch.no_grad():
        module.gate.zero_()
    appearance = torch.randn(1, 64, 32, 32)
    assert torch.equal(module(appearance, torch.rand(1, 1, 256, 256)), appearance)


def test_heads_split_the_channels() -> None:
    module = EdgeAttention(64, heads=4)
    tokens = torch.arange(64.0)[None, :, None, None].expand(1, 64, 32, 32)
    heads = module.split(tokens)
    assert heads.shape == (1, 4, 1024, 16)
    assert torch.equal(heads[0, 1, 5], torch.arange(16.0, 32.0))
    with pytest.raises(ValueError, match="heads"):
        EdgeAttention(10, heads=4)


@pytest.mark.parametrize("attend", [True, False])
def test_the_residual_starts_silent_and_its_mask_is_closed_where_nothing_moves(
    attend: bool,
) -> None:
    module = Generator(8, 4, 8, 64, 4, attend)
    active = torch.zeros(1, 1, 64, 64)
    active[..., 40:50, 40:50] = 1
    residual, mask = module(
        torch.rand(1, 3, 256, 256), torch.rand(1, 1, 256, 256), torch.rand(1, 8, 64, 64),
        torch.rand(1, 4, 128, 128), torch.rand(1, 8, 64, 64), torch.ones(1, 1, 64, 64),
        torch.randn(1, 2, 64, 64), active,
    )  # fmt: skip
    assert float(residual.abs().max()) == 0.0
    assert float(mask[..., :100, :100].max()) == 0.0
    assert float(mask[..., 180, 180]) > 0.1
