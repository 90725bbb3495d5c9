"""Ablations: networks of one cost, tables with changes, a page between marks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from microface.errors import InputError
from microface.models.eam.blocks import set_mixed
from microface.models.eam.network import Eam
from microface.models.evaluation import measures
from microface.models.evaluation.ablation_table import Line, changed, reached
from microface.models.evaluation.ablations import taught
from microface.models.evaluation.page import write_between
from microface.models.evaluation.variant_methods import (
    as_released,
    equivariance,
    self_driven,
)
from microface.models.evaluation.variants import (
    PLAIN,
    WHOLE,
    Variant,
    closest,
    frame_cost,
    widened,
)
from microface.models.released.network import Released, ReleasedConfig
from microface.models.released.training import released_step
from microface.models.training.data import Shards
from microface.models.training.descent import LAST_RATE, rate_at
from microface.models.training.settings import load_settings
from microface.models.training.transforms import ThinPlate
from microface.models.training.unsupervised import unsupervised_step
from safetensors.torch import save_file


def pair(count: int = 1) -> dict[str, torch.Tensor]:
    """A pair of noise whose source moves to the right by a pixel."""
    torch.manual_seed(0)
    right = torch.zeros(count, 2, 64, 64)
    right[:, 0] = 1.0
    sides = {
        f"{side}_{name}": torch.rand(count, 3, 256, 256)
        for side in ("source", "character")
        for name in ("neutral", "frame")
    }
    return sides | {"source_flow": right, "measured_flow": right}


def test_weights_of_another_build_are_told_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "variant-0.safetensors"
    save_file({"one": torch.zeros(1)}, path)
    variant = Variant("small", lambda: torch.nn.Linear(2, 2), ())
    with pytest.raises(InputError, match="built otherwise"):
        taught(variant, path, Shards.__new__(Shards), load_settings(), 1.0, path)


def test_the_factor_of_the_closest_price_is_found() -> None:
    assert closest(lambda f: 10 * f, 14.0, 1.0, 0.25, 3.0) == 1.5
    assert closest(lambda f: 10 * f, 99.0, 1.0, 0.5, 3.0) == 3.0


@pytest.mark.slow
def test_a_plain_network_is_cheaper_and_grows_when_widened() -> None:
    plain, wide = (frame_cost(Eam(c)) for c in (PLAIN, widened(PLAIN, 1.5)))
    assert plain < frame_cost(Eam(WHOLE)) and wide > 1.05 * plain


def test_the_rate_warms_up_and_ends_low() -> None:
    assert rate_at(1.0, 0.0, 0, 10) == pytest.approx(0.1)
    assert rate_at(1.0, 0.0, 50, 10) == pytest.approx(1.0)
    assert rate_at(1.0, 1.0, 50, 10) == pytest.approx(LAST_RATE)


@pytest.mark.slow
def test_without_any_truth_the_detector_is_taught_too() -> None:
    small = replace(PLAIN, aep=True, features=8, detail=8, context=8, channels=8)
    network = Eam(small)
    set_mixed(network, mixed=True)
    named = unsupervised_step(network, pair(), torch.Generator().manual_seed(0))
    assert {"reconstruction", "equivariance_points", "edge"} <= named.keys()
    sum(named.values(), torch.zeros(())).backward()  # type: ignore[no-untyped-call]
    slope = network.encoder.heatmaps[1].weight.grad
    assert slope is not None and float(slope.abs().max()) > 0


def test_the_released_network_is_taught_and_answers() -> None:
    network = Released(ReleasedConfig(width=0.05, blocks=1))
    named = released_step(network, pair(), torch.Generator().manual_seed(0))
    assert all(torch.isfinite(value) for value in named.values())
    result = as_released(network.eval(), Eam(PLAIN), pair())
    assert result.flow.shape == (1, 256, 256, 2) and result.images.shape == (1, 256, 256, 3)


def test_a_source_may_be_its_own_character() -> None:
    own = self_driven(pair())
    assert torch.equal(own["character_frame"], pair()["source_frame"])
    assert torch.all(own["character_backward"][:, 0, 8:-8, 8:-8] == -1)


def test_a_detector_that_follows_the_picture_is_equivariant() -> None:
    network = Released(ReleasedConfig(width=0.05, blocks=1)).eval()
    still = ThinPlate(1, torch.Generator().manual_seed(0), affine=0.0, spline=0.0)
    with torch.no_grad():
        (value,) = equivariance(network, pair()["source_frame"], still)
    assert value < 1e-3


def test_a_change_that_every_group_shows_is_starred() -> None:
    rng = np.random.default_rng(0)
    ones = np.ones(40, np.float32)
    before = np.stack((rng.normal(0.6, 0.02, 40), ones), -1).astype(np.float32)
    after = before - np.array([0.1, 0], np.float32)
    groups = [str(i % 8) for i in range(40)]
    value, _low, high = measures.bootstrap_change(before, after, groups)
    assert value == pytest.approx(-0.1, abs=1e-5) and high < 0
    line = Line("error", groups, {"plain": before, "+ idea": after, "none": before})
    assert "-0.100" in changed([line], ["plain", "+ idea"])
    assert " *" in changed([line], ["plain", "+ idea"])
    assert " *" not in changed([line], ["plain", "none"])
    assert "| error | – |" in reached([line], ["absent"])


def test_errors_at_edges_are_those_within_three_pixels() -> None:
    edges = np.zeros((32, 32), np.float32)
    edges[:, 16] = 1
    near = measures.near_edges(edges, np.ones((32, 32), bool))
    assert near[:, 13:20].all() and not near[:, :13].any() and not near[:, 20:].any()


def test_a_table_goes_between_its_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- figures -->\nold\n<!-- end of figures -->\nafter\n")
    write_between(page, "figures", "new\n")
    assert page.read_text() == "before\n<!-- figures -->\nnew\n<!-- end of figures -->\nafter\n"
    with pytest.raises(InputError, match="no marks"):
        write_between(page, "other", "new")
    assert not list(tmp_path.glob("*.part"))
