"""Pairs that a device draws hold what pairs hold, and are written as pairs are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from microface.errors import InputError
from microface.models.heads.device.pairs import Kept, Plan, Studio
from microface.models.heads.device.write import SCENES, write_shards, writer_on
from microface.models.heads.families import TEST_IDENTITIES_FROM, HeadModel
from microface.models.heads.packs import load_makehuman
from microface.models.heads.pairs import Pair, sample_scene
from microface.models.heads.write import PAIRS_PER_SHARD
from microface.models.training.data import FIELDS, map_arrays

CPU = torch.device("cpu")
Drawn = tuple[dict[str, Any], list[dict[str, object]]]


@pytest.fixture(scope="module")
def family(shared: Path) -> HeadModel:
    return load_makehuman(shared / "heads")


@pytest.fixture(scope="module")
def studio(family: HeadModel) -> Studio:
    return Studio([family], CPU, heads=2)


def scene(studio: Studio, seed: int) -> tuple[Plan, Drawn]:
    rng = np.random.default_rng(seed)
    plan = studio.plan(rng, "train", settings=1, frames=2)
    return plan, studio.scene(rng, plan)


@pytest.fixture(scope="module")
def drawn(studio: Studio) -> tuple[Plan, Drawn]:
    return scene(studio, 4)


def test_pairs_have_the_fields_of_pairs(drawn: tuple[Plan, Drawn], family: HeadModel) -> None:
    arrays, meta = drawn[1]
    assert set(arrays) == set(Pair.arrays()) == set(FIELDS)
    one = sample_scene(np.random.default_rng(4), [family], "test", frames=1)[0]
    for name, value in arrays.items():
        theirs = getattr(one, name)
        assert value.shape == (2, *theirs.shape) and value.dtype == theirs.dtype, name
    assert meta[0].keys() == {"weights", "families", "identities"}


def test_a_pair_moves_where_it_says(drawn: tuple[Plan, Drawn]) -> None:
    plan, (arrays, _) = drawn
    for row, (weights, pulls) in enumerate(plan.acts):
        moves = bool(weights or pulls)
        assert (np.abs(arrays["source_flow"][row]).max() > 0.01) == moves
        assert (np.abs(arrays["character_motion"][row]).max() > 0.01) == moves
        forward, visible = arrays["character_forward"][row], arrays["character_visible"][row]
        assert (np.abs(forward.astype(float)).max() > 0.01) == moves
        assert visible.mean() > 0.9
    assert any(weights or pulls for weights, pulls in plan.acts)
    # Moved back along its backward flow, the frame shows the neutral.
    row = int(np.abs(arrays["character_motion"]).max((1, 2)).argmax())
    frame, neutral = (arrays[f"character_{n}"][row].astype(float) for n in ("frame", "neutral"))
    points = arrays["character_points"][row]
    assert ((points > 10) & (points < 246)).all()
    still = np.abs(arrays["character_backward"][row].astype(float)).max(-1) == 0
    assert np.abs(frame - neutral)[still].mean() < 1.5


def test_a_scene_follows_from_its_random_numbers(
    drawn: tuple[Plan, Drawn], family: HeadModel
) -> None:
    (_, (ours, _)), (_, (theirs, _)) = drawn, scene(Studio([family], CPU, heads=2), 4)
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_heads_that_are_kept_keep_to_their_split() -> None:
    class Counting:
        name = "counting"
        asked: list[int] = []

        def sample(self, identity: int) -> Any:
            self.asked.append(identity)
            return object()

    family = Counting()
    kept = Kept(family, 3)
    assert kept.sample(7) is kept.sample(1)
    assert kept.sample(TEST_IDENTITIES_FROM + 8) is not kept.sample(8)
    assert Kept(family, 3, turn=2).sample(1) is not kept.sample(1)
    # 8 stands for 2 here, and so does the eighth of the tests' heads for their second.
    assert family.asked == [1, TEST_IDENTITIES_FROM + (TEST_IDENTITIES_FROM + 8) % 3, 2, 7]


class Numbered:
    """A studio whose scenes hold a number of their random numbers."""

    def plan(self, rng: np.random.Generator, split: str, turn: int) -> int:
        return int(rng.integers(1 << 30))

    def scene(self, rng: np.random.Generator, plan: int) -> Drawn:
        count = PAIRS_PER_SHARD // SCENES
        return {"value": np.full(count, plan)}, [{"weights": {}} for _ in range(count)]


def test_a_shard_depends_on_its_number_alone(tmp_path: Path) -> None:
    def values(numbers: list[int], folder: str) -> dict[int, np.ndarray]:
        (tmp_path / folder).mkdir()
        made = write_shards(tmp_path / folder, numbers, 3, Numbered(), "train")  # type: ignore[arg-type]
        return {
            n: np.array(map_arrays(path)["value"])
            for n, (path, _) in zip(numbers, made, strict=True)
        }

    whole, part = values([0, 1, 2, 3], "whole"), values([2], "part")
    assert np.array_equal(whole[2], part[2])
    assert len({int(v) for each in whole.values() for v in each}) == 4 * SCENES
    assert all(len(each) == PAIRS_PER_SHARD for each in whole.values())


def test_a_device_that_is_not_there_is_told() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    with pytest.raises(InputError, match="no CUDA device"):
        writer_on("cuda")
