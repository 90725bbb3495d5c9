"""Gains by region and side, and what keeps them from tearing the picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from microface.errors import InputError
from microface.server.engine.regions import PLACES, gain_field, region_shares
from microface.server.engine.unfold import LEAST_AREA, areas, unfolded
from microface.server.protocol.regions import REGIONS, SIDES, parse_gains


def face() -> np.ndarray:
    """The chart of a face seen from the front: a cell is a quarter of a centimetre."""
    x = np.linspace(-8, 8, 64)
    y = np.linspace(6, -12, 64)
    across, up = np.meshgrid(x, y)
    depth = 4 - 0.12 * across**2
    return (np.stack([across, up, depth]) / 10).astype(np.float32)


def cell(place: tuple[float, float, float], side: float) -> tuple[int, int]:
    column = round((side * place[0] + 8) / 16 * 63)
    return round((6 - place[1]) / 18 * 63), column


@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("side", SIDES)
def test_a_region_is_where_its_places_are(region: str, side: str) -> None:
    share = region_shares(face())[region, side]
    sign = 1 if side == "left" else -1
    for place in PLACES[region]:
        if abs(place[0]) > 1.2:
            assert share[cell(place, sign)] > 0.45
            assert share[cell(place, -sign)] < 0.05


def test_shares_add_up_to_one() -> None:
    total = np.sum(list(region_shares(face()).values()), axis=0)
    assert np.abs(total - 1).max() < 1e-5


def test_a_gain_moves_its_region_alone() -> None:
    field = gain_field(face(), parse_gains("brows=3, lips.left=0"), 256)
    assert field.shape == (256, 256)
    brow, lip = cell((3.0, 2.4, 2.4), 1), cell((2.4, -6.9, 2.2), 1)
    other = cell((2.4, -6.9, 2.2), -1)
    assert field[brow[0] * 4, brow[1] * 4] > 2.5
    assert field[lip[0] * 4, lip[1] * 4] < 0.25
    assert abs(field[other[0] * 4, other[1] * 4] - 1) < 0.1
    assert np.array_equal(gain_field(face(), {}, 256), np.ones((256, 256), np.float32))


def test_names_multiply() -> None:
    gains = parse_gains("brows=2, left=0.5 ,brows.left=1.5")
    assert gains["brows", "left"] == 1.5 and gains["brows", "right"] == 2
    assert gains["chin", "left"] == 0.5 and ("chin", "right") not in gains
    assert parse_gains("") == {}


@pytest.mark.parametrize(
    "text", ["ears=1", "brows", "brows.up=1", "lips=x", "lips=-1", "left.lips=1", "chin=4.1"]
)
def test_what_does_not_fit_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"The gain '"):
        parse_gains(text)


@given(st.integers(0, 2**32 - 1), st.floats(0.5, 14))
def test_no_motion_tears(seed: int, height: float) -> None:
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:96, :96].astype(np.float32)
    flow = np.zeros((96, 96, 2), np.float32)
    for _ in range(3):
        x, y, width = rng.uniform(20, 76), rng.uniform(20, 76), rng.uniform(5, 14)
        bump = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * width**2))
        flow += (height * bump)[..., None] * rng.normal(0, 0.7, 2).astype(np.float32)
    made = unfolded(flow)
    assert areas(made).min() >= LEAST_AREA / 2
    if areas(flow).min() >= LEAST_AREA:
        assert made is flow
