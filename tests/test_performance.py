"""What says how a clip is performed is said alike to `retarget` and to `bake`."""

from __future__ import annotations

import argparse

import pytest
from microface.commands import parser
from microface.commands.performance import check_no_performance, performance
from microface.errors import InputError

SAID = (
    *("--clip", "builtin:brow-lower", "--gain", "brows=2", "--gain", "left=0.5"),
    *("--timing", "apex=0.12", "--neutral", "3", "--second", "builtin:lid-tighten"),
    *("--mix", "lids=1", "--align", "start", "--strength", "0.7", "--spectacles", "move"),
)


def bake(*words: str) -> argparse.Namespace:
    asked = ("bake", "a.blend", "--object", "Head", "--to", "shape-keys", "--out", "o.blend")
    return parser().parse_args([*asked, *words])


def test_both_commands_ask_for_the_same() -> None:
    retarget = parser().parse_args(["retarget", "--character", "n.png", "--out", "o", *SAID])
    asked = performance(bake(*SAID))
    assert asked == performance(retarget)
    assert asked.gains == "brows=2,left=0.5" and asked.timing == "apex=0.12" and asked.rest == 3
    assert asked.second == "builtin:lid-tighten" and asked.mix == "lids=1"
    assert asked.spectacles == "move" and asked.fields()["spectacles"] == "move"
    assert performance(bake("--clip", "builtin:brow-lower")).fields()["spectacles"] is None


def test_a_share_of_no_second_clip_is_refused() -> None:
    with pytest.raises(InputError, match="second clip"):
        performance(bake("--clip", "builtin:brow-lower", "--mix", "0.3"))


@pytest.mark.parametrize(
    "words", [("--gain", "brows=2"), ("--second-fps", "25"), ("--spectacles", "move")]
)
def test_a_sheet_s_clips_are_performed_as_they_are(words: tuple[str, ...]) -> None:
    check_no_performance(bake("--sheet", "shots.csv"))
    with pytest.raises(InputError, match="and --sheet"):
        check_no_performance(bake("--sheet", "shots.csv", *words))
