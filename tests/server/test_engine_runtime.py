"""Weights are run only when they are the ones that the manifest names."""

from __future__ import annotations

import json
import shutil
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from microface.errors import RunError
from microface.server.engine.in_order import in_order
from microface.server.engine.runtime import (
    GRAPHS,
    WEIGHTS,
    Animation,
    OnnxRuntime,
    as_input,
    checked_bytes,
)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    for name in (*GRAPHS, "manifest.json"):
        shutil.copy(WEIGHTS / name, tmp_path / name)
    return tmp_path


def refusal(folder: Path) -> str:
    with pytest.raises(RunError) as caught:
        OnnxRuntime(folder, threads=1)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_status == 1
    return str(caught.value)


def test_absent_weights(tmp_path: Path) -> None:
    assert "no weights" in refusal(tmp_path)


def test_missing_file(weights: Path) -> None:
    (weights / "animate.onnx").unlink()
    assert "animate.onnx are missing" in refusal(weights)


def test_changed_weights(weights: Path) -> None:
    data = bytearray((weights / "encode.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    (weights / "encode.onnx").write_bytes(data)
    assert "not the ones that the manifest names" in refusal(weights)


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"sha256": {"encode.onnx": 3}})])
def test_broken_manifest(weights: Path, text: str) -> None:
    (weights / "manifest.json").write_text(text)
    assert "manifest" in refusal(weights)


def test_not_a_model(weights: Path) -> None:
    import hashlib

    (weights / "encode.onnx").write_bytes(b"nothing")
    manifest = json.loads((weights / "manifest.json").read_text())
    manifest["sha256"]["encode.onnx"] = hashlib.sha256(b"nothing").hexdigest()
    (weights / "manifest.json").write_text(json.dumps(manifest))
    assert "cannot load encode.onnx" in refusal(weights)


def test_checked_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert checked_bytes(tmp_path / "a", empty) == b""


def test_input_layout() -> None:
    picture = np.zeros((256, 256, 3), np.uint8)
    picture[3, 5] = (255, 0, 51)
    array = as_input(picture)
    assert array.shape == (1, 3, 256, 256)
    assert array[0, :, 3, 5] == pytest.approx([1, 0, 0.2])


def test_shapes() -> None:
    runtime = OnnxRuntime(threads=1)
    picture = np.full((256, 256, 3), 100, np.uint8)
    encoding = runtime.encode(picture)
    assert encoding["points"].shape == (1, 30, 2)
    assert encoding["confidence"].shape == (1, 30)
    flow = np.zeros((64, 64, 2), np.float32)
    scene = runtime.prepare(encoding, encoding, picture)
    (made,) = runtime.animate(scene, [picture], [flow], 1.0)
    assert made.flow.shape == (256, 256, 2)
    assert made.edges.shape == made.residual_mask.shape == (256, 256)
    assert made.residual.shape == (256, 256, 3)
    assert np.isfinite(made.flow).all()
    # A source that does not move moves nothing.
    assert np.abs(made.flow).max() < 0.01


def test_frames_made_side_by_side_are_those_made_alone() -> None:
    runtime = OnnxRuntime(threads=2)
    rng = np.random.default_rng(0)
    pictures = [np.kron(rng.integers(0, 255, (32, 32, 3)), np.ones((8, 8, 1))) for _ in range(4)]
    neutral, character, *frames = (picture.astype(np.uint8) for picture in pictures)
    scene = runtime.prepare(runtime.encode(neutral), runtime.encode(character), character)
    flow = np.ones((64, 64, 2), np.float32)

    def made(frame: np.ndarray) -> Animation:
        return runtime.animate(scene, [frame], [flow], 1.0)[0]

    alone = [made(frame) for frame in frames * 2]
    beside = list(in_order(made, frames * 2, runtime.workers))
    for ours, theirs in zip(beside, alone, strict=True):
        for field in fields(Animation):
            assert np.array_equal(getattr(ours, field.name), getattr(theirs, field.name))
