"""Names of the shape keys: ARKit's 52 blend shape locations, then what ARKit lacks."""

from __future__ import annotations

#: Apple, ARFaceAnchor.BlendShapeLocation, in the order of its documentation.
ARKIT: tuple[str, ...] = (
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft",
    "eyeSquintLeft", "eyeWideLeft",
    "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight",
    "eyeSquintRight", "eyeWideRight",
    "jawForward", "jawLeft", "jawRight", "jawOpen",
    "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight",
    "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight",
    "mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight",
    "mouthUpperUpLeft", "mouthUpperUpRight",
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight",
    "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip

#: Action units that no ARKit shape stands for (the unit is in the comment).
BEYOND_ARKIT: tuple[str, ...] = (
    "browPinchLeft", "browPinchRight",  # AU4, its inward pull (corrugator)
    "lidTightenLeft", "lidTightenRight",  # AU7, both lids
    "lidDroopLeft", "lidDroopRight",  # AU41
    "nasolabialDeepenLeft", "nasolabialDeepenRight",  # AU11
    "lipPullSharpLeft", "lipPullSharpRight",  # AU13
    "lipTightenLeft", "lipTightenRight",  # AU23
    "lipsPart",  # AU25
    "nostrilDilate",  # AU38
    "nostrilCompress",  # AU39
    "neckTighten",  # AU21
)  # fmt: skip


def shape_names() -> tuple[str, ...]:
    """Every shape key's name, in the order of `Head.shapes`."""
    return ARKIT + BEYOND_ARKIT
