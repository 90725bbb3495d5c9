"""What is doubted of a clip, gathered frame by frame."""

from __future__ import annotations

import numpy as np
import pytest
from microface.server.engine.doubts import CELLS, LOOK_AT, Doubts


def flow(pixels: float) -> np.ndarray:
    field = np.zeros((256, 256, 2), np.float32)
    field[100:140, 60:120, 1] = pixels
    return field


def test_a_frame_is_as_sure_as_its_motion_is_not_doubted() -> None:
    doubts = Doubts()
    quarter = np.full((64, 64), 0.5, np.float32)
    assert doubts.add(flow(2.0), quarter, 1.0) == pytest.approx(0.75, abs=0.01)
    assert doubts.add(flow(2.0), quarter, 0.5) == pytest.approx(0.375, abs=0.01)
    assert doubts.add(flow(0.0), quarter, 0.9) == pytest.approx(0.9)
    assert doubts.add(flow(1.0), np.full((64, 64), 3.0, np.float32), 1.0) == 0
    assert doubts.summary()["look_at"] == [1, 3]
    speck = np.zeros((256, 256, 2), np.float32)
    speck[100:110, 100:110] = 0.5
    assert doubts.add(speck, quarter, 0.9) == pytest.approx(0.9)
    assert doubts.frames[1] < LOOK_AT < doubts.frames[0]


def test_the_map_is_of_the_frames_that_move() -> None:
    doubts = Doubts()
    assert doubts.map is None and doubts.summary()["doubt"] is None
    even = np.full((64, 64), 0.1, np.float32)
    doubts.add(flow(0.0), 10 * even, 1.0)
    doubts.add(flow(1.0), even, 1.0)
    found = doubts.map
    assert found is not None and found.shape == (CELLS, CELLS)
    # Off the motion the doubt is the whole of what is taken for motion there, on it little.
    assert found[:10] == pytest.approx(1, abs=1e-4) and found[24:] == pytest.approx(1, abs=1e-4)
    assert found[15, 11] == pytest.approx(0.1 / 1.1, abs=0.03)
