"""The exported graphs compute what torch does, at any batch size."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch
from microface.errors import InputError
from microface.models import export
from microface.models.eam.network import Eam
from microface.models.graphs import Graphs
from microface.models.training import checkpoint
from microface.server.engine.runtime import WEIGHTS
from safetensors.torch import save_file


def woken() -> Eam:
    torch.manual_seed(1)
    network = Eam().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            if float(parameter.abs().max()) == 0:
                parameter.normal_(0, 0.02)
    return network


@pytest.mark.slow
def test_the_graphs_agree_with_torch_and_the_manifest_tells_them_apart(tmp_path: Path) -> None:
    network = woken()
    worst = export.export(network, tmp_path, "test")
    assert set(worst) == {*export.ENCODINGS, *export.PREPARED, *export.ANIMATIONS}
    assert max(worst.values()) < 1e-3
    assert export.parity(network, tmp_path, count=1)["flow"] < 1e-3
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    for name, digest in manifest["sha256"].items():
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == digest
    assert {"source_flow", "character_image", "strength"} <= set(manifest["animate"]["inputs"])
    assert not list(tmp_path.glob(".export*"))


@pytest.mark.parametrize("count", [1, 3, pytest.param(16, marks=pytest.mark.slow)])
def test_a_batch_makes_the_frames_that_its_parts_make(count: int) -> None:
    graphs = Graphs(WEIGHTS)
    neutral, frame, image, flow, strength = (each.numpy() for each in export.trial(count))
    made = graphs.animate.run(graphs.known(neutral, frame, image, flow, strength))
    last = slice(count - 1, None)
    alone = graphs.animate.run(
        graphs.known(neutral[last], frame[last], image[last], flow[last], strength[last])
    )
    for name, field in alone.items():
        assert made[name].shape == (count, *field.shape[1:])
        np.testing.assert_allclose(made[name][last], field, atol=1e-4)


def test_weights_come_back_as_they_went(tmp_path: Path) -> None:
    network = woken()
    export.save_weights(network, tmp_path / "eam.safetensors")
    again = export.load_weights(tmp_path / "eam.safetensors")
    assert again.config == network.config
    for name, value in network.state_dict().items():
        assert torch.equal(value, again.state_dict()[name])


def test_weights_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no weights"):
        export.load_weights(tmp_path / "none.safetensors")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"no weights at all, only words")
    with pytest.raises(InputError, match="does not hold"):
        export.load_weights(broken)


def test_a_run_of_another_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no checkpoint"):
        export.load_network(tmp_path)
    position = {field.name: 0 for field in fields(checkpoint.Position)}
    metadata = {"position": json.dumps(position), "config": json.dumps({"heads_of_old": 3})}
    save_file({"average.x": torch.zeros(1)}, str(tmp_path / checkpoint.NAME), metadata=metadata)
    with pytest.raises(InputError, match="not of this network"):
        export.load_network(tmp_path)
