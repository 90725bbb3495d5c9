"""Hair, clothes and what is worn stay while the face moves, in pictures and in the truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from microface.models.heads.device.pairs import beneath as beneath_on_device
from microface.models.heads.device.render import Motions
from microface.models.heads.expressions import expression_weights
from microface.models.heads.families import HeadModel
from microface.models.heads.fixed import beneath
from microface.models.heads.pairs import Pair, sample_scene
from microface.models.heads.render import Motion
from microface.models.heads.write import load_families


@pytest.fixture(scope="module")
def families(shared: Path) -> list[HeadModel]:
    return load_families(shared / "heads")


def test_no_unit_moves_hair_or_clothes(families: list[HeadModel]) -> None:
    raised = {**expression_weights("AU1", 1, 1), **expression_weights("AU2", 1, 1)}
    haired = 0
    for family in families:
        for number in range(4):
            head = family.sample(number)
            fixed = np.array([surface.fixed for surface in head.surfaces])[head.surface]
            rows = np.unique(head.triangles[fixed])
            haired += len(rows) > 0
            moved = np.linalg.norm(head.posed(raised) - head.rest, axis=1)
            assert moved.max() > 0.3
            assert not len(rows) or moved[rows].max() < 1e-5
    assert haired > 6


@pytest.fixture(scope="module")
def covered(families: list[HeadModel]) -> list[Pair]:
    """Training's pairs in which hair or what is worn lies beside what moves."""
    found: list[Pair] = []
    for seed in range(40):
        rng = np.random.default_rng([9, seed])
        for pair in sample_scene(rng, families, "train", frames=1):
            moves = np.linalg.norm(pair.character_backward.astype(float), axis=-1).max() > 1
            if moves and pair.character_fixed.mean() > 0.03:
                found.append(pair)
        if len(found) == 4:
            break
    assert len(found) == 4
    return found


def test_what_is_fixed_shows_the_same_before_and_after(covered: list[Pair]) -> None:
    for pair in covered:
        fixed = pair.character_fixed > 0
        for flow in (pair.character_forward, pair.character_backward):
            inside = np.linalg.norm(flow.astype(float), axis=-1)[fixed]
            # Only a pixel on the rim may show something of the face as well.
            assert np.mean(inside > 0.05) < 0.05
        before, after = (x.astype(float) for x in (pair.character_neutral, pair.character_frame))
        elsewhere = np.linalg.norm(pair.character_backward.astype(float), axis=-1) > 1
        change = np.abs(before - after).mean(-1)
        assert change[fixed].mean() < 0.5 * change[elsewhere & ~fixed].mean()


def cover_of(columns: slice) -> np.ndarray:
    cover = np.zeros((64, 64, 4), np.float32)
    cover[:, columns, 3] = 1
    return cover


def test_a_cover_hides_what_moves_under_it_and_what_comes_out() -> None:
    flow = np.zeros((32, 32, 2), np.float32)
    flow[..., 0] = 3
    ones = np.ones((32, 32), np.float32)
    cover = cover_of(slice(20, 40))
    found = beneath(Motion(flow, ones, ones), cover)
    assert not found.flow[:, 10:20].any() and found.visible[:, 10:20].all()
    assert (found.flow[:, :10, 0] == 3).all() and (found.flow[:, 20:, 0] == 3).all()
    # Three pixels before it go under.
    assert found.visible[:, :6].all() and not found.visible[:, 8:10].any()
    assert found.visible[:, 20:28].all()
    on_device = beneath_on_device(
        Motions(
            *(torch.from_numpy(x)[None] for x in (flow.transpose(2, 0, 1), ones[None], ones[None]))
        ),
        [torch.from_numpy(cover).permute(2, 0, 1)],
    )
    assert np.array_equal(on_device.flow[0].permute(1, 2, 0).numpy(), found.flow)
    assert np.array_equal(on_device.visible[0, 0].numpy(), found.visible)
