"""What coders wrote of action units is read whole, and what cannot be read is told."""

from __future__ import annotations

import datetime
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from microface.server.clips.datasets.cells import frame_of, subject_key, text_of
from microface.server.clips.datasets.emotions import valence_of
from microface.server.clips.datasets.units import KNOWN, parse_units
from microface.server.clips.records import SIDES, ActionUnit

UNITS = st.builds(
    ActionUnit,
    st.sampled_from(sorted(KNOWN)),
    st.sampled_from(["both", *SIDES.values()]),
    st.just(0),
    st.booleans(),
    st.sampled_from([None, *"ABCDE"]),
)


def short(text: object) -> list[str]:
    return [str(unit) for unit in parse_units(text)[0]]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("12", ["12"]),
        (4, ["4"]),
        (4.0, ["4"]),
        ("4.0", ["4"]),
        ("4+L10", ["4", "L10"]),
        ("R12 + R15", ["R12", "R15"]),
        ("AU1+AU2", ["1", "2"]),
        ("A1B+A2C", ["A1B", "A2C"]),
        ("L12A", ["L12A"]),
        ("AU L14", ["L14"]),
        ("?4+7", ["4?", "7"]),
        ("1?+2", ["1?", "2"]),
        ("12 or 14", ["12?", "14?"]),
        ("4/7+12", ["4?", "7?", "12"]),
        ("4,7，9", ["4", "7", "9"]),
        ("5 (k)+AU4(k)", ["5?", "4?"]),
        ("14+", ["14"]),
        (" 1 + 2 ", ["1", "2"]),
        ("", []),
        (None, []),
        ("/", []),
        (float("nan"), []),
    ],
)
def test_what_coders_wrote(written: object, read: list[str]) -> None:
    assert short(written) == read


def test_order_sides_and_intensity() -> None:
    units, notes = parse_units("L12B+4")
    assert units == (ActionUnit(12, "left", 0, True, "B"), ActionUnit(4, "both", 1))
    assert notes == ()


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("4+smile", "'smile'"),
        ("3", "no action unit of FACS"),
        ("123", "'123' is no action unit"),
        ("12 or 14", "alternatives"),
        ("?4", "doubted"),
        ("4(k)", "mark"),
        (datetime.datetime(2026, 4, 7), "date"),
        ("happy", "'happy'"),
        (True, "'True'"),
    ],
)
def test_doubts_are_told(written: object, told: str) -> None:
    assert told in " ".join(parse_units(written)[1])  # type: ignore[arg-type]


@given(st.lists(UNITS, min_size=1, max_size=6))
def test_what_is_written_is_read_again(units: list[ActionUnit]) -> None:
    read, _ = parse_units("+".join(map(str, units)))
    assert [str(unit) for unit in read] == [str(unit) for unit in units]
    assert [unit.order for unit in read] == list(range(len(units)))


@given(st.text("0123456789LRAUTB+/?,(k) oraueé.", max_size=24))
def test_nothing_is_lost_without_a_word(text: str) -> None:
    units, notes = parse_units(text)
    told = " ".join(notes)
    for digits in re.findall(r"\d+", text):
        read = any(unit.number == int(digits) for unit in units)
        assert read or digits in told or text.strip() == "0" or ".0" in text


@given(st.one_of(st.none(), st.text(max_size=20), st.integers(), st.floats(), st.booleans()))
def test_any_cell_is_taken(cell: object) -> None:
    parse_units(cell)  # type: ignore[arg-type]
    frame_of(cell)  # type: ignore[arg-type]
    text_of(cell)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cell", "frame"),
    [
        (46, 46), (46.0, 46), ("46", 46), (" 46.0 ", 46), ("img46.jpg", 46), ("/", None),
        (None, None), ("4 6", None), (-1, None), (46.5, None), (True, None),
        (datetime.date(2026, 1, 2), None), ("006_05562.jpg", 5562),
    ],
)  # fmt: skip
def test_frame_numbers(cell: object, frame: int | None) -> None:
    number, wrong = frame_of(cell)  # type: ignore[arg-type]
    assert number == frame
    assert (wrong is None) == (frame is not None)


def test_subjects_by_all_their_names() -> None:
    names = ["sub01", "s1", "S01", "1", "001", "spNO.1", "spNo.1", "Subject 1"]
    assert {subject_key(name) for name in names} == {"1"}
    assert subject_key("anna") == "anna"


@pytest.mark.parametrize(
    ("word", "valence"),
    [
        ("happiness", "positive"), ("Disgust", "negative"), ("repression", "negative"),
        ("surprise", "surprise"), ("Others", "other"), ("tense", "other"), (None, None),
        ("bliss", None), ("Positive and Surprise", None), ("sad+fear", "negative"),
    ],
)  # fmt: skip
def test_classes_of_emotions(word: str | None, valence: str | None) -> None:
    found, note = valence_of(word)
    assert found == valence
    assert (note is None) == (valence is not None or word is None)
