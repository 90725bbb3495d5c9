"""The network whole: exact stillness, strength, switches, refused inputs."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from microface.models.eam import measure
from microface.models.eam.network import Animation, Eam, EamConfig
from microface.models.flow import measure_flow, to_grid


@pytest.fixture(scope="module")
def network() -> Eam:
    """A network with random weights, its silent branches woken."""
    torch.manual_seed(0)
    network = Eam().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            if float(parameter.abs().max()) == 0:
                parameter.normal_(0, 0.05)
    return network


def pictures(count: int, seed: int = 0) -> torch.Tensor:
    rng = torch.Generator().manual_seed(seed)
    rough = torch.rand(count, 3, 12, 12, generator=rng)
    return F.interpolate(rough, size=(256, 256), mode="bicubic").clamp(0, 1)


def played(
    network: Eam, flow: torch.Tensor, strength: float = 1.0, same: bool = False
) -> Animation:
    with torch.no_grad():
        neutral, frame, character = (network.encode(x[None]) for x in pictures(3))
        found = network.animate(
            neutral, neutral if same else frame, flow, pictures(3)[2:], character,
            torch.tensor([strength]),
        )  # fmt: skip
    return found


def test_a_source_that_stands_still_reproduces_the_character_exactly(network: Eam) -> None:
    found = played(network, torch.zeros(1, 2, 64, 64), same=True)
    assert float(found.flow.abs().max()) == 0.0
    assert float((found.image - pictures(3)[2:]).abs().max()) < 1e-5
    assert float(found.edges.abs().max()) == 0.0


def test_a_source_that_moves_moves_the_character(network: Eam) -> None:
    found = played(network, torch.ones(1, 2, 64, 64))
    # A repertoire of random movements knows none like it, and takes half of it for noise.
    assert float(found.flow.abs().max()) > 0.05
    assert found.image.shape == (1, 3, 256, 256)
    assert float((found.masks.sum(1) - 1).abs().max()) < 1e-4


def test_what_is_prepared_once_changes_nothing(network: Eam) -> None:
    flow = torch.ones(1, 2, 64, 64)
    with torch.no_grad():
        neutral, frame, character = (network.encode(x[None]) for x in pictures(3))
        found = network.animate(
            neutral, frame, flow, pictures(3)[2:], character, torch.ones(1),
            prepared=network.prepare(neutral, character),
        )  # fmt: skip
    for ours, theirs in zip(found, played(network, flow), strict=True):
        assert torch.equal(ours, theirs)


def test_no_strength_no_motion(network: Eam) -> None:
    found = played(network, torch.ones(1, 2, 64, 64), strength=0.0)
    assert float(found.flow.abs().max()) == 0.0


@pytest.mark.parametrize(
    "config",
    [
        EamConfig(aep=False),
        EamConfig(eimhsa=False),
        EamConfig(motion="difference"),
        EamConfig(carry=False),
    ],
    ids=["no-aep", "no-eimhsa", "difference", "no-carry"],
)
def test_every_switch_leaves_a_network_that_runs(config: EamConfig) -> None:
    found = played(Eam(config).eval(), torch.ones(1, 2, 64, 64))
    assert torch.isfinite(found.image).all()


def test_inputs_that_do_not_fit_are_refused(network: Eam) -> None:
    with pytest.raises(ValueError, match="pictures"):
        network.encode(torch.rand(1, 3, 128, 128))
    with pytest.raises(ValueError, match="flow"):
        played(network, torch.zeros(1, 2, 32, 32))
    with pytest.raises(ValueError, match="motion"):
        EamConfig(motion="guess")


def test_brightness_evidence_points_from_no_flow_to_the_true_one() -> None:
    image = F.interpolate(
        torch.rand(1, 1, 48, 48, generator=torch.Generator().manual_seed(2)), size=(257, 257),
        mode="bicubic",
    )  # fmt: skip
    # Half the difference of two neighbouring columns' positions: a shift of half a pixel.
    neutral, moved = image[..., :256, :256], (image[..., :256, :256] + image[..., :256, 1:]) / 2
    seen = measure.evidence(neutral, moved, torch.zeros(1, 2, 64, 64))
    step = seen[0, 5:7, 8:-8, 8:-8].mean(dim=(1, 2))
    assert -0.7 < float(step[0]) < -0.3
    assert abs(float(step[1])) < 0.1


def test_measured_flow_is_right_below_a_pixel() -> None:
    rng = torch.Generator().manual_seed(4)
    rough = F.interpolate(torch.rand(1, 1, 40, 40, generator=rng), size=(514, 514), mode="bicubic")
    fine = (rough[0, 0] * 255).clamp(0, 255)
    # One picture at double resolution, averaged two by two, the second time one column on.
    neutral, frame = (F.avg_pool2d(fine[None, :512, i : i + 512], 2)[0] for i in (0, 1))
    flow = to_grid(measure_flow(*(x.round().byte().numpy() for x in (neutral, frame))), 32)
    middle = flow[4:-4, 4:-4].mean(axis=(0, 1))
    assert abs(float(middle[0]) + 0.5) < 0.1
    assert abs(float(middle[1])) < 0.05
