"""Curves of action units become clips that carry their own truth."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from microface.errors import InputError
from microface.head.identity import IDENTITIES
from microface.models.heads.expressions import RECIPES
from microface.server.clips.records import ActionUnit
from microface.server.clips.synthesize import course_of, known_units, rendered
from microface.server.clips.unit_curves import UnitCurve, read_curves

SMIRK = "time,au,side,intensity\n0,12,left,0\n0.1,12,left,0\n0.2,12,left,0.4\n0.4,12,left,0\n"


def written(tmp_path: Path, text: str, name: str = "c.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_smirk_has_its_phases(tmp_path: Path) -> None:
    course = course_of(read_curves(written(tmp_path, SMIRK)), Fraction(100))
    assert course.frames == 41
    assert (course.onset, course.apex, course.offset) == (10, 20, 39)
    assert course.units == (ActionUnit(12, "left"),)
    assert set(course.weights) == {"mouthSmileLeft"}
    smile = course.weights["mouthSmileLeft"]
    assert smile[20] == pytest.approx(0.4)
    assert smile[10] == 0 and smile[40] == 0
    # The offset is the first frame after the motion: at most 2 % of its peak are left.
    assert smile[38] > 0.02 * 0.4 >= smile[39]


def test_csv_and_json_are_alike(tmp_path: Path) -> None:
    rows = [
        {"time": 0, "au": "L12", "intensity": 0},
        {"time": 0.1, "au": "AU12", "side": "LEFT", "intensity": 0},
        {"time": 0.2, "au": 12, "side": "left", "intensity": 0.4},
        {"time": 0.4, "au": 12, "side": "left", "intensity": "0"},
    ]
    (from_csv,) = read_curves(written(tmp_path, SMIRK))
    for table in (rows, {"curves": rows}):
        (from_json,) = read_curves(written(tmp_path, json.dumps(table), "c.json"))
        assert (from_json.number, from_json.side) == (12, "left")
        assert np.array_equal(from_json.seconds, from_csv.seconds)
        assert np.array_equal(from_json.intensity, from_csv.intensity)
    letters = written(tmp_path, "time,au,side,intensity\n0,4,,0\n0.1,4,,c\n", "l.csv")
    assert read_curves(letters)[0].intensity.tolist() == [0, 0.5]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("time,au\n0,12\n", "no column 'intensity'; it has: time, au"),
        ("time,au,intensity\n", "no rows"),
        ("time,au,intensity\n0,smile,0\n", "row 1: 'smile' is no action unit"),
        ("time,au,intensity\n0,12,2\n", "intensity 2"),
        ("time,au,intensity\n0,12,nan\n", "'nan' is no number"),
        ("time,au,intensity\n-1,12,0\n", "time -1"),
        ("time,au,intensity\n1e9,12,0\n", "time 1e"),
        ("time,au,side,intensity\n0,12,up,0\n", "side 'up'"),
        ("time,au,intensity\n0,12,0\n0,12,1\n", "two intensities at 0"),
        ("time,au,side,intensity\n0,12,left,0\n0,12,both,0\n", "both sides and on the left"),
    ],
)
def test_bad_curves_are_one_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        read_curves(written(tmp_path, text))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_rendered() -> None:
    def curve(number: int, *values: float) -> UnitCurve:
        return UnitCurve(number, "both", np.arange(len(values)) / 10, np.array(values))

    with pytest.raises(InputError, match="AU99 cannot be rendered"):
        course_of([curve(99, 0, 1)], Fraction(100))
    with pytest.raises(InputError, match="begin at rest"):
        course_of([curve(12, 1, 0)], Fraction(100))
    with pytest.raises(InputError, match="Nothing moves"):
        course_of([curve(12, 0, 0)], Fraction(100))
    with pytest.raises(InputError, match="one frame"):
        course_of([curve(12, 0, 1)], Fraction(5))
    for seconds in (np.inf, np.nan, 1e9):
        with pytest.raises(InputError, match="more than 20000 frames"):
            course_of([curve(12, 0, 1)], Fraction(100), seconds)
    with pytest.raises(InputError, match="no built-in head 'nobody'"):
        next(rendered(course_of([curve(12, 0, 1)], Fraction(100)), "nobody", 128, 0, 0))
    assert {int(n) for name in RECIPES if (n := name[2:]).isdecimal()} <= set(known_units())
    for number in known_units():
        assert course_of([curve(number, 0, 1)], Fraction(100)).weights


@given(
    st.lists(
        st.tuples(st.floats(0, 2), st.floats(0, 1)),
        min_size=1,
        max_size=12,
        unique_by=lambda p: p[0],
    )
)
def test_curves_never_overshoot(points: list[tuple[float, float]]) -> None:
    points.sort()
    seconds, values = (np.array(column) for column in zip(*points, strict=True))
    if len(seconds) > 1 and np.diff(seconds).min() < 1e-6:
        return
    drawn = UnitCurve(12, "both", seconds, values).at(np.linspace(-1, 3, 200))
    assert drawn.min() >= values.min() - 1e-8
    assert drawn.max() <= values.max() + 1e-8


@pytest.mark.slow
def test_the_rendered_side_moves_and_the_other_rests(tmp_path: Path) -> None:
    text = "time,au,side,intensity\n0,12,left,0\n0.1,12,left,1\n"
    course = course_of(read_curves(written(tmp_path, text)), Fraction(10))
    assert "ada" in IDENTITIES
    rest, smile = rendered(course, "ada", 128, 0.0, 0)
    moved = np.abs(smile.astype(int) - rest).sum(2)
    left, right = moved[:, 66:].sum(), moved[:, :60].sum()  # the subject's left is our right
    assert left > 20 * right
    again = next(iter(rendered(course, "ada", 128, 1.0, 3)))
    same = next(iter(rendered(course, "ada", 128, 1.0, 3)))
    assert np.array_equal(again, same)
    assert not np.array_equal(again, rest)
