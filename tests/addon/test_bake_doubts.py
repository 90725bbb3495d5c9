"""Doubt is looked up where the vertices are."""

from __future__ import annotations

import numpy as np
import pytest
from microface.addon.bake.doubts import trust_at

#: Trust in a place that is doubted as much as the face's middling one.
HALF = 0.5**0.5


def table(doubt: np.ndarray, roll: float = 0.0) -> dict[str, object]:
    face = {"x": 100.0, "y": 120.0, "side": 160.0, "roll": roll}
    return {"doubt": doubt.tolist(), "faces": {"character": face}}


def test_a_place_is_trusted_less_where_there_is_more_doubt() -> None:
    doubt = np.full((32, 32), 0.2)
    doubt[:, 24:] = 0.6
    places = np.array([[40.0, 120], [99.5, 119.5], [60.0, 80], [170.0, 120]])
    assert trust_at(table(doubt), places) == pytest.approx([HALF, HALF, HALF, 0.1**0.5])
    # The crop turned clockwise by a quarter: its right is the picture's lower part.
    turned = np.array([[99.5, 60.0], [99.5, 119.5], [60.0, 110], [99.5, 190.0]])
    assert trust_at(table(doubt, np.pi / 2), turned) == pytest.approx([HALF, HALF, HALF, 0.1**0.5])


def test_places_off_the_crop_are_as_its_border() -> None:
    doubt = np.full((32, 32), 0.2)
    doubt[0] = 0.4
    places = np.array([[100.0, -500], [100.0, 120], [100.0, 500]])
    assert trust_at(table(doubt), places) == pytest.approx([0.2**0.5, HALF, HALF])


@pytest.mark.parametrize("result", [{}, {"doubt": None}])
def test_without_doubts_every_place_is_alike(result: dict[str, object]) -> None:
    assert (trust_at(result, np.zeros((3, 2))) == 1).all()
