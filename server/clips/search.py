"""Find roughly where each place of a face has gone: dense inverse search (Kroeger et al., ECCV
2016), and otherwise where the face has moved far.

The usual search takes half the resolution and does for a micro-expression. A broad smile takes the
corners of the lips much farther than the cheeks about them, and the patches of the coarsest levels
follow these; what is lost there, later levels and the exact matching, whose steps are short, do not
find again. A frame in which much moves far is searched thoroughly: on the coarsest level first, in
pictures with their shades, since little else is left of a face there; then on all levels, as usual,
but denser.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

#: Two grey pictures (H, W) uint8: the neutral, and a frame.
Pictures = tuple[NDArray[np.uint8], NDArray[np.uint8]]


class Search(NamedTuple):
    """How patches are searched for: on levels down to the `finest` (0 has all pixels, each further
    one half as many a side), a patch at every `stride` pixels of a level, by so many `iterations`,
    and the field refined on each by so many `refinements` of a variational kind.
    """

    finest: int
    stride: int
    iterations: int
    refinements: int


#: The search that does for a pixel or two; and for more, the rough one and the one from its end.
#: Refinement frees small motion of noise, and holds large motion back.
USUAL, ROUGH, THOROUGH = Search(1, 5, 8, 5), Search(3, 2, 24, 5), Search(1, 3, 12, 3)
#: A face has moved far where more than this share of the pixels has, by so many pixels.
FAR_SHARE, FAR_PIXELS = 0.005, 4.0
#: Every so many pixels across and down are looked at for that.
LOOKED_AT_STEP = 4
#: Side of the patches in pixels of a level.
PATCH_PIXELS = 8


def usual(pictures: Pictures) -> NDArray[np.float32]:
    """Return the flow (H, W, 2) from the neutral to the frame, right to some tenths of a pixel
    where the face has not moved far."""
    return _found(pictures, None, USUAL)


def thorough(pictures: Pictures, shaded: Pictures) -> NDArray[np.float32]:
    """Return the flow where the face has moved far; `shaded` are the `pictures` with shades."""
    return _found(pictures, _found(shaded, None, ROUGH), THOROUGH)


def far(flow: NDArray[np.float32], head: NDArray[np.bool_]) -> bool:
    """Return whether a flow (H, W, 2) moves much of the head (H, W) far."""
    some = slice(None, None, LOOKED_AT_STEP), slice(None, None, LOOKED_AT_STEP)
    return share_beyond(FAR_PIXELS, flow[some][head[some]]) > FAR_SHARE


def share_beyond(pixels: float, motion: NDArray[np.floating[Any]]) -> float:
    """Return what share of places that moved by (N, 2) pixels moved farther than so many."""
    return float(np.mean((motion**2).sum(1) > pixels**2))


def _found(
    pictures: Pictures, start: NDArray[np.float32] | None, how: Search
) -> NDArray[np.float32]:
    """Return the flow (H, W, 2) that a search finds from a start, or from rest."""
    one, other = pictures
    flow = np.zeros((*one.shape, 2), np.float32) if start is None else start
    method = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    method.setFinestScale(how.finest)
    method.setPatchSize(PATCH_PIXELS)
    method.setPatchStride(how.stride)
    method.setGradientDescentIterations(how.iterations)
    method.setVariationalRefinementIterations(how.refinements)
    method.setUseMeanNormalization(True)
    return np.asarray(method.calc(one, other, flow), dtype=np.float32)
