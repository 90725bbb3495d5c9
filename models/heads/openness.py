"""How much of its surroundings each vertex sees: soft shade in folds, sockets and the mouth."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .raster import rasterise

Floats = NDArray[np.float32]


def look_from(direction: NDArray[np.floating[Any]]) -> Floats:
    """Return the rotation (3, 3) whose third row is `direction` (3,), normalised."""
    z = direction / np.linalg.norm(direction)
    x = np.cross([0.0, 1.0, 0.0] if abs(z[1]) < 0.9 else [1.0, 0.0, 0.0], z)
    x /= np.linalg.norm(x)
    return np.asarray(np.stack([x, np.cross(z, x), z]), dtype=np.float32)


def lit_from(
    vertices: Floats,
    triangles: NDArray[np.int32],
    direction: NDArray[np.floating[Any]],
    *,
    size: int = 192,
    bias: float = 0.35,
) -> Floats:
    """Return (V,) 0..1: the share of four taps that sees the light at infinity in `direction`.

    Lengths in centimetres; `bias` keeps a surface from shading itself.
    """
    rotated = vertices @ look_from(direction).T
    used = rotated[np.unique(triangles)]
    low, high = used.min(0), used.max(0)
    scale = (size - 2) / float(max(high[0] - low[0], high[1] - low[1]))
    plane = np.empty_like(rotated)
    plane[:, 0] = (rotated[:, 0] - low[0]) * scale + 1
    plane[:, 1] = (high[1] - rotated[:, 1]) * scale + 1
    plane[:, 2] = high[2] - rotated[:, 2]
    depth = rasterise(plane, triangles, size, size, both_sides=True).depth
    lit = np.zeros(len(vertices), np.float32)
    for dx, dy in ((-0.7, -0.7), (0.7, -0.7), (-0.7, 0.7), (0.7, 0.7)):
        i = np.clip(plane[:, 0] + dx, 0, size - 1).astype(np.int64)
        j = np.clip(plane[:, 1] + dy, 0, size - 1).astype(np.int64)
        lit += plane[:, 2] <= depth[j, i] + bias
    return lit / np.float32(4)


def vertex_openness(vertices: Floats, triangles: NDArray[np.int32]) -> Floats:
    """Return (V,) 0..1 the share of 36 directions of the front half from which each is seen."""
    count = 36
    total = np.zeros(len(vertices), np.float32)
    golden = np.pi * (3 - np.sqrt(5))
    for k in range(count):
        z = 1 - (k + 0.5) / count * 1.25
        radius = np.sqrt(1 - z * z)
        angle = golden * k
        direction = np.array([radius * np.cos(angle), radius * np.sin(angle), z])
        total += lit_from(vertices, triangles, direction, size=128, bias=0.3)
    # Half of the directions lie behind any open surface.
    return np.clip(total / (0.62 * count), 0.05, 1).astype(np.float32)
