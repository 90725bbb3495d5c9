"""Training follows the device that it is given; no GPU is needed to see that."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from microface.errors import InputError
from microface.models import devices
from microface.models.eam.network import Eam, EamConfig
from microface.models.training import checkpoint
from microface.models.training.data import Shards
from microface.models.training.feeding import REFRESH_STEPS, Feeder, batch_of, left
from microface.models.training.lessons import lesson
from microface.models.training.settings import load_settings
from microface.models.training.stages import STEPS
from microface.models.training.steady import steadied

from .shards import write_shard

SETTINGS = load_settings().with_changes(minutes=1, batch=2, seed=3)


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Shards:
    folder = tmp_path_factory.mktemp("pairs")
    write_shard(folder)
    return Shards(folder)


@pytest.mark.parametrize("stage", STEPS)
def test_every_tensor_of_a_step_is_made_where_the_batch_is(shards: Shards, stage: str) -> None:
    """What is made without naming a device is made on torch's default one: with another default,
    it does not fit the rest, and the step fails."""
    network = Eam(EamConfig(features=8, detail=8, context=8, channels=8))
    batch = batch_of(shards, SETTINGS, stage, 0)
    with torch.device("meta"):
        pair, rng = lesson(batch, SETTINGS.seed, 0)
        named = STEPS[stage][0](network, pair, rng)
    assert all(torch.isfinite(value) for value in named.values())


def test_plain_steadying_stays_on_its_device(shards: Shards) -> None:
    pair, _ = lesson(batch_of(shards, SETTINGS, "motion", 0), SETTINGS.seed, 0)
    with torch.device("meta"):
        still = steadied(pair, torch.zeros(2, 30, 2, device="cpu"))
    assert torch.isfinite(still["measured_flow"]).all()


def test_pairs_read_ahead_are_those_of_their_steps(shards: Shards) -> None:
    feeder = Feeder(shards, SETTINGS, pin=False, ahead=3)
    for stage, step in (("motion", 0), ("motion", 1), ("keypoints", 2), ("motion", 7)):
        found, wanted = feeder.batch(stage, step), batch_of(shards, SETTINGS, stage, step)
        assert found.keys() == wanted.keys()
        for name, value in wanted.items():
            assert np.array_equal(np.asarray(found[name]), value), name
    feeder.close()


def test_no_step_is_read_ahead_across_a_look_for_new_shards() -> None:
    assert left(0) == REFRESH_STEPS - 1
    assert left(REFRESH_STEPS - 1) == 0
    assert left(REFRESH_STEPS) == REFRESH_STEPS - 1


def test_cuda_is_refused_in_one_line_where_there_is_none() -> None:
    if torch.cuda.is_available():
        assert devices.chosen("auto").type == devices.chosen("cuda").type == "cuda"
        return
    assert devices.chosen("auto") == devices.chosen("cpu") == devices.CPU
    with pytest.raises(InputError, match="no CUDA device") as refused:
        devices.chosen("cuda")
    assert "\n" not in str(refused.value)


def test_a_checkpoint_of_another_device_is_read(tmp_path: Path) -> None:
    parameter = torch.nn.Parameter(torch.ones(3))
    optimiser = torch.optim.AdamW([parameter])
    tensors = {
        "optimiser.step.w": torch.tensor(4.0),
        "optimiser.exp_avg.w": torch.full((3,), 2.0),
        "optimiser.exp_avg_sq.w": torch.full((3,), 5.0),
    }
    far = torch.optim.AdamW([torch.nn.Parameter(torch.empty(3, device="meta"))])
    checkpoint.restore_optimiser(far, ["w"], tensors)
    state = far.state[far.param_groups[0]["params"][0]]
    assert state["exp_avg"].device.type == "meta" and state["step"].device.type == "cpu"
    checkpoint.restore_optimiser(optimiser, ["w"], tensors)
    checkpoint.save(tmp_path, torch.nn.Identity(), {}, optimiser, ["w"], checkpoint.Position(), {})
    again, _, _ = checkpoint.load(tmp_path / checkpoint.NAME)
    assert torch.equal(again["optimiser.exp_avg_sq.w"], tensors["optimiser.exp_avg_sq.w"])
