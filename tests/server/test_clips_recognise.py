"""The recogniser reads the motion of clips: every unit and side it knows gets its chance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from microface.models.graphs import Graph
from microface.models.recognition.export import export, trial
from microface.models.recognition.network import load_recogniser
from microface.server.clips.recognise import STORED, chances

from .motions import both, course, motion

TIMES = np.arange(40) / 100
COURSE = course(TIMES, 0.08, 0.2, 0.34)
ALL = range(len(TIMES))


@pytest.mark.parametrize("unit", [1, 2, 4, 9, 12, 15])
def test_units_are_likely_on_their_side(unit: int) -> None:
    one = chances(motion(TIMES, {f"AU{unit} left": 0.3 * COURSE}), TIMES, ALL)
    assert one[f"AU{unit} left"] > 0.5 > one[f"AU{unit} right"]
    two = chances(motion(TIMES, both(unit, 0.3 * COURSE)), TIMES, ALL)
    assert min(two[f"AU{unit} {side}"] for side in ("left", "right")) > 0.5


def test_noise_is_no_unit_and_no_frames_are_none() -> None:
    noise = motion(TIMES, {})
    assert max(chances(noise, TIMES, ALL).values()) < 0.05
    assert max(chances(noise, TIMES, ()).values()) == 0.0


def test_one_expression_after_another_are_both_read() -> None:
    times = np.arange(160) / 40
    first, second = course(times, 0.1, 0.3, 0.5), course(times, 2.1, 2.3, 2.5)
    flows = motion(times, both(4, 0.4 * first) | both(12, 0.2 * second))
    found = chances(flows, times, range(160))
    assert min(found["AU4 left"], found["AU12 right"]) > 0.5
    # A trace beside a strong expression is none.
    faint = motion(times, both(4, 0.02 * first) | both(12, 0.5 * second))
    assert chances(faint, times, range(160))["AU4 left"] < 0.5


def test_the_grid_may_be_coarse_and_keypoints_are_known_or_average() -> None:
    flows = motion(TIMES, both(12, 0.3 * COURSE))
    coarse = flows.reshape(len(flows), 32, 2, 32, 2, 2).mean((2, 4))
    whole, half = (chances(each, TIMES, ALL)["AU12 left"] for each in (flows, coarse))
    assert half == pytest.approx(whole, abs=0.1)


def test_what_ships_is_the_recogniser_that_ships(tmp_path: Path) -> None:
    assert export(load_recogniser(), tmp_path / "again.onnx") < 1e-4
    flow, points = trial(3, seed=2)
    feed = {"flow": flow.numpy(), "points": points.numpy()}
    shipped, again = (Graph(path).run(feed) for path in (STORED, tmp_path / "again.onnx"))
    for name, value in shipped.items():
        assert value == pytest.approx(again[name], abs=1e-5)
    assert len(list(tmp_path.iterdir())) == 1
