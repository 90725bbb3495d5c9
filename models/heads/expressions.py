"""Action units and the expressions that make them, with amplitudes alike across head families.

An expression is named as in ARKit, with `browInnerUp` and `cheekPuff` split into sides. Heads
disagree on how far "1.0" moves the skin, so a recipe is in canonical amounts: 1.0 moves the skin by
`REFERENCE` face units at most, and each family scales its own shapes to that (see `family_gain`).
Units: Ekman & Friesen, Facial Action Coding System (1978), and ARKit's blend-shape locations.
"""

from __future__ import annotations

from collections.abc import Mapping

#: Largest skin displacement at amount 1, in face units (RMS keypoint distance, about 4.2 cm on an
#: adult head): the geometric mean over two independent heads. Shapes not here, such as a blink
#: that has to close exactly, keep their own amplitude.
REFERENCE: dict[str, float] = {
    "browDown": 0.138,
    "browInnerUp": 0.115,
    "browOuterUp": 0.158,
    "cheekPuff": 0.289,
    "cheekSquint": 0.154,
    "eyeSquint": 0.074,
    "eyeWide": 0.073,
    "jawForward": 0.200,
    "jawLeft": 0.173,
    "jawRight": 0.173,
    "mouthDimple": 0.171,
    "mouthFrown": 0.130,
    "mouthFunnel": 0.230,
    "mouthLeft": 0.289,
    "mouthRight": 0.289,
    "mouthLowerDown": 0.097,
    "mouthPress": 0.120,
    "mouthPucker": 0.212,
    "mouthRollLower": 0.208,
    "mouthRollUpper": 0.226,
    "mouthShrugLower": 0.178,
    "mouthShrugUpper": 0.117,
    "mouthSmile": 0.343,
    "mouthStretch": 0.192,
    "mouthUpperUp": 0.148,
    "noseSneer": 0.144,
}

#: Action unit -> expression stem or full name -> amount at intensity 1.
RECIPES: dict[str, dict[str, float]] = {
    "AU1": {"browInnerUp": 1.0},
    "AU2": {"browOuterUp": 1.0},
    "AU4": {"browDown": 1.0},
    "AU5": {"eyeWide": 1.0},
    "AU6": {"cheekSquint": 1.0, "eyeSquint": 0.3},
    "AU7": {"eyeSquint": 1.0},
    "AU9": {"noseSneer": 1.0, "browDown": 0.2},
    "AU10": {"mouthUpperUp": 1.0, "noseSneer": 0.15},
    "AU12": {"mouthSmile": 1.0},
    "AU14": {"mouthDimple": 1.0},
    "AU15": {"mouthFrown": 1.0},
    "AU16": {"mouthLowerDown": 1.0},
    "AU17": {"mouthShrugLower": 1.0, "mouthShrugUpper": 0.3},
    "AU18": {"mouthPucker": 1.0},
    "AU20": {"mouthStretch": 1.0},
    "AU22": {"mouthFunnel": 1.0},
    "AU24": {"mouthPress": 1.0},
    "AU25": {"mouthLowerDown": 0.5, "mouthUpperUp": 0.3},
    "AU26": {"jawOpen": 0.6},
    "AU28": {"mouthRollLower": 0.7, "mouthRollUpper": 0.7},
    "AU29": {"jawForward": 1.0},
    "AU30L": {"jawLeft": 1.0},
    "AU30R": {"jawRight": 1.0},
    "AU34": {"cheekPuff": 1.0},
    "AU45": {"eyeBlink": 1.0},
    "mouth-left": {"mouthLeft": 1.0},
    "mouth-right": {"mouthRight": 1.0},
}

_SIDED = frozenset(
    {
        "browDown",
        "browInnerUp",
        "browOuterUp",
        "cheekPuff",
        "cheekSquint",
        "eyeBlink",
        "eyeSquint",
        "eyeWide",
        "mouthDimple",
        "mouthFrown",
        "mouthLowerDown",
        "mouthPress",
        "mouthSmile",
        "mouthStretch",
        "mouthUpperUp",
        "noseSneer",
    }
)

#: How often a unit is seen: counts in CASME II (Yan et al., PLOS ONE 9(1), 2014) for those that it
#: annotates, and a few more at low counts so that every region of the face is met in training.
FREQUENCIES: dict[str, int] = {
    "AU1": 26, "AU2": 22, "AU4": 90, "AU5": 12, "AU6": 20, "AU7": 39, "AU9": 20, "AU10": 20,
    "AU12": 40, "AU14": 27, "AU15": 20, "AU16": 8, "AU17": 25, "AU18": 8, "AU20": 10, "AU22": 4,
    "AU24": 10, "AU25": 10, "AU26": 12, "AU28": 5, "AU29": 3, "AU30L": 3, "AU30R": 3, "AU34": 4,
    "AU45": 10, "mouth-left": 3, "mouth-right": 3,
}  # fmt: skip

#: Pairs of units that come together.
COMPANIONS: tuple[tuple[str, str], ...] = (
    ("AU4", "AU7"),
    ("AU1", "AU2"),
    ("AU6", "AU12"),
    ("AU4", "AU9"),
    ("AU15", "AU17"),
    ("AU12", "AU15"),
)

#: Units that are often one-sided.
ONE_SIDED: frozenset[str] = frozenset({"AU2", "AU10", "AU12", "AU14", "AU15"})


def expression_weights(unit: str, left: float, right: float) -> dict[str, float]:
    """Return canonical amounts by expression name for one unit at intensities `left`, `right`.

    A shape without sides takes the larger of the two. Raises KeyError for an unknown unit.
    """
    weights: dict[str, float] = {}
    for stem, amount in RECIPES[unit].items():
        if stem in _SIDED:
            weights[stem + "Left"] = amount * left
            weights[stem + "Right"] = amount * right
        else:
            weights[stem] = amount * max(left, right)
    return weights


def added(total: dict[str, float], more: Mapping[str, float]) -> dict[str, float]:
    """Return `total` with `more` added name by name."""
    result = dict(total)
    for name, amount in more.items():
        result[name] = result.get(name, 0.0) + amount
    return result


def family_gain(name: str, largest_displacement: float, unit: float) -> float:
    """Return the weight that gives canonical amount 1 of `name` on a family's mean head.

    `largest_displacement` of the family's shape at weight 1 and `unit`, its face unit, share one
    unit of length. Held within 0.5..2, so that no shape is driven far outside its making.
    """
    stem = name.removesuffix("Left").removesuffix("Right")
    wanted = REFERENCE.get(name, REFERENCE.get(stem))
    if wanted is None or largest_displacement <= 0:
        return 1.0
    return float(min(2.0, max(0.5, wanted * unit / largest_displacement)))
