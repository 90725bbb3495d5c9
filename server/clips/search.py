"""Find roughly where each place of a face has gone: dense inverse search (Kroeger et al., ECCV
2016), and once more where the face has moved far.

The usual search takes half the resolution and does for a micro-expression. A broad smile takes the
corners of the lips much farther than the cheeks about them, and the patches of the coarsest levels
follow these; what is lost there, later levels and the exact matching, whose steps are short, do not
find again. A frame in which much moves far is searched again: on the coarsest level first, in
pictures with their shades, since little else is left of a face there; then on all levels, as usual,
but denser. Where that explains the frame clearly better, it is taken.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from .sampling import own_places, sample

#: Two grey pictures (H, W) uint8: the neutral, and a frame.
Pictures = tuple[NDArray[np.uint8], NDArray[np.uint8]]


class Search(NamedTuple):
    """How patches are searched for: on levels down to the `finest` (0 has all pixels, each further
    one half as many a side), a patch at every `stride` pixels of a level, by so many `iterations`.
    """

    finest: int
    stride: int
    iterations: int


#: The search that does for a pixel or two; and for more, the rough one and the one from its end.
USUAL, ROUGH, THOROUGH = Search(1, 5, 8), Search(3, 1, 24), Search(1, 3, 12)
#: A face has moved far where more than this share of the pixels has, by so many pixels.
FAR_SHARE, FAR_PIXELS = 0.005, 4.0
#: Every so many pixels across and down are looked at for that.
LOOKED_AT_STEP = 4
#: The second search is taken where it leaves less than this share of what the usual one leaves.
CLEARLY_BETTER = 0.87
#: Side of the patches in pixels of a level, and iterations of the variational refinement on each.
PATCH_PIXELS, REFINEMENT_ITERATIONS = 8, 5


def search(pictures: Pictures, shaded: Pictures, head: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the flow (H, W, 2) from the neutral to the frame, right to some tenths of a pixel.

    `shaded` are the same `pictures` with their shades, `head` (H, W) says where one is.
    """
    found = _found(pictures, None, USUAL)
    if not _far(found, head):
        return found
    again = _found(pictures, _found(shaded, None, ROUGH), THOROUGH)
    usual, now = (_left(pictures, flow, head) for flow in (found, again))
    return again if now < CLEARLY_BETTER * usual else found


def _far(flow: NDArray[np.float32], head: NDArray[np.bool_]) -> bool:
    """Return whether a flow (H, W, 2) moves much of the head far."""
    some = slice(None, None, LOOKED_AT_STEP), slice(None, None, LOOKED_AT_STEP)
    moved = flow[some][head[some]]
    return bool(np.mean((moved**2).sum(1) > FAR_PIXELS**2) > FAR_SHARE)


def _left(pictures: Pictures, flow: NDArray[np.float32], head: NDArray[np.bool_]) -> float:
    """Return the mean difference, in levels, that a flow leaves in the head at half the pixels."""
    one, other, there = (_halved(values) for values in (*pictures, flow / 2))
    own = own_places(*one.shape[::-1])
    back = sample(np.asarray(other, np.uint8), own + there, cv2.INTER_LINEAR)
    return float(np.abs(back - one)[head[::2, ::2]].mean())


def _halved(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return the means over squares of two pixels a side of a map (H, W[, C])."""
    size = values.shape[1] // 2, values.shape[0] // 2
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), dtype=np.float32)


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
    method.setVariationalRefinementIterations(REFINEMENT_ITERATIONS)
    method.setUseMeanNormalization(True)
    return np.asarray(method.calc(one, other, flow), dtype=np.float32)
