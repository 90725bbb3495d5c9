"""What a result says that its source shows, for the solve and for people."""

from __future__ import annotations

from microface.addon.bake.shown import told_units, units_shown


def test_units_are_told() -> None:
    result = {
        "units": [
            {
                "unit": 12,
                "name": "lip corner puller",
                "side": "left",
                "peak": 0.2,
                "confidence": 0.75,
            },
            {
                "unit": 6,
                "name": "cheek raiser",
                "side": "both",
                "peak": 0.1,
                "confidence": 1.0,
            },
        ]
    }
    assert units_shown(result).tolist() == [[12, 0.75], [6, 1]]
    assert told_units(result) == (
        "AU12 lip corner puller, left (75%); AU6 cheek raiser, both sides (100%)"
    )


def test_a_unit_that_is_not_sure_may_be_another() -> None:
    dimple = {"unit": 14, "name": "dimpler", "side": "both", "peak": 0.3}
    unsure = {"units": [dimple | {"confidence": 0.49, "instead": [12, 24]}]}
    assert units_shown(unsure).tolist() == [[12, 0], [24, 0], [14, 0.49]]
    assert told_units(unsure) == "AU14 dimpler, both sides (49%, or AU12 and AU24)"
    sure = {"units": [dimple | {"confidence": 0.97, "instead": []}]}
    assert units_shown(sure).tolist() == [[14, 0.97]]
    assert told_units(sure) == "AU14 dimpler, both sides (97%)"


def test_what_is_shown_itself_keeps_how_sure_it_is() -> None:
    smile = {"unit": 12, "name": "lip corner puller", "side": "both", "peak": 0.2}
    frown = {"unit": 15, "name": "lip corner depressor", "side": "both", "peak": 0.2}
    result = {
        "units": [
            smile | {"confidence": 0.8, "instead": [14, 15]},
            frown | {"confidence": 0.4, "instead": [12]},
        ]
    }
    assert dict(units_shown(result).tolist()) == {12: 0.8, 14: 0, 15: 0.4}


def test_a_result_of_before_tells_none() -> None:
    assert units_shown({}).shape == (0, 2) and told_units({}) == ""
