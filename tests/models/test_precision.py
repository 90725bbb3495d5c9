"""Smaller number formats answer like float32, or are not written."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from microface.errors import RunError
from microface.models import precision
from microface.models.graphs import EACH_FRAME, Graphs, session
from microface.server.engine.runtime import WEIGHTS


class Stand:
    """A pair made up: smooth pictures and a motion in the middle of the face."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        rough = rng.random((3, 1, 3, 16, 16), np.float32)
        self.pictures = [np.kron(one, np.ones((16, 16), np.float32)) for one in rough]
        y, x = np.mgrid[:64, :64]
        bump = np.exp(-((x - 32) ** 2 + (y - 36) ** 2) / 120)
        self.flow = (np.stack((bump, -2 * bump))[None]).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(WEIGHTS / "prepare.onnx", tmp_path / "prepare.onnx")
    return tmp_path


@pytest.mark.slow
def test_sixteen_bits_answer_alike_and_stand_still(folder: Path) -> None:
    for name in EACH_FRAME:
        precision.half(WEIGHTS / name, folder / name)
        model = onnx.load(str(folder / name))
        kernels = {entry.name: entry.data_type for entry in model.graph.initializer}
        chosen = [node for node in model.graph.node if node.name in precision.rectified(model)]
        assert len(chosen) >= 10
        assert all(kernels[node.input[1]] == precision.HALF for node in chosen)
        assert (folder / name).stat().st_size < 0.7 * (WEIGHTS / name).stat().st_size
    graphs = [Graphs(each) for each in (WEIGHTS, folder)]
    found = precision.departure(graphs[0], graphs[1], [Stand(1)])  # type: ignore[list-item]
    assert 0 < found.moving < precision.DEPARTURES["fp16"]
    assert found.still == 0


def test_a_graph_that_answers_otherwise_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoiled(source: Path, target: Path) -> None:
        model = onnx.load(str(source))
        for entry in model.graph.initializer:
            values = onnx.numpy_helper.to_array(entry)
            if values.ndim == 4:
                changed = (values * 1.2).astype(values.dtype)
                entry.CopyFrom(onnx.numpy_helper.from_array(changed, entry.name))
        onnx.save(model, str(target))

    monkeypatch.setattr(precision, "half", spoiled)
    monkeypatch.setattr(precision, "Pair", lambda shards, index, graphs: Stand(index))
    monkeypatch.setattr(precision, "LEARNED_FROM", 1)
    monkeypatch.setattr(precision, "JUDGED_BY", 1)
    with pytest.raises(RunError, match="In fp16 the motion departs by"):
        precision.convert(WEIGHTS, tmp_path, "fp16", [None] * 2)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_eight_bits_answer_alike(folder: Path) -> None:
    pairs = [Stand(seed) for seed in range(3)]
    reference = Graphs(WEIGHTS)
    given = precision.learned_from(reference, pairs[1:])  # type: ignore[arg-type]
    for name, examples in zip(EACH_FRAME, given, strict=True):
        precision.quantised(WEIGHTS / name, folder / name, examples)
        kinds = {node.op_type for node in onnx.load(str(folder / name)).graph.node}
        assert "QuantizeLinear" in kinds
        session(folder / name)
    found = precision.departure(reference, Graphs(folder), pairs[:1])  # type: ignore[arg-type]
    assert found.moving < 0.2 and found.still == 0
