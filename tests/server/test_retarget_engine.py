"""The engine that ships, as the worker calls it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from microface.errors import InputError, MicrofaceError
from microface.server.client import Client
from microface.server.embedded import EmbeddedServer
from microface.server.retarget_engine import RetargetEngine, make_engine

pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def engine() -> RetargetEngine:
    return make_engine(None, 1)


def problem() -> dict[str, np.ndarray[Any, Any]]:
    """A solve whose answer is known: one key of two rises and falls."""
    rng = np.random.default_rng(0)
    jacobian = rng.normal(size=(200, 2, 2)).astype(np.float32)
    truth = np.stack([np.sin(np.linspace(0, np.pi, 20)) * 0.5, np.zeros(20)], axis=1)
    motion = np.einsum("vcs,ts->tvc", jacobian, truth).astype(np.float16)
    return {
        "jacobian": jacobian.astype(np.float16),
        "motion": motion,
        "confidence": np.ones(200, np.float32),
        "bounds": np.array([[0.0, 1.0], [0.0, 1.0]]),
        "names": np.array(["mouthSmileLeft", "jawOpen"]),
        "times": np.arange(20) / 100,
    }


def never() -> bool:
    return False


def nothing(stage: str, fraction: float) -> None:
    return None


def test_it_warms_up_and_tells_its_models(engine: RetargetEngine) -> None:
    models = engine.warm()
    assert models and all(len(digest) == 64 for digest in models.values())


def test_it_solves(engine: RetargetEngine) -> None:
    told = {"units": np.array([[12, 0.9]]), "crop": np.array([128.0, 128, 200, 0])}
    weights, result = engine.solve(problem() | told, nothing, never)
    assert weights.dtype == np.float32 and weights.shape == (20, 2)
    np.testing.assert_allclose(weights[:, 0], np.sin(np.linspace(0, np.pi, 20)) * 0.5, atol=0.03)
    assert not weights[:, 1].any()
    assert len(result["residual_pixels"]) == 20


def test_it_accounts_for_frames_and_vertices_of_several_views(engine: RetargetEngine) -> None:
    places = np.random.default_rng(1).uniform(0, 256, (200, 2))
    views = problem() | {"positions": places, "views": np.array([120, 80])}
    odd = views["motion"].copy()
    odd[:, 150] += np.float16(3)
    weights, result = engine.solve(views | {"motion": odd}, nothing, never)
    np.testing.assert_allclose(weights[:, 0], np.sin(np.linspace(0, np.pi, 20)) * 0.5, atol=0.03)
    assert len(result["explained"]) == 20 and max(result["explained"]) <= 1
    assert len(result["unexplained"]) == 200
    assert int(np.argmax(result["unexplained"])) == 150
    assert np.shape(result["rigid"]) == (20, 8)


@pytest.mark.parametrize(
    "change",
    [
        {"views": np.array([120, 70])},
        {"motion": np.zeros((20, 199, 2))},
        {"times": np.arange(3) / 100},
        {"names": np.array([1, 2])},
        {"motion": np.full((20, 200, 2), np.nan)},
        {"jacobian": np.zeros(3)},
        {"more": np.zeros(3)},
        {"units": np.zeros(3)},
        {"crop": np.zeros(4)},
        {"units": np.array([[12, np.nan]])},
    ],
    ids=lambda change: "-".join(change),
)
def test_a_solve_that_does_not_fit_is_refused(
    engine: RetargetEngine, change: dict[str, np.ndarray[Any, Any]]
) -> None:
    with pytest.raises(InputError):
        engine.solve(problem() | change, nothing, never)
    with pytest.raises(InputError):
        engine.solve({}, nothing, never)


@pytest.mark.parametrize("large", [{"names": np.array(["x"] * 5000)}, {"times": np.arange(5000.0)}])
def test_a_solve_too_large_to_answer_is_refused_before_it_begins(
    engine: RetargetEngine, large: dict[str, np.ndarray[Any, Any]]
) -> None:
    with pytest.raises(InputError, match=r"5000 (keys|frames) is over the limit of 4096"):
        engine.solve(problem() | large, nothing, never)


def test_weights_that_are_not_there_or_not_ours_are_refused(tmp_path: Path) -> None:
    for folder in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(MicrofaceError):
            make_engine(str(folder), 1)
    with pytest.raises(MicrofaceError):
        EmbeddedServer(tmp_path).start()


def test_a_picture_without_a_face_is_one_clear_line(clip_folder: Path) -> None:
    grey = np.full((128, 128, 3), 128, np.uint8)
    with EmbeddedServer(threads=1) as server, Client(server.address) as client:
        with pytest.raises(InputError, match="face"):
            client.retarget(grey, clip_folder, 25).pump()
        arrays = problem()
        solved = client.solve(**arrays).pump()
    np.testing.assert_allclose(solved.weights[:, 0].max(), 0.5, atol=0.03)
