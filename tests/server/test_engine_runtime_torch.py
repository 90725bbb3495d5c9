"""Torch answers like ONNX Runtime, and a frame can be captured as a CUDA graph."""

from __future__ import annotations

import importlib
import json
import runpy
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from microface.commands.serve import RUNTIMES
from microface.errors import RunError
from microface.server.engine.runtime import WEIGHTS, OnnxRuntime
from microface.server.work import load_engine

torch = pytest.importorskip("torch")
from microface.server.engine import runtime_torch  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402


def picture(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rough = rng.integers(0, 255, (16, 16, 3), np.uint8)
    return np.asarray(cv2.resize(rough, (256, 256), interpolation=cv2.INTER_CUBIC))


def motion(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.asarray(cv2.resize(rng.normal(0, 1, (8, 8, 2)).astype(np.float32), (64, 64)))


@pytest.fixture(scope="module")
def runtime() -> runtime_torch.TorchRuntime:
    return runtime_torch.TorchRuntime()


def test_it_answers_like_onnx_runtime(runtime: runtime_torch.TorchRuntime) -> None:
    frames, flows = [picture(k) for k in (1, 3, 4)], [motion(k) for k in (1, 3, 4)]
    made = []
    for each in (runtime, OnnxRuntime(threads=1)):
        source, character = each.encode(picture(1)), each.encode(picture(2))
        assert source["points"].shape == (1, 30, 2)
        scene = each.prepare(source, character, picture(2))
        made.append(each.animate(scene, frames, flows, 0.8))
    assert len(made[0]) == len(made[1]) == 3
    for ours, theirs in zip(*made, strict=True):
        for name in runtime_torch.MADE:
            mine, other = getattr(ours, name), getattr(theirs, name)
            assert mine.shape == other.shape
            np.testing.assert_allclose(mine, other, atol=5e-4, err_msg=name)
    assert np.abs(made[0][0].flow).max() > 0.1


def test_a_batch_makes_the_frames_that_its_parts_make(runtime: runtime_torch.TorchRuntime) -> None:
    scene = runtime.prepare(runtime.encode(picture(1)), runtime.encode(picture(2)), picture(2))
    one = (torch.rand(1, 3, 256, 256), torch.randn(1, 2, 64, 64), torch.ones(1))
    with torch.inference_mode():
        whole = runtime._frames(*(torch.cat([each] * 2) for each in one), *scene)
        alone = runtime._frames(*one, *scene)
    for both, single in zip(whole, alone, strict=True):
        for k in range(2):
            np.testing.assert_allclose(both[k], single[0], atol=1e-4)


def test_a_frame_needs_nothing_from_the_host(runtime: runtime_torch.TorchRuntime) -> None:
    """What a capture forbids: constants brought over, and values or shapes that are waited for."""

    class Watch(TorchDispatchMode):
        seen: set[str] = set()

        def __torch_dispatch__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            self.seen.add(func.overloadpacket.__name__)
            return func(*args, **(kwargs or {}))

    scene = runtime.prepare(runtime.encode(picture(1)), runtime.encode(picture(2)), picture(2))
    inputs = (torch.rand(1, 3, 256, 256), torch.randn(1, 2, 64, 64), torch.ones(1))
    with torch.inference_mode(), Watch() as watch:
        runtime._frames(*inputs, *scene)
    assert len(watch.seen) > 20
    forbidden = {"lift_fresh", "_local_scalar_dense", "nonzero", "scalar_tensor", "_unique2"}
    assert not watch.seen & forbidden


@pytest.mark.parametrize("name", RUNTIMES)
def test_the_server_starts_either_runtime(name: str) -> None:
    engine = load_engine(RUNTIMES[name])(None, 0)
    models = engine.warm()
    assert ("eam.safetensors" in models) == (name == "torch")
    assert all(len(digest) == 64 for digest in models.values())


@pytest.mark.slow
def test_the_benchmark_says_which_device_it_measured(capsys: pytest.CaptureFixture[str]) -> None:
    path = Path(__file__).parents[1] / "benchmarks" / "device_speed.py"
    runpy.run_path(str(path))["main"](["--frames", "2", "--batches", "1", "2"])
    lines = capsys.readouterr().out.splitlines()
    cuda = torch.cuda.is_available()
    assert lines[0].startswith("device: CUDA" if cuda else "device: the processor")
    assert cuda or "not a GPU's" in lines[1]
    rates = [line for line in lines if "frames a second" in line]
    assert [line.split(",")[0] for line in rates] == ["batch  1"] * 2 + ["batch  2"] * 2
    assert all("% of that arithmetic" in line and "% busy" in line for line in rates)


def test_other_weights_are_refused(tmp_path: Path) -> None:
    manifest = json.loads((WEIGHTS / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "eam.safetensors").write_bytes(b"others")
    with pytest.raises(RunError, match="not the ones that the manifest names"):
        runtime_torch.TorchRuntime(tmp_path)


def test_without_torch_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    name = runtime_torch.__name__
    monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(RunError, match="needs torch") as caught:
        importlib.import_module(name)
    assert "\n" not in str(caught.value) and "--runtime onnx" in str(caught.value)
