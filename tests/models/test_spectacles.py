"""Spectacles that are drawn, and the network that learns to find them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from microface.errors import InputError
from microface.models.graphs import Graph
from microface.models.heads import spectacles
from microface.models.heads.creases import creases
from microface.models.heads.procedural import ProceduralFamily
from microface.models.spectacles.export import export
from microface.models.spectacles.network import (
    Spectacles,
    SpectaclesConfig,
    load_spectacles,
    save_spectacles,
)
from microface.models.spectacles.samples import EACH, WORN, Samples, draw_samples
from microface.models.spectacles.train import fit, loss
from microface.models.spectacles.variety import placed, textured, toned
from microface.server.engine.spectacles import STORED

SIDE = 256
#: Eyes, nose and ears of a face (68, 2) that looks at the camera, the rest in the middle.
FACE = np.full((68, 2), 128.0, np.float32)
FACE[36:42] = (98, 118)
FACE[42:48] = (158, 118)
FACE[27] = (128, 118)
FACE[0], FACE[16] = (60, 125), (196, 125)


@pytest.fixture(scope="module")
def samples() -> Samples:
    return draw_samples(np.random.default_rng(3), [ProceduralFamily()], "train", 2)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_spectacles_go_around_both_eyes(seed: int) -> None:
    cover, hidden = spectacles.of_any_kind(np.random.default_rng(seed), FACE, SIDE)
    assert cover.shape == (SIDE, SIDE, 4) and hidden.shape == (SIDE, SIDE)
    assert cover[..., 3].min() >= 0 and cover[..., 3].max() <= 1 + 1e-5
    assert hidden.min() >= 0 and hidden.max() <= 1
    rows, columns = np.nonzero(hidden > 0.3)
    assert columns.min() < 98 and columns.max() > 158
    assert rows.max() < 118 + 60 and rows.min() > 118 - 60


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_creases_only_darken(seed: int) -> None:
    cover = creases(np.random.default_rng(seed), FACE, SIDE)
    assert cover.shape == (SIDE, SIDE, 4)
    assert not cover[..., :3].any()
    assert cover[..., 3].min() >= 0 and cover[..., 3].max() < 0.85


def test_both_sides_are_alike_from_the_front() -> None:
    shape = spectacles.random_shape(np.random.default_rng(1))
    drawn = spectacles.outline(shape)
    assert drawn[:, 0].max() == pytest.approx(shape.wide, rel=0.2)
    assert np.abs(drawn[:, 1]).max() == pytest.approx(shape.high, rel=0.5)


def test_samples_are_a_function_of_their_seed(samples: Samples, tmp_path: Path) -> None:
    assert len(samples) == 2 * EACH
    assert samples.pictures.shape[1:] == (SIDE, SIDE, 3)
    worn = samples.rims.reshape(2, EACH, -1).max(2) > 127
    assert worn[:, :WORN].all() and not worn[:, WORN:].any()
    again = draw_samples(np.random.default_rng(3), [ProceduralFamily()], "train", 2)
    assert np.array_equal(again.pictures, samples.pictures)
    samples.save(tmp_path / "one.npz")
    twice = Samples.load([tmp_path / "one.npz"] * 2)
    assert np.array_equal(twice.rims[: len(samples)], samples.rims)
    (tmp_path / "none.npz").write_bytes(b"no samples")
    with pytest.raises(InputError, match="does not hold pictures"):
        Samples.load([tmp_path / "none.npz"])


def test_variety_moves_picture_and_rims_alike() -> None:
    rng = torch.Generator().manual_seed(2)
    rims = torch.zeros(6, 1, SIDE, SIDE)
    rims[:, :, 100:120, 80:170] = 1
    pictures, moved = placed(rims.expand(-1, 3, -1, -1), rims, rng)
    assert torch.allclose(pictures, moved.expand(-1, 3, -1, -1))
    assert not torch.allclose(moved[0], moved[1])
    shown = toned(pictures, rng)
    assert shown.min() >= 0 and shown.max() <= 1
    many, none = textured(pictures.repeat(40, 1, 1, 1), moved.repeat(40, 1, 1, 1), rng)
    without = none.amax((1, 2, 3)) == 0
    assert 0 < int(without.sum()) < 40
    assert torch.equal(many[~without], pictures.repeat(40, 1, 1, 1)[~without])


@pytest.mark.slow
def test_it_learns(samples: Samples) -> None:
    before = Spectacles()
    after = fit(samples, 0.25, 1)
    pictures = torch.from_numpy(samples.pictures).permute(0, 3, 1, 2).float() / 255
    rims = torch.from_numpy(samples.rims)[:, None].float() / 255
    with torch.no_grad():
        losses = [float(loss(one.train()(pictures), rims)) for one in (before, after)]
    assert losses[1] < 0.85 * losses[0]


def test_weights_come_back_and_others_are_refused(tmp_path: Path) -> None:
    network = Spectacles(SpectaclesConfig(widths=(8, 8, 16))).eval()
    path = tmp_path / "some.safetensors"
    save_spectacles(network, path)
    again = load_spectacles(path)
    image = torch.rand(1, 3, SIDE, SIDE)
    with torch.no_grad():
        assert torch.equal(network(image), again(image))
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match="does not hold"):
        load_spectacles(path)
    with pytest.raises(InputError, match="no network"):
        load_spectacles(tmp_path / "absent.safetensors")


def test_the_graph_that_ships_is_that_of_the_weights(tmp_path: Path) -> None:
    assert export(load_spectacles(), tmp_path / "again.onnx") < 1e-4
    feed = {"image": np.random.default_rng(0).random((2, 3, SIDE, SIDE), np.float32)}
    shipped, again = (Graph(path).run(feed)["rims"] for path in (STORED, tmp_path / "again.onnx"))
    assert np.array_equal(shipped, again)
