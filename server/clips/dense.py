"""Measure how a steadied face differs from its neutral, place by place.

Dense inverse search (as in `models.flow`) at half the resolution brings each place near; a few
steps of Lucas and Kanade's method (IJCAI 1981) in windows of some 14 pixels make it exact, with the
gradients of the neutral, which are worked out once a clip (Baker and Matthews, IJCV 56, 2004).
Against the search at full resolution alone this takes half the time and leaves half of the noise
(`tests/benchmarks/clip_speed.py` shows both). Where a window has little texture, its neighbours say
what it most likely does. Light that changes, evenly or in the bands of a rolling shutter, is evened
out beforehand, and shades are taken off: they stay where they are while the head turns below them.
Nor is the background looked at, which stays where it is as well.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from . import search
from .sampling import rounded, sample, square_places
from .template import template

#: The crop's columns from and to which there is face (of 256); beyond them nothing is measured.
COLUMNS = 32, 224
#: Steps of the exact matching, and the most that one goes, in pixels.
STEPS, MOST_STEP = 3, 1.0
#: Pictures are smoothed by this before they are compared, in pixels.
SMOOTH_PIXELS = 0.7
#: Standard deviation of the windows, in cells, and of those over which light may have changed.
WINDOW_CELLS, LIGHT_CELLS = 2.0, 1.5
#: Standard deviation, in cells, of the neighbourhoods whose brightness is evened out.
GAIN_CELLS = 5.0
#: Squared gradients, in levels per pixel, below which a window tells less than the search, and less
#: than its neighbours do, which lie within this standard deviation, in cells.
LEAST_ENERGY, NEIGHBOURS_ENERGY, NEIGHBOURS_CELLS = 0.4, 0.2, 2.0
#: Towards the face's outline a pixel's worth falls with this power of how surely it is the head's:
#: beyond is the background, which stays where it is while the head moves.
OUTLINE_FALL = 6
#: How surely a pixel is the head's to have a say on whether the head's places were found.
SURELY_HEAD = 0.9
#: Standard deviation, in cells, of the neighbourhoods whose mean is taken off beforehand: light
#: that stays in the world while the head turns is smooth, skin is not.
SHADE_CELLS = 1.5
#: Standard deviation, in cells, of what is smooth enough for a change of light.
LIGHT_CHANGE_CELLS = 4.0
#: Side, in pixels, of the cells by which the quick flow's pictures tell their shades.
QUICK_CELL = 4
#: Contrast of the pictures without their shades, for the search.
SEARCH_CONTRAST = 2.0
#: The matrix that tells as much one way as any other.
EVERY_WAY = np.eye(2, dtype=np.float32)[..., None, None]


class Matcher:
    """Measures frames against one neutral."""

    def __init__(
        self, neutral: NDArray[np.float32], cells: int, face: NDArray[np.float32] | None = None
    ) -> None:
        """Take a neutral's grey levels (256, 256) and how many cells a side its flows shall have.

        `face` (cells, cells) 0..1 says where the face is, else an average one's outline does.
        """
        self._cells = cells
        self._inside = slice(*(at * cells // len(neutral) for at in COLUMNS))
        self._shaded = _columns(rounded(neutral))
        self._level = _level(neutral, cells)
        head = cv2.resize(_head(cells, face), neutral.shape[::-1])
        self._head: NDArray[np.float32] = _columns(head)
        self._surely_head = self._head > SURELY_HEAD
        self._worth = self._head**OUTLINE_FALL
        self._lit = self._light(self._worth) + np.float32(0.01)
        detail = _detail(neutral, cells)
        self._detail = _columns(detail)
        self._searched = _for_search(self._detail * self._head)
        self._places = _columns(square_places(len(neutral)))
        across = _columns(cv2.Scharr(detail, cv2.CV_32F, 1, 0) / 32)
        down = _columns(cv2.Scharr(detail, cv2.CV_32F, 0, 1) / 32)
        self._slopes = across * self._worth, down * self._worth
        ad = self._windowed(self._slopes[1] * across)
        aa = self._windowed(self._slopes[0] * across) + np.float32(LEAST_ENERGY)
        dd = self._windowed(self._slopes[1] * down) + np.float32(LEAST_ENERGY)
        # Each window's matrix, what it adds up to about a cell, and the inverses of both.
        self._told = np.stack([[aa, ad], [ad, dd]])
        self._usual = _inverse(np.stack([_gathered(row) for row in self._told]))
        self._inverse = _inverse(self._told + np.float32(NEIGHBOURS_ENERGY) * EVERY_WAY)

    def flow(self, frame: NDArray[np.float32], *, far: bool = False) -> NDArray[np.float32]:
        """Return the flow (cells, cells, 2) in pixels from the neutral to a frame of grey levels
        (256, 256); 0 outside the columns of the face.

        The caller may know that the face has moved `far`, which otherwise takes a search.
        """
        even = frame * self._gain(frame)
        detail = _detail(even, self._cells)
        found = self._search(even, detail, far)
        for _ in range(STEPS):
            places = self._places + _columns(_enlarged(found, len(frame)))
            change = self._detail - sample(detail, places, cv2.INTER_CUBIC)
            light = self._light(change * self._worth) / self._lit
            change -= _columns(cv2.resize(light, frame.shape[::-1]))
            pull = np.stack([self._windowed(slope * change) for slope in self._slopes])
            # Where a window tells little, its neighbours tell as well.
            told = _times(self._told, found) + pull
            usual = _times(self._usual, _gathered(told))
            step = _times(self._inverse, told + NEIGHBOURS_ENERGY * usual) - found
            found = found + np.clip(step, -MOST_STEP, MOST_STEP)
        inside = self._widened(found[..., self._inside])
        return np.asarray(cv2.merge(list(inside)), dtype=np.float32)

    def _gain(self, frame: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return by what (N, N) a frame has to be multiplied to be lit as the neutral."""
        gain = (self._level + 4) / (_level(frame, self._cells) + 4)
        return np.asarray(cv2.resize(gain, frame.shape[::-1]), dtype=np.float32)

    def _search(
        self, even: NDArray[np.float32], detail: NDArray[np.float32], far: bool
    ) -> NDArray[np.float32]:
        """Return a flow (2, cells, cells) that is right to some tenths of a pixel, to a frame that
        is lit evenly, of such detail."""
        pictures = self._searched, _for_search(_columns(detail) * self._head)
        flow = None if far else search.usual(pictures)
        if flow is None or search.far(flow, self._surely_head):
            flow = search.thorough(pictures, (self._shaded, rounded(_columns(even))))
        return self._widened(np.moveaxis(pooled(flow, self._cells), -1, 0))

    def _light(self, change: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what of a change in the face's columns is as smooth as light, (cells, cells)."""
        smooth = cv2.GaussianBlur(self._widened(pooled(change, self._cells)), (0, 0), LIGHT_CELLS)
        return np.asarray(smooth, dtype=np.float32)

    def _windowed(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return means (cells, cells) over windows about each cell of a map of the columns."""
        means = cv2.GaussianBlur(self._widened(pooled(values, self._cells)), (0, 0), WINDOW_CELLS)
        return np.asarray(means, dtype=np.float32)

    def _widened(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (..., cells, cells) values of the face's columns, with 0 beside them."""
        wide = np.zeros((*values.shape[:-1], self._cells), np.float32)
        wide[..., self._inside] = values
        return wide


def _head(cells: int, face: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """Return 0..1 (cells, cells): what moves with the head, the face and the neck below it."""
    maps = template(cells)
    neck = (maps.y > 1) & (np.abs(maps.x) < 0.7)
    return np.maximum(maps.face if face is None else face, neck.astype(np.float32))


def _columns(values: NDArray[Any]) -> NDArray[Any]:
    """Return the columns of a map (N, N, ...) that hold the face."""
    return np.ascontiguousarray(values[:, slice(*COLUMNS)])


def _times(matrices: NDArray[Any], vectors: NDArray[Any]) -> NDArray[np.float32]:
    """Return products (2, ...) of symmetric matrices (2, 2, ...) and vectors (2, ...)."""
    return np.asarray(matrices[0] * vectors[0] + matrices[1] * vectors[1], dtype=np.float32)


def _inverse(matrices: NDArray[Any]) -> NDArray[np.float32]:
    """Return the inverses of symmetric matrices (2, 2, ...)."""
    (aa, ad), (_, dd) = matrices
    return np.asarray(np.stack([[dd, -ad], [-ad, aa]]) / (aa * dd - ad * ad))


def _gathered(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what maps (2, cells, cells) add up to about each cell."""
    return np.stack([cv2.GaussianBlur(one, (0, 0), NEIGHBOURS_CELLS) for one in values])


def _enlarged(flow: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Return a flow (2, cells, cells) for each pixel: (side, side, 2)."""
    return np.asarray(cv2.resize(cv2.merge(list(flow)), (side, side)), dtype=np.float32)


def _detail(grey: NDArray[np.float32], cells: int) -> NDArray[np.float32]:
    """Return a square picture, smoothed a little, without its shades."""
    smooth = np.asarray(cv2.GaussianBlur(grey, (0, 0), SMOOTH_PIXELS), dtype=np.float32)
    return without_shades(smooth, cells)


def without_shades(
    levels: NDArray[np.float32], cells: int, width: float = SHADE_CELLS
) -> NDArray[np.float32]:
    """Return grey levels (N, N) less what of them is smooth over such a `width` in cells."""
    shade = cv2.GaussianBlur(pooled(levels, cells), (0, 0), width)
    return np.asarray(levels - cv2.resize(shade, levels.shape[::-1]), dtype=np.float32)


def _for_search(detail: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return detail as the picture that the search takes."""
    return rounded(SEARCH_CONTRAST * detail + 128)


def _level(grey: NDArray[np.float32], cells: int) -> NDArray[np.float32]:
    """Return how bright a picture is about each place, (cells, cells)."""
    coarse = cv2.resize(grey, (cells, cells), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(coarse, (0, 0), GAIN_CELLS))


def quick_detail(grey: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return what the quick flow compares of grey levels (H, W): a picture without its shades."""
    height, width = grey.shape
    smooth = cv2.GaussianBlur(grey, (0, 0), SMOOTH_PIXELS)
    few = (max(1, width // QUICK_CELL), max(1, height // QUICK_CELL))
    shade = cv2.resize(smooth, few, interpolation=cv2.INTER_AREA)
    shade = cv2.GaussianBlur(shade, (0, 0), SHADE_CELLS)
    return _for_search(smooth - cv2.resize(shade, (width, height)))


def quick_flow(
    neutral: NDArray[np.uint8], frame: NDArray[np.uint8], cells: int
) -> NDArray[np.float32]:
    """Return a rough flow (cells, cells, 2) between pictures, in their pixels."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    flow = np.asarray(search.calc(neutral, frame, np.zeros((*neutral.shape, 2), np.float32)))
    return pooled(flow, cells)


def pooled(values: NDArray[Any], cells: int) -> NDArray[np.float32]:
    """Return means (cells, ...) over equal squares of a map, so many from top to bottom."""
    height, width = values.shape[:2]
    size = (width * cells // height, cells)
    small = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.float32)


def texture(grey: NDArray[np.float32], cells: int) -> NDArray[np.float32]:
    """Return (cells, cells) in 0..1: how well the flow can be measured there."""
    picture = cv2.GaussianBlur(grey, (0, 0), 1.0)
    across = cv2.Scharr(picture, cv2.CV_32F, 1, 0) / 32
    down = cv2.Scharr(picture, cv2.CV_32F, 0, 1) / 32
    energy = cv2.GaussianBlur(across**2 + down**2, (0, 0), 4.0)
    coarse = cv2.resize(energy, (cells, cells), interpolation=cv2.INTER_AREA)
    return np.asarray(coarse / (coarse + 4.0), dtype=np.float32)


def taken_back(frame: NDArray[np.float32], flow: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a frame's grey levels (N, N) as if nothing moved by the flow (cells, cells, 2)."""
    side = len(frame)
    places = square_places(side) + cv2.resize(flow, (side, side))
    return sample(frame, places, cv2.INTER_LINEAR)


def trusted(
    neutral: NDArray[np.float32], back: NDArray[np.float32], cells: int
) -> NDArray[np.float32]:
    """Return (cells, cells) in 0..1: where the grey levels of a frame that is taken `back` by its
    flow look like the neutral's."""
    # A change of light is smooth, a wrong match is not.
    change = without_shades(back - neutral, cells, LIGHT_CHANGE_CELLS)
    error = cv2.GaussianBlur(pooled(np.abs(change), cells), (0, 0), 1.0)
    usual = max(1.5, float(np.median(error)))
    return np.asarray(1 / (1 + (error / (4 * usual)) ** 4), dtype=np.float32)
