"""A patch on its ground is the whole again, and is no larger than it must be."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from microface.server.protocol.failures import ProtocolError
from microface.server.protocol.patches import Gathering, bands_of, pasted, patch_of

SIZE = (150, 37)


def ground(dtype: str, *channels: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 200, (*SIZE, *channels)).astype(dtype)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([("uint8", (3,)), ("uint8", ()), ("float16", (2,))]),
    st.booleans(),
    st.lists(
        st.tuples(st.integers(0, SIZE[0] - 1), st.integers(0, SIZE[1] - 1)), max_size=4, unique=True
    ),
)
def test_a_patch_holds_what_is_other(
    kind: tuple[str, tuple[int, ...]], on_zeros: bool, places: list[tuple[int, int]]
) -> None:
    dtype, channels = kind
    under = np.zeros((*SIZE, *channels), dtype) if on_zeros else ground(dtype, *channels)
    whole = under.copy()
    for row, column in places:
        whole[row, column] += 1
    top, left, patch = patch_of(whole, None if on_zeros else under)
    rows, columns = ([place[axis] for place in places] or [0] for axis in (0, 1))
    assert (top, left) == (min(rows), min(columns))
    assert patch.shape[:2] == (max(rows) - top + 1, max(columns) - left + 1)
    back = pasted(patch, top, left, SIZE, None if on_zeros else under)
    assert back.dtype == whole.dtype and np.array_equal(back, whole)
    assert np.array_equal(under, np.zeros_like(under) if on_zeros else ground(dtype, *channels))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3000), st.booleans(), st.randoms(use_true_random=False))
def test_bands_in_any_order_are_the_whole(most: int, on_zeros: bool, random: Random) -> None:
    under = None if on_zeros else ground("uint8", 3)
    patch = ground("uint8", 3)[20:140, 5:30] + 1
    bands = bands_of(patch, most)
    assert all(band.nbytes <= most or len(band) == 1 for band in bands)
    tops = np.cumsum([20, *map(len, bands)])
    order = [*range(len(bands)), *random.choices(range(len(bands)), k=3)]  # some come twice
    random.shuffle(order)
    gathering, come, whole = Gathering(SIZE, under), set[int](), None
    for index in order:
        whole = gathering.add(bands[index], int(tops[index]), 5, len(bands))
        come.add(index)
        assert (whole is None) == (len(come) < len(bands))
    assert whole is not None and np.array_equal(whole, pasted(patch, 20, 5, SIZE, under))


def test_minus_zero_is_not_zero() -> None:
    whole = np.zeros((9, 9, 2), np.float16)
    whole[4, 5, 1] = -0.0
    top, left, patch = patch_of(whole)
    assert (top, left, patch.shape) == (4, 5, (1, 1, 2)) and np.signbit(patch[0, 0, 1])


def test_a_whole_picture_is_not_copied() -> None:
    whole = ground("uint8", 3)
    assert pasted(whole, 0, 0, SIZE, np.zeros_like(whole)) is whole


@pytest.mark.parametrize(("top", "left"), [(0, 1), (1, 0), (4000, 0)])
def test_a_patch_beyond_the_picture_is_refused(top: int, left: int) -> None:
    with pytest.raises(ProtocolError, match="does not fit"):
        pasted(ground("uint8", 3), top, left, SIZE, None)
