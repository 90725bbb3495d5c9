"""Measure how a steadied face differs from its neutral, place by place.

The search is that of `models.flow`, on the face alone and with fewer, larger steps: a third of the
time for the same error (`tests/benchmarks/clip_speed.py` shows both).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ...models.flow import to_grid
from .sampling import own_places, sample

#: Columns of the crop (256 pixels) that hold the face; beyond them nothing is measured.
FACE_COLUMNS = slice(32, 224)
#: Patches of the search: side, and step between neighbours, in pixels.
PATCH_PIXELS, STRIDE_PIXELS = 8, 5
#: Iterations of each patch's search, and of the variational refinement on each level.
SEARCH_ITERATIONS, REFINEMENT_ITERATIONS = 8, 7


def face_flow(neutral: NDArray[np.uint8], frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the flow (256, 256, 2) in pixels from a grey neutral (256, 256) to a frame; 0 outside
    the columns of the face."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setFinestScale(0)
    search.setPatchSize(PATCH_PIXELS)
    search.setPatchStride(STRIDE_PIXELS)
    search.setGradientDescentIterations(SEARCH_ITERATIONS)
    search.setVariationalRefinementIterations(REFINEMENT_ITERATIONS)
    search.setUseMeanNormalization(True)
    one, other = (np.ascontiguousarray(p[:, FACE_COLUMNS]) for p in (neutral, frame))
    flow = np.zeros((*neutral.shape, 2), np.float32)
    flow[:, FACE_COLUMNS] = search.calc(one, other, np.zeros((*one.shape, 2), np.float32))
    return flow


def quick_flow(
    neutral: NDArray[np.uint8], frame: NDArray[np.uint8], cells: int
) -> NDArray[np.float32]:
    """Return a rough flow (cells, cells, 2) between grey pictures, in their pixels."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    flow = np.asarray(search.calc(neutral, frame, np.zeros((*neutral.shape, 2), np.float32)))
    return to_grid(flow.astype(np.float32), cells)


def texture(grey: NDArray[np.uint8], cells: int) -> NDArray[np.float32]:
    """Return (cells, cells) in 0..1: how well the flow can be measured there."""
    picture = cv2.GaussianBlur(grey, (0, 0), 1.0).astype(np.float32)
    across = cv2.Scharr(picture, cv2.CV_32F, 1, 0) / 32
    down = cv2.Scharr(picture, cv2.CV_32F, 0, 1) / 32
    energy = cv2.GaussianBlur(across**2 + down**2, (0, 0), 4.0)
    coarse = cv2.resize(energy, (cells, cells), interpolation=cv2.INTER_AREA)
    return np.asarray(coarse / (coarse + 4.0), dtype=np.float32)


def trusted(
    neutral: NDArray[np.uint8], frame: NDArray[np.uint8], flow: NDArray[np.float32], cells: int
) -> NDArray[np.float32]:
    """Return (cells, cells) in 0..1: where `frame`, taken back by the flow, looks like the
    neutral."""
    height, width = neutral.shape
    back = sample(frame, own_places(width, height) + flow, cv2.INTER_LINEAR)
    change = back.astype(np.float32) - neutral
    # A change of light is smooth, a wrong match is not.
    coarse = cv2.resize(change, (cells, cells), interpolation=cv2.INTER_AREA)
    smooth = cv2.GaussianBlur(coarse, (0, 0), 4.0)
    change -= cv2.resize(smooth, (width, height))
    error = cv2.resize(np.abs(change), (cells, cells), interpolation=cv2.INTER_AREA)
    error = cv2.GaussianBlur(error, (0, 0), 1.0)
    usual = max(1.5, float(np.median(error)))
    return np.asarray(1 / (1 + (error / (4 * usual)) ** 4), dtype=np.float32)
