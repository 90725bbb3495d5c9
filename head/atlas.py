"""Where each part's island lies on the one texture: rectangles (u0, v0, u1, v1), v up."""

from __future__ import annotations

import numpy as np

from .arrays import Floats

Box = tuple[float, float, float, float]

ISLANDS: dict[str, Box] = {
    "skin": (0.004, 0.364, 0.996, 0.996),
    "eye_left": (0.005, 0.165, 0.185, 0.345),
    "eye_right": (0.195, 0.165, 0.375, 0.345),
    "mouth": (0.005, 0.090, 0.185, 0.155),
    "lid_left": (0.195, 0.090, 0.280, 0.155),
    "lid_right": (0.290, 0.090, 0.375, 0.155),
    "teeth": (0.005, 0.005, 0.185, 0.080),
    "gums": (0.195, 0.005, 0.280, 0.080),
    "tongue": (0.290, 0.005, 0.375, 0.080),
    "hair": (0.385, 0.005, 0.700, 0.355),
    "ear_left": (0.710, 0.180, 0.850, 0.355),
    "ear_right": (0.857, 0.180, 0.996, 0.355),
    "brow_left": (0.710, 0.100, 0.800, 0.172),
    "brow_right": (0.810, 0.100, 0.900, 0.172),
    "lash": (0.910, 0.100, 0.996, 0.172),
    "cloth": (0.710, 0.005, 0.996, 0.092),
}


def place(island: str, uv: Floats) -> Floats:
    """Map an island's own coordinates (N, 2) in [0, 1] onto the atlas."""
    u0, v0, u1, v1 = ISLANDS[island]
    return np.asarray(np.array([u0, v0]) + uv * np.array([u1 - u0, v1 - v0]))


def pixels(island: str, size: int, margin: int = 3) -> tuple[slice, slice]:
    """Rows and columns of the island in a texture `size` texels square, grown by `margin`."""
    u0, v0, u1, v1 = ISLANDS[island]
    top = max(int(np.floor((1.0 - v1) * size)) - margin, 0)
    bottom = min(int(np.ceil((1.0 - v0) * size)) + margin, size)
    left = max(int(np.floor(u0 * size)) - margin, 0)
    right = min(int(np.ceil(u1 * size)) + margin, size)
    return slice(top, bottom), slice(left, right)


def island_coordinates(island: str, size: int) -> tuple[slice, slice, Floats, Floats]:
    """Texels of an island (rows, columns) and their own coordinates u, v (v up), each (h, w)."""
    rows, columns = pixels(island, size)
    u0, v0, u1, v1 = ISLANDS[island]
    v = (1.0 - (np.arange(rows.start, rows.stop) + 0.5) / size - v0) / (v1 - v0)
    u = ((np.arange(columns.start, columns.stop) + 0.5) / size - u0) / (u1 - u0)
    u, v = np.meshgrid(np.clip(u, 0.0, 1.0), np.clip(v, 0.0, 1.0))
    return rows, columns, u, v
