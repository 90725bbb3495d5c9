"""What requests say in words: regions, mixes, times."""

from __future__ import annotations

from fractions import Fraction

import pytest
from microface.errors import InputError
from microface.server.protocol.regions import Mix, parse_mix
from microface.server.protocol.timing import Retiming, moved_moments, parse_timing


def test_a_mix_is_a_share_and_its_exceptions() -> None:
    assert parse_mix("0.5") == Mix(0.5)
    mix = parse_mix("0.3, brows=0, left=1, lips.left = 0.2")
    assert mix.whole == 0.3 and mix.everywhere["chin", "right"] == 0.3
    assert mix.everywhere["brows", "right"] == 0 and mix.everywhere["brows", "left"] == 1
    assert mix.everywhere["lips", "left"] == 0.2
    assert parse_mix("lips=1").whole == 0


@pytest.mark.parametrize("text", ["2", "-1", "half", "lips", "lips=", "ears=1", "=1", "lips=1.01"])
def test_a_mix_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="share"):
        parse_mix(text)


def test_a_timing_is_read() -> None:
    assert parse_timing("") == Retiming()
    found = parse_timing("duration=0.3, apex = 0.12,fps=24000/1001")
    assert found == Retiming(duration=0.3, apex=0.12, fps=Fraction(24000, 1001))
    assert parse_timing("0.3=0.5, 0.1=0.1").knots == ((0.1, 0.1), (0.3, 0.5))
    assert parse_timing("factor=2").factor == 2


@pytest.mark.parametrize(
    "text",
    ["apex", "apex=", "apex=-1", "end=1", "duration=0", "duration=99", "factor=0", "fps=x",
     "0.1=0.2, 0.2=0.2", "0.1=0.2, 0.1=0.3", "nan=1", "duration=1, factor=1"],
)  # fmt: skip
def test_a_timing_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_timing(text)


def test_moments_are_met_and_the_rest_keeps_its_place() -> None:
    natural = [0.0, 0.1, 0.2, 0.3, 0.5]
    assert moved_moments(natural, None, None, None, None) == natural
    assert moved_moments(natural, 1.0, None, None, None) == [0.0, 0.2, 0.4, 0.6, 1.0]
    assert moved_moments(natural, None, None, 0.25, None) == [0.0, 0.1, 0.25, 0.3, 0.5]
    assert moved_moments(natural, None, None, None, 0.4) == [0.0, 0.1, 0.2, 0.4, pytest.approx(0.6)]
    with pytest.raises(InputError, match="apex"):
        moved_moments(natural, None, None, 0.05, None)
