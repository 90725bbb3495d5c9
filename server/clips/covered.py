"""Find what comes before a face and hides part of it: a hand, a cup, hair that falls.

A frame that is taken back by its flow has the neutral's detail wherever it shows the same skin,
however that has moved; before something else it has another. What differs is held against the
detail that there is in both pictures, and what noise makes differ all over the face is taken off.
Lids that close and lips that open show something else as well and hide nothing: eyes and mouth
count only together with what is about them. Nor does skin count that moves so far that its
motion is lost in part: there the flow is large, while before a cover it finds little to follow.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .dense import pooled, without_shades
from .template import template

#: Pictures are compared at this size.
COMPARED_PIXELS = 128
#: Standard deviation of the windows, in cells.
WINDOW_CELLS = 1.5
#: Squared levels that detail differs by anyhow, and by how much of its median over the face.
USUAL_SQUARES, USUAL_MEDIANS = 4.0, 3.0
#: Something else is seen where this share of all detail differs.
UNLIKE_SHARE = 0.3
#: It covers the face where it hides this share of it in one piece, beside eyes and mouth.
LEAST_SHARE = 0.025
#: A piece that moves farther than this, in pixels (the median), is skin whose motion is lost.
LOST_PIXELS = 2.5
#: What covers spoils motion this far beyond where it is found, in cells, as windows do.
REACH_CELLS = 4
#: Eyes and mouth: middle and half axes (x, y) in face units, of the right one of a pair.
EYES, MOUTH = ((0.69, -0.55), (0.5, 0.36)), ((0.0, 0.84), (0.6, 0.42))
#: The parts of a face by how far down they reach, in face units.
PARTS = (("brows and forehead", -0.75), ("eyes", -0.3), ("nose and cheeks", 0.5), ("mouth", 1.15))


class Covers:
    """Finds what covers a face in frames of one clip."""

    def __init__(self, neutral: NDArray[np.float32], cells: int) -> None:
        """Take a neutral's grey levels (256, 256) and how many cells a side there are."""
        self._cells = cells
        self._detail = self._details(neutral)
        self._energy = self._windowed(self._detail**2)
        maps = template(cells)
        self._face = maps.face > 0.5
        self._counts = self._face & ~_openings(maps.x, maps.y)
        self._reach = np.ones((2 * REACH_CELLS + 1,) * 2, np.uint8)

    def found(self, back: NDArray[np.float32], flow: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return (cells, cells) where something hides the face in a frame's grey levels (256, 256),
        steadied and taken back by its flow (cells, cells, 2)."""
        detail = self._details(back)
        apart = self._windowed((detail - self._detail) ** 2)
        beyond = apart - USUAL_MEDIANS * float(np.median(apart[self._face]))
        energy = self._energy + self._windowed(detail**2) + USUAL_SQUARES
        unlike = (beyond > UNLIKE_SHARE * energy) & self._face
        if not unlike.any():
            return unlike
        whole = cv2.morphologyEx(unlike.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        count, pieces = cv2.connectedComponents(whole, connectivity=4)
        sizes = np.bincount(pieces[self._counts], minlength=count)
        large = sizes >= LEAST_SHARE * np.count_nonzero(self._face)
        large[0] = False
        length = np.hypot(flow[..., 0], flow[..., 1])
        for piece in np.flatnonzero(large):
            large[piece] = np.median(length[pieces == piece]) < LOST_PIXELS
        hidden = cv2.dilate(large[pieces].astype(np.uint8), self._reach)
        return np.asarray(hidden > 0, np.bool_)

    def _details(self, levels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a picture's detail at half its resolution, without its shades."""
        return without_shades(pooled(levels, COMPARED_PIXELS), self._cells)

    def _windowed(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        means = cv2.GaussianBlur(pooled(values, self._cells), (0, 0), WINDOW_CELLS)
        return np.asarray(means, np.float32)


def parts_covered(hidden: NDArray[np.bool_]) -> tuple[str, ...]:
    """Return the parts of the face of which cells that are `hidden` (cells, cells) lie in."""
    maps = template(len(hidden))
    lower = -np.inf
    named = []
    for part, upper in (*PARTS, ("chin", np.inf)):
        inside = (maps.face > 0.5) & (maps.y > lower) & (maps.y <= upper)
        if np.count_nonzero(hidden & inside) > LEAST_SHARE * np.count_nonzero(maps.face > 0.5):
            named.append(part)
        lower = upper
    return tuple(named)


def _openings(x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which places, in face units, lie in the eyes or the mouth."""
    inside = np.zeros(x.shape, np.bool_)
    for (middle, half), across in ((EYES, np.abs(x)), (MOUTH, x)):
        away = ((across - middle[0]) / half[0]) ** 2 + ((y - middle[1]) / half[1]) ** 2
        inside |= away < 1
    return inside
