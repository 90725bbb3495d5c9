"""What goes together: amounts that expressions never have are taken back, stillness stays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from microface.errors import InputError
from microface.models.eam.together import Together
from microface.models.training.amounts import Gathered, learn
from microface.models.training.data import Shards
from microface.models.training.settings import StageSettings, load_settings
from microface.models.training.trainer import Trainer

from .shards import write_shard

MOVEMENTS = 12


def amounts(count: int, seed: int) -> Gathered:
    """Pairs that show one of three expressions of twelve movements each, and noise."""
    rng = np.random.default_rng(seed)
    expressions = np.random.default_rng(7).normal(0, 1, (3, MOVEMENTS))
    wanted = expressions[rng.integers(0, 3, count)] * rng.uniform(0.5, 3, (count, 1))
    found = wanted + rng.normal(0, 0.6, wanted.shape)
    return Gathered(
        found=torch.from_numpy(found.astype(np.float32)),
        wanted=torch.from_numpy(wanted.astype(np.float32)),
        noise=torch.full((count, 2), 0.1),
        products=400 * torch.eye(MOVEMENTS).expand(count, -1, -1),
        unexplained=torch.zeros(count),
    )


def test_it_starts_by_leaving_amounts_as_they_are() -> None:
    pairs = amounts(5, 0)
    assert torch.equal(Together(MOVEMENTS, 8)(pairs.found, pairs.noise), pairs.found)


@pytest.mark.slow
def test_what_expressions_never_do_is_taken_back() -> None:
    torch.manual_seed(0)
    together = Together(MOVEMENTS, 64)
    learn(together, amounts(2000, 1), StageSettings(1.0, 64, 3e-3), np.random.default_rng(0))
    unseen = amounts(300, 2)
    with torch.no_grad():
        corrected = together(unseen.found, unseen.noise)
        nothing = together(0 * unseen.found, unseen.noise)
    before, after = ((x - unseen.wanted).norm() for x in (unseen.found, corrected))
    assert after < 0.7 * before
    gain = (corrected * unseen.wanted).sum() / unseen.wanted.square().sum()
    assert 0.95 < gain < 1.05
    assert not nothing.any()


def test_a_side_that_rests_does_not_follow_the_other() -> None:
    together = Together(MOVEMENTS, 8)
    torch.nn.init.normal_(together.left.correct.weight)
    torch.nn.init.normal_(together.right.correct.weight)
    pairs = amounts(5, 0)
    pairs.found[:, : MOVEMENTS // 2] = 0
    with torch.no_grad():
        corrected = together(pairs.found, pairs.noise)
    assert not corrected[:, : MOVEMENTS // 2].any()
    assert not corrected[:, MOVEMENTS // 2 :].equal(pairs.found[:, MOVEMENTS // 2 :])


def test_the_stage_teaches_nothing_else(tmp_path: Path) -> None:
    write_shard(tmp_path)
    settings = replace(
        load_settings().with_changes(minutes=0.1, batch=2, seed=3),
        network={"features": 8, "detail": 8, "context": 8, "channels": 8, "together": 8},
    )
    trainer = Trainer(tmp_path, Shards(tmp_path), settings)
    trainer.begin("motion")
    trainer.step(0.0)
    before = trainer.average
    trainer.run(("amounts",), steps=None, say=lambda line: None)
    changed = {name for name, value in trainer.weights().items() if not value.equal(before[name])}
    assert changed and all(name.startswith("repertoire.together") for name in changed)
    assert all(value.equal(trainer.average[name]) for name, value in trainer.weights().items())
    again = Trainer(tmp_path, Shards(tmp_path), settings)
    again.resume()
    assert all(value.equal(trainer.average[name]) for name, value in again.average.items())


def test_a_network_without_it_cannot_be_taught_it(tmp_path: Path) -> None:
    write_shard(tmp_path)
    settings = replace(load_settings(), network={"features": 8, "repertoire": 0})
    with pytest.raises(InputError, match="go together"):
        Trainer(tmp_path, Shards(tmp_path), settings).run(("amounts",), steps=None, say=print)
