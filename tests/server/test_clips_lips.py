"""Lips that move so far that the flow loses them, on a rendered head."""

from __future__ import annotations

import numpy as np
import pytest
from microface.models.heads.keypoints import NAMES
from microface.server.clips.crop import NETWORK_PIXELS as SIZE
from microface.server.clips.crop import Crop
from microface.server.clips.face import Encode
from microface.server.clips.steady import CELLS, Steadier
from microface.server.engine.runtime import OnnxRuntime

from .filmed_head import played

WHOLE = Crop((SIZE / 2, SIZE / 2), SIZE)
#: Of the sensor, as a share of white.
NOISE = 0.005


@pytest.fixture(scope="module")
def encode() -> Encode:
    """What finds keypoints in a face's crop."""
    return OnnxRuntime().encode


def corner_gains(flow: np.ndarray, true: np.ndarray, points: np.ndarray) -> list[float]:
    """Return how far the corners of the lips go by a flow, beside how far they truly go."""
    gains = []
    for name in ("lip_corner_right", "lip_corner_left"):
        column, row = np.rint((points[NAMES.index(name)] + 1) * CELLS / 2 - 0.5).astype(int)
        about = np.s_[row - 1 : row + 3, column - 2 : column + 3]
        gains.append(float((flow[about] * true[about]).sum() / (true[about] ** 2).sum()))
    return gains


def test_the_corners_of_a_broad_smile_are_not_lost(encode: Encode) -> None:
    neutral, frame, true, _ = played(NOISE, ("AU12", "AU25"), 1.0)
    points = encode(neutral)["points"][0]
    alone = corner_gains(Steadier(neutral, WHOLE).steady(frame).flow, true, points)
    told = corner_gains(Steadier(neutral, WHOLE, encode).steady(frame).flow, true, points)
    assert min(alone) < 0.75  # the flow by itself
    assert all(0.85 < gain < 1.1 for gain in told)


def test_a_slight_smile_is_the_flows_alone(encode: Encode) -> None:
    neutral, frame, _, _ = played(NOISE, ("AU12",), 0.3)
    alone, told = (Steadier(neutral, WHOLE, known).steady(frame) for known in (None, encode))
    np.testing.assert_array_equal(told.flow, alone.flow)
    np.testing.assert_array_equal(told.trust, alone.trust)
