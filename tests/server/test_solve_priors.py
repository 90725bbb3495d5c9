"""Names are read in the spellings that rigs come in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from microface.server.engine.priors import known


@pytest.mark.parametrize(
    ("name", "kind", "side"),
    [
        ("browDownLeft", "browDown", 1), ("BROWDOWNLEFT", "browDown", 1),
        ("browDown_R", "browDown", -1), ("Brow_Down.L", "browDown", 1),
        ("facs_bs_MouthSmileLeft_div2", "mouthSmile", 1), ("PHMEyesSquintL", "eyeSquint", 1),
        ("CTRL_expressions_browRaiseInL", "browInnerUp", 1),
        ("CTRL_expressions_mouthCornerPullR", "mouthSmile", -1),
        ("Brow_Raise_Inner_L", "browInnerUp", 1), ("Mouth_Smile_R", "mouthSmile", -1),
        ("eyebrows-left-inner-up", "browInnerUp", 1), ("mouth-corner-puller", "mouthSmile", 0),
        ("AU12_L", "mouthSmile", 1), ("AU_4", "browDown", 0), ("au6", "cheekSquint", 0),
        ("Fcl_EYE_Close_R", "eyeBlink", -1), ("Fcl_MTH_A", "viseme", 0), ("aa", "viseme", 0),
        ("viseme_AA", "viseme", 0), ("eCTRLvAA", "viseme", 0), ("V_Open", "viseme", 0),
        ("mouthLeft", "mouthShift", 0), ("jawRight", "jaw", 0), ("jawOpen", "mouthOpen", 0),
        ("eyeLookInLeft", "gaze", 1), ("tongueOut", "tongue", 0), ("happy", "mood", 0),
        ("Mouth_Up_Upper_L", "mouthUpperUp", 1), ("Mouth_Down_Lower_R", "mouthLowerDown", -1),
        ("Fcl_BRW_Angry", "browDown", 0), ("Fcl_BRW_Sorrow", "browInnerUp", 0),
        ("Fcl_MTH_Fun", "mouthSmile", 0), ("Fcl_ALL_Fun", "mood", 0), ("Fcl_MTH_Up", "", 0),
        ("まばたき", "eyeBlink", 0), ("ウィンク右", "eyeBlink", -1), ("怒り", "browDown", 0),
        ("あ", "viseme", 0), ("左眉下", "browDown", 1), ("\uff21\uff35\uff14", "browDown", 0),
        ("l\u00e4cheln_links", "", 1), ("l\u00e4cheln_rechts", "", -1), ("sourire_droite", "", -1),
        ("key_001", "", 0), ("Key.007", "", 0), ("Basis left", "", 1),
    ],
)  # fmt: skip
def test_kinds_and_sides_of_names(name: str, kind: str, side: int) -> None:
    assert (known(name).kind, known(name).side) == (kind, side)


def test_what_expressions_are_seldom_made_of_is_dearer() -> None:
    order = ("browDownLeft", "mouthFunnel", "eyeLookInLeft", "viseme_AA")
    costs = [known(name).cost for name in order]
    assert costs == sorted(costs) and costs[0] == 0 < costs[1]
    assert known("key_001").cost == 0


@given(st.text(max_size=30))
def test_any_name_is_read(name: str) -> None:
    assert known(name).cost >= 0
    assert known(f"x{name}x_L").stem == known(f"x{name}x_R").stem
