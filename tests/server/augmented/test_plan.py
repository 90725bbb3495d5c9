"""What is made and how is drawn from the seed alone; labels say what is shown."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from microface.errors import InputError
from microface.server.clips.augmented.plan import (
    Character,
    Settings,
    Source,
    planned,
    shown,
    with_noise,
)
from microface.server.clips.records import ActionUnit

SIDES = ("both", "left", "right", "asymmetric")


def source(name: str, number: int = 0) -> Source:
    digest = hashlib.sha256(f"{name}{number}".encode()).hexdigest()
    return Source(
        name, f"/clips/{name}", digest, Fraction(100), 9, 1, 4, 7, (ActionUnit(12, "left"),),
        "happiness", "s1", "CASME II", {"status": "granted"},
    )  # fmt: skip


def face(name: str, level: int) -> Character:
    return Character(name, "picture", np.full((32, 32, 3), level, np.uint8))


SOURCES = [source("smile"), source("frown"), source("a smile!")]
FACES = [face("one", 90), face("two", 120)]


def test_every_clip_on_every_character() -> None:
    items = planned(SOURCES, FACES, Settings())
    assert [item.name for item in items] == [
        f"sub0{subject}/EP0{number}_{name}"
        for subject in (1, 2)
        for number, name in enumerate(("smile", "frown", "a-smile"), 1)
    ]
    assert all((item.strength, item.mirrored) == (1.0, False) for item in items)
    assert len({item.key for item in items}) == len(items)
    with pytest.raises(InputError, match="nothing to make"):
        planned([], FACES, Settings())


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 12))
@settings(max_examples=30)
def test_what_is_drawn_depends_on_the_seed_alone(seed: int, variants: int, most: int) -> None:
    wanted = Settings(seed, variants, (0.5, 2.0), True, 1.0)
    items = planned(SOURCES, FACES, wanted)
    assert items == planned(SOURCES, FACES, wanted)
    assert all(0.5 <= item.strength <= 2.0 for item in items)
    # Neither what else is made nor how many are kept changes a clip.
    keys = {item.key for item in items}
    assert {i.key for i in planned(SOURCES[:2], FACES[1:], wanted)} <= keys
    kept = planned(SOURCES, FACES, Settings(seed, variants, (0.5, 2.0), True, 1.0, most))
    assert len(kept) == min(most, len(items))
    assert {item.key for item in kept} <= keys
    assert not keys & {
        i.key for i in planned(SOURCES, FACES, Settings((seed + 1) % 2**32, variants, (0.5, 2.0)))
    }


def test_two_people_in_one_clip_are_two_sources() -> None:
    plain, other = source("smile"), source("smile")
    right = replace(other, face="470,190")
    rested = replace(other, rest="/n.png", rest_sha256="1" * 64)
    items = planned([plain, other, right, rested], [face("one", 10)], Settings())
    assert [item.key == items[0].key for item in items] == [True, True, False, False]
    assert items[2].key != items[3].key and plain.digest == plain.sha256


def test_draws_are_spread() -> None:
    drawn = planned(SOURCES * 1, FACES, Settings(1, 20, (0.25, 4.0), mirror=True))
    assert np.mean(np.log([item.strength for item in drawn])) == pytest.approx(0, abs=0.3)
    assert 0.3 < np.mean([item.mirrored for item in drawn]) < 0.7


@given(st.lists(st.builds(ActionUnit, st.integers(1, 46), st.sampled_from(SIDES)), max_size=5))
def test_a_mirrored_mirror_is_the_source(units: list[ActionUnit]) -> None:
    assert shown(shown(units, 1, True), 1, True) == tuple(units)
    assert shown(units, 1, False) == tuple(units)


def test_labels_are_what_is_shown() -> None:
    coded = (ActionUnit(12, "left", 0, True, "B"), ActionUnit(4, order=1), ActionUnit(2, "right"))
    assert [str(u) for u in shown(coded, 1, True)] == ["R12B", "4", "L2"]
    assert [str(u) for u in shown(coded, 0.5, False)] == ["L12", "4", "R2"]


def test_noise_is_the_seeds() -> None:
    one, other = planned(SOURCES[:2], FACES[:1], Settings(5))
    grey = np.full((48, 48, 3), 100, np.uint8)
    noisy = with_noise(grey, one, 3, 2.0)
    assert np.array_equal(noisy, with_noise(grey, one, 3, 2.0))
    assert not np.array_equal(noisy, with_noise(grey, one, 4, 2.0))
    assert not np.array_equal(noisy, with_noise(grey, other, 3, 2.0))
    assert noisy.std() == pytest.approx(2.0, rel=0.1) and abs(noisy.mean() - 100) < 0.1
    assert np.array_equal(with_noise(grey, one, 3, 0), grey)


@pytest.mark.parametrize(
    "wrong",
    [
        {"variants": 0}, {"variants": 21}, {"strength": (0.01, 1)}, {"strength": (2, 1)},
        {"strength": (1, 5)}, {"noise": -1}, {"noise": 33}, {"most": 0}, {"seed": -1},
    ],
)  # fmt: skip
def test_ranges(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError):
        Settings(**wrong)  # type: ignore[arg-type]
