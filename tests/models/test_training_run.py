"""Training: resumable to the bit, and a loss that falls."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from microface.errors import InputError
from microface.models.eam.network import Eam, EamConfig
from microface.models.training import checkpoint
from microface.models.training.data import Shards, draw, map_arrays
from microface.models.training.settings import Settings, load_settings
from microface.models.training.trainer import Trainer

from .shards import write_shard


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pairs")
    write_shard(folder)
    return folder


def small(steps_to_warm: int = 1) -> Settings:
    return replace(
        load_settings().with_changes(minutes=1, batch=2, seed=3), warmup_steps=steps_to_warm
    )


def trained(folder: Path, data: Path, stage: str, steps: tuple[int, ...]) -> Trainer:
    """A run that was stopped and taken up again after each count of `steps`."""
    folder.mkdir()
    trainer = Trainer(folder, Shards(data), small())
    trainer.begin(stage)
    for i, count in enumerate(steps):
        if i:
            trainer = Trainer(folder, Shards(data), small())
            trainer.resume()
        for _ in range(count):
            trainer.step(0.0)
        trainer.save()
    return trainer


@pytest.mark.parametrize("stage", ["keypoints", pytest.param("paint", marks=pytest.mark.slow)])
def test_a_run_taken_up_again_is_the_run_that_went_through(
    tmp_path: Path, data: Path, stage: str
) -> None:
    through = trained(tmp_path / "through", data, stage, (2,))
    resumed = trained(tmp_path / "resumed", data, stage, (1, 1))
    assert resumed.position.step == through.position.step == 2
    for ours, theirs in (
        (through.weights(), resumed.weights()),
        (through.average, resumed.average),
    ):
        for name, value in ours.items():
            assert torch.equal(value, theirs[name]), name


def test_the_loss_falls_on_a_tiny_set(tmp_path: Path, data: Path) -> None:
    trainer = Trainer(tmp_path, Shards(data), small().with_changes(minutes=1, batch=1, seed=3))
    losses = []
    for _ in range(14):
        trainer.position.step = 0  # the same pair, changed in the same way
        losses.append(trainer.step(0.0)["total"])
    assert min(losses[-3:]) < 0.7 * losses[0]


def test_a_motion_step_teaches_motion_and_leaves_the_detector_alone(
    tmp_path: Path, data: Path
) -> None:
    trainer = Trainer(tmp_path, Shards(data), small())
    trainer.begin("motion")
    before = trainer.weights()
    found = trainer.step(0.0)
    assert {"flow", "gain", "source", "carried"} <= found.keys()
    changed = {name for name, value in trainer.weights().items() if not value.equal(before[name])}
    assert any(name.startswith("source.") for name in changed)
    assert not any(name.startswith("encoder.") for name in changed)


def test_doubt_is_taught_beside_a_network_that_stays(tmp_path: Path, data: Path) -> None:
    trainer = Trainer(tmp_path, Shards(data), small())
    trainer.start_from(Eam(EamConfig(doubt=False)))
    trainer.begin("doubt")
    before = trainer.weights()
    assert np.isfinite(trainer.step(0.0)["doubt"])
    changed = {name for name, value in trainer.weights().items() if not value.equal(before[name])}
    assert changed and all(name.startswith("doubt.") for name in changed)


def test_a_run_leaves_a_log_and_a_plain_checkpoint(tmp_path: Path, data: Path) -> None:
    trainer = Trainer(tmp_path, Shards(data), small())
    trainer.log("motion", {"total": 1.0}, print)
    with (tmp_path / "log-motion.csv").open() as file:
        assert [row["total"] for row in csv.DictReader(file)] == ["1"]
    path = trainer.save()
    assert path.suffix == ".safetensors"
    tensors, position, config = checkpoint.load(path)
    assert position == trainer.position and config["features"] == 48
    assert checkpoint.part(tensors, "network").keys() == trainer.weights().keys()
    assert not list(tmp_path.glob("*.part"))


def test_a_run_may_start_from_weights_of_the_same_build(tmp_path: Path, data: Path) -> None:
    other, mine = (Trainer(tmp_path, Shards(data), small()) for _ in range(2))
    with torch.no_grad():
        other.network.dense.still_logit.fill_(-3.0)
    mine.start_from(other.network)
    assert float(mine.average["dense.still_logit"]) == -3.0
    with pytest.raises(InputError, match="built as"):
        mine.start_from(Eam(EamConfig(eimhsa=False)))


def test_the_order_of_pairs_follows_from_seed_and_step() -> None:
    assert np.array_equal(draw(1, 5, 8, 100), draw(1, 5, 8, 100))
    assert not np.array_equal(draw(1, 5, 8, 100), draw(1, 6, 8, 100))
    assert not np.array_equal(draw(1, 5, 8, 100), draw(2, 5, 8, 100))


def test_shards_are_read_in_place(data: Path) -> None:
    arrays = map_arrays(data / "pairs-00000.npz")
    with np.load(data / "pairs-00000.npz") as whole:
        for name in ("source_neutral", "character_backward", "source_points"):
            assert isinstance(arrays[name], np.memmap)
            assert np.array_equal(arrays[name], whole[name])
    shards = Shards(data)
    assert len(shards) == 4
    batch = shards.batch(np.array([3, 0]))
    assert batch["measured_flow"].shape == (2, 64, 64, 2)


def test_folders_are_mixed(tmp_path: Path, data: Path) -> None:
    write_shard(tmp_path, pairs=2, seed=5)
    both, other = Shards(data, (tmp_path,)), Shards(tmp_path)
    assert len(both) == 6
    ours, theirs = both.batch(np.array([5, 0])), other.batch(np.array([1]))
    assert all(np.array_equal(ours[name][:1], theirs[name]) for name in ours)


def test_folders_and_settings_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no training pairs"):
        Shards(tmp_path)
    (tmp_path / "pairs-00000.npz").write_bytes(b"nothing")
    with pytest.raises(InputError, match="cannot be read"):
        Shards(tmp_path)
    older = tmp_path / "older"
    older.mkdir()
    with np.load(write_shard(older)) as stored:
        kept = {name: stored[name] for name in stored.files if name != "character_fixed"}
    np.savez(older / "pairs-00000.npz", **kept)
    with pytest.raises(InputError, match="lacks character_fixed"):
        Shards(older).batch(np.array([0]))
    (tmp_path / "x.toml").write_text("seed = 1\n")
    with pytest.raises(InputError, match="does not fit"):
        load_settings(tmp_path / "x.toml")
    with pytest.raises(InputError, match="no checkpoint"):
        checkpoint.load(tmp_path / "pairs-00000.npz")
