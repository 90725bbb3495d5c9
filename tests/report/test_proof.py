"""Evidence survives as text; measures and pictures say what they should."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from microface.errors import InputError
from microface.report.proof.arrays import KINDS, pack, unpack
from microface.report.proof.charts import line_chart
from microface.report.proof.checks import Verdict, event_checks, failed, picture_checks, table
from microface.report.proof.evidence import (
    Event,
    Evidence,
    TargetRecord,
    TextureRecord,
    read_evidence,
    write_evidence,
)
from microface.report.proof.measures import (
    Played,
    generated_pictures,
    limits,
    measure,
    picture_limits,
    unexplained_share,
)
from microface.report.proof.pictures import difference, heat_map


@given(st.sampled_from(sorted(KINDS)), st.data())
def test_arrays_come_back_exactly(kind: str, data: Any) -> None:
    shape = data.draw(hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5))
    array = data.draw(hnp.arrays(kind, shape))
    back = unpack(pack(array))
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert back.tobytes() == array.tobytes()


def event(**change: Any) -> Event:
    """One target, two channels on it, five frames, a bump."""
    weights = np.array([[0, 0], [0.1, 0.1], [0.3, 0.1], [0.1, 0], [0, 0]], np.float32)
    moving = np.zeros((1, 4, 4), bool)
    moving[0, 1:3, 1:3] = True
    made = Event(
        clip="lift",
        clip_fps="100/1",
        start_frame=11.0,
        times=np.arange(5) / 100,
        frames=11 + np.arange(5) * 0.24,
        onset=0,
        apex=2,
        offset=4,
        channels=("up", "more"),
        weights=weights,
        residual=np.zeros(5, np.float32),
        targets=(TargetRecord("KEY", "Key", 'key_blocks["up"].value', -1, 0.0, 1.0, (0, 1)),),
        action="Microface lift",
        vertices=np.arange(2, dtype=np.int32),
        rest=np.zeros((2, 3), np.float32),
        motion=np.array([[[0, 0], [0, 0]], [[1, 0], [0, -2]]], np.float16),
        instants=np.array([0, 2], np.int32),
        shown=np.array([2], np.int32),
        pictures=np.full((1, 4, 4, 3), 150, np.uint8),
        corner=(2, 3),
        moving=moving,
        textures=(
            TextureRecord("colour", "a", "b", ("a/0.png",), ("0" * 64,), np.ones((2, 2), bool)),
        ),
        limits={"curve_error": 0.0022},
        provenance={"clip": "lift"},
    )
    return replace(made, **change)


def evidence(*events: Event) -> Evidence:
    neutral = np.full((8, 8, 3), 100, np.uint8)
    return Evidence(
        "Müller", "Scene", "24/1", "0" * 64, np.eye(4), 50.0, 1.0, 5.0, 8, 1.0, neutral, events
    )


def test_evidence_comes_back_whole() -> None:
    first = evidence(event(), event(clip="other"))
    text = write_evidence(first)
    assert max(len(line) for line in text.splitlines()) <= 160
    back = read_evidence(text)
    assert write_evidence(back) == text
    assert back.object_name == "Müller"
    assert back.events[1].clip == "other"
    assert back.events[0].targets == first.events[0].targets
    assert np.array_equal(back.events[0].motion, first.events[0].motion)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda text: text.replace("lift", "left", 1), "does not fit its own hash"),
        (lambda text: text[: len(text) // 2], "does not fit its own hash"),
        (lambda text: text.replace('"version": 1', '"version": 9'), "this Microface reads"),
        (lambda text: "hello", "has no head"),
    ],
)
def test_other_text_is_refused(change: Any, what: str) -> None:
    with pytest.raises(InputError, match=what):
        read_evidence(change(write_evidence(evidence(event()))))


def perfect(made: Event) -> Played:
    neutral = evidence().neutral
    values = made.weights.sum(axis=1, keepdims=True).astype(np.float64)
    return Played(
        values, made.motion.astype(np.float64), generated_pictures(made, neutral), neutral, 24.0
    )


def test_a_perfect_bake_passes_and_a_wrong_one_does_not() -> None:
    made, neutral = event(), evidence().neutral
    played = perfect(made)
    found = measure(made, neutral, played)
    assert found["curve_error"] == pytest.approx(0, abs=1e-7)
    assert found["apex_seconds"] == pytest.approx(0.02)
    assert found["motion_unexplained"] == 0
    assert found["moving_psnr"] == found["still_psnr"] == found["neutral_psnr"] == 99
    made = replace(made, limits=limits(made, found, 0.002, 0.0))
    checks = event_checks(made, found) + picture_checks(made, found, "")
    assert {check.verdict for check in checks} == {Verdict.PASS}
    wrong = replace(
        played,
        values=played.values * 1.02,
        motion=played.motion * 0.5,
        pictures=np.maximum(played.pictures, 120),
        unmoved=np.full_like(neutral, 130),
        fps=12.0,
    )
    found = measure(made, neutral, wrong)
    assert found["curve_error"] == pytest.approx(0.008, abs=1e-6)
    assert found["motion_unexplained"] == pytest.approx(0.25)
    checks = event_checks(made, found) + picture_checks(made, found, "")
    wrong_ones = [check.name for check in failed(checks)]
    assert wrong_ones == [
        "curves",
        "apex",
        "surface motion",
        "picture, still region",
        "picture, unmoved face",
    ]
    told = table(checks)
    assert told.count("FAIL: lift: ") == 5
    assert all(check.note.endswith((".", "meshes.")) for check in failed(checks))


def test_shares_of_motion() -> None:
    wanted = np.array([[[3.0, 4.0]]])
    assert unexplained_share(np.zeros_like(wanted), wanted) == 1
    assert unexplained_share(wanted, wanted) == 0
    assert unexplained_share(wanted, np.zeros_like(wanted)) == 1
    assert unexplained_share(np.zeros_like(wanted), np.zeros_like(wanted)) == 0


def test_pictures_of_a_report() -> None:
    grey = np.full((32, 32, 3), 100, np.uint8)
    assert (difference(grey, grey) == 128).all()
    assert (difference(grey + np.uint8(2), grey) == 144).all()
    places = np.stack(np.meshgrid(np.arange(4, 28, 2), np.arange(4, 28, 2)), -1).reshape(-1, 2)
    values = np.where(places[:, 0] > 20, 1.0, 0.0)
    map_ = heat_map(grey, places.astype(float), values, 1.0).astype(int)
    assert map_[16, 25, 0] > map_[16, 25, 2] + 80  # red where much is left
    assert map_[16, 8, 2] > map_[16, 8, 0] + 20  # blue where little is
    assert (map_[0, 31] == 75).all()  # the greyed face where nothing was measured
    svg = line_chart(np.arange(3.0), {"<a>": np.array([0, 1, 0.0])}, {"apex": 1.0}, "weight")
    assert "&lt;a&gt;" in svg and "apex" in svg and svg.count("<polyline") == 1


def test_pictures_need_not_be_better_than_another_renderers_noise() -> None:
    found = {"neutral_psnr": 99.0, "moving_psnr": 40.0, "still_psnr": 80.0}
    assert picture_limits(found) == {"neutral_psnr": 40.0, "moving_psnr": 39.0, "still_psnr": 59.0}
