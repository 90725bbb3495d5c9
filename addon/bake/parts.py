"""Which part of a character is seen at each pixel, and where a part is covered by another.

Brows and lashes lie so near the skin that depth alone does not tell whose pixel it is: the skin
below a brow must not take the brow's change of light for its own.
"""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..character.evaluate import Surface
from ..character.opacity import hiding
from ..character.raster import rasterise
from ..character.view import FaceView
from .gather import bilinear
from .region import shrunk

#: A part covers another if it lies this much in front, in widths of the view.
FRONT = 2e-4
#: More material slots than any mesh has.
SLOTS = 1 << 12

Box = tuple[slice, slice]


def part_numbers(mesh: int, material: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the numbers of the parts that triangles with these slots (T,) of a mesh belong to."""
    return np.asarray(mesh * SLOTS + material, np.int32)


class Parts:
    """Where the parts (the faces of one mesh with one material) of a character are uncovered."""

    def __init__(self, view: FaceView, surfaces: dict[str, Surface]) -> None:
        """Take the surfaces of a view by the names of their objects."""
        size, width = view.framing.resolution, view.framing.width
        step = max(1, round(size / 340))
        nearest = np.full((size, size), np.inf, np.float32)
        first = np.full((size, size), -1, np.int32)
        found: list[tuple[int, Box, NDArray[np.float32]]] = []
        for mesh, (name, surface) in enumerate(surfaces.items()):
            hides = hiding(bpy.data.objects[name], surface)
            for slot in np.unique(surface.material[hides]).tolist():
                chosen = hides & (surface.material == slot)
                one = _drawn(view, surface, surface.triangles[chosen])
                if one is None:
                    continue
                number, (box, here) = mesh * SLOTS + slot, one
                first[box] = np.where(here < nearest[box], number, first[box])
                nearest[box] = np.minimum(here, nearest[box])
                found.append((number, box, here))
        self._size = size
        self._clear: dict[int, NDArray[np.uint8]] = {}
        for number, box, here in found:
            hidden = (first[box] != number) & (nearest[box] + np.float32(FRONT * width) < here)
            hidden &= np.isfinite(here)
            if not hidden.any():
                continue
            # Pixels along a border mix both, and belong to both.
            inner = shrunk(hidden.astype(np.float32), step) > 0
            clear = np.full((size, size), 255, np.uint8)
            clear[box][inner] = 0
            self._clear[number] = clear

    def clear(
        self, pixels: NDArray[np.floating[Any]], part: NDArray[np.int32]
    ) -> NDArray[np.float32]:
        """Return for (N,2) pixels and the parts (N,) seen there: 1 uncovered to 0 covered."""
        result = np.ones(len(part), np.float32)
        look_up = bilinear(pixels, self._size, self._size)
        for number, clear in self._clear.items():
            at = np.flatnonzero(part == number)
            if len(at):
                result[at] = look_up(clear, at) / np.float32(255)
        return result


def _drawn(
    view: FaceView, surface: Surface, triangles: NDArray[np.int32]
) -> tuple[Box, NDArray[np.float32]] | None:
    """Return the box that triangles cover in the picture and their distance there."""
    size = view.framing.resolution
    pixels, depth = view.framing.project(surface.positions)
    corners = pixels[triangles]
    low = np.clip(np.floor(corners.min(axis=(0, 1))), 0, size).astype(int)
    high = np.clip(np.ceil(corners.max(axis=(0, 1))) + 1, 0, size).astype(int)
    if (high <= low).any():
        return None
    width, height = high - low
    _, _, here = rasterise(corners - low, depth[triangles], int(height), int(width))
    return (slice(low[1], high[1]), slice(low[0], high[0])), here
