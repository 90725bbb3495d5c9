"""Which shape keys are expressions, as rigs of many makes call them."""

from __future__ import annotations

import pytest
from microface.addon.character.resting import is_expression

EXPRESSIONS = {
    "ARKit": "browInnerUp eyeLookDownLeft mouthShrugLower tongueOut",
    "Reallusion": "Mouth_Smile_L Brow_Raise_Inner_L Brow_Drop_R Mouth_Up_Upper_R",
    "MetaHuman": "CTRL_expressions_mouthCornerPullL head_lod0_mesh__browLowerL browRaiseInR",
    "Daz": "eCTRLSmileFullFace Genesis8Female__eCTRLEyesClosedL facs_cbs_EyeBlinkLeft PHMSmile",
    "VRoid": "Fcl_MTH_Fun Face.M_F00_000_00_Fcl_BRW_Angry BlendShape.A",
    "MakeHuman": "eye-left-closure mouth-smile",
    "FACS": "AU12_L AU04",
    "MikuMikuDance": "まばたき ウィンク２右 ｳｨﾝｸ 笑い 怒り あ にやり２",
}
SHAPES = (
    "Nose_Wide BodyFat Head_Old lipThickness FBMHeavy Face_Round eyes-size mouth-scale-horiz"
    " Genesis8Female__FBMBodySize 眉太 目小"
)


@pytest.mark.parametrize("make", EXPRESSIONS)
def test_names_of_expressions(make: str) -> None:
    assert [name for name in EXPRESSIONS[make].split() if not is_expression(name)] == []


def test_names_of_what_shapes_a_character() -> None:
    assert [name for name in SHAPES.split() if is_expression(name)] == []
