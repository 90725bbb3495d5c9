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


def test_a_result_of_before_tells_none() -> None:
    assert units_shown({}).shape == (0, 2) and told_units({}) == ""
