"""Optical flow between two pictures by plain means: what baselines and checks measure with.

DIS optical flow (Kroeger et al., "Fast Optical Flow using Dense Inverse Search", ECCV 2016) with
variational refinement, run down to full resolution because micro-expressions are sub-pixel. What
the network is fed is measured by `server/clips/steady.py`. No torch here.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

#: Dense inverse search ends at this pyramid level; 0 is the full picture.
FINEST_LEVEL = 0
#: Side of the square pixel patches that are searched for.
PATCH_PIXELS = 8
#: Step between neighbouring patches.
STRIDE_PIXELS = 3
#: Iterations of each patch's search, and of the variational refinement on each level.
SEARCH_ITERATIONS = 24
REFINEMENT_ITERATIONS = 8


def luminance(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the grey levels (H, W) uint8 of an RGB picture (H, W, 3) or of a grey one (H, W)."""
    if image.ndim == 2:
        return image
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def measure_flow(neutral: NDArray[np.uint8], frame: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the forward flow (H, W, 2) float32, (dx, dy) in pixels, from `neutral` to `frame`.

    Both are uint8, RGB (H, W, 3) or grey (H, W), of one size of at least 32 pixels a side. The
    pixel at column i, row j of `neutral` is found at (i + dx, j + dy) in `frame`. Raises
    ValueError where the sizes differ.
    """
    if neutral.shape[:2] != frame.shape[:2]:
        raise ValueError(f"flow between {neutral.shape[:2]} and {frame.shape[:2]} pictures")
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setFinestScale(FINEST_LEVEL)
    search.setPatchSize(PATCH_PIXELS)
    search.setPatchStride(STRIDE_PIXELS)
    search.setGradientDescentIterations(SEARCH_ITERATIONS)
    search.setVariationalRefinementIterations(REFINEMENT_ITERATIONS)
    search.setUseMeanNormalization(True)
    empty = np.zeros((*neutral.shape[:2], 2), np.float32)
    flow = search.calc(luminance(neutral), luminance(frame), empty)
    return np.asarray(flow, dtype=np.float32)


def to_grid(flow: NDArray[np.float32], cells: int = 64) -> NDArray[np.float32]:
    """Return the area mean (cells, cells, 2) of a flow (H, W, 2); its unit of length is kept.

    H and W must be multiples of `cells`; raises ValueError otherwise. A cell's value stands for
    the cell's centre.
    """
    height, width, parts = flow.shape
    if height % cells or width % cells:
        raise ValueError(f"a flow of {height} x {width} does not divide into {cells} cells a side")
    blocks = flow.reshape(cells, height // cells, cells, width // cells, parts)
    return np.asarray(blocks.mean(axis=(1, 3)), dtype=np.float32)
