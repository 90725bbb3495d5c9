"""A z-buffer rasteriser in plain numpy: which triangle is seen at each pixel, and where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Candidate pixels handled at once; bounds the memory.
CHUNK = 2_000_000

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def rasterise(
    corners: NDArray[np.floating[Any]],
    depths: NDArray[np.floating[Any]] | None,
    height: int,
    width: int,
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]:
    """Return what is seen at each pixel of a (`height`, `width`) image.

    `corners` (T,3,2) array positions in pixels (centres at integers), `depths` (T,3) positive
    distances or None (the later triangle wins). Returns triangle ids (H,W) int32 (-1 where
    nothing is), barycentric coordinates (H,W,3) float32 (in the image plane), and the depth
    (H,W) float32 (infinity where nothing is).
    """
    seen = np.full(height * width, -1, np.int32)
    nearest = np.full(height * width, np.inf, np.float32)
    weights = np.zeros((height * width, 3), np.float32)
    for triangle, pixel, barycentric in candidates(corners, height, width):
        if depths is None:
            depth = -triangle.astype(np.float32)
        else:
            depth = (barycentric * depths[triangle]).sum(axis=1).astype(np.float32)
        order = np.lexsort((depth, pixel))
        first = np.ones(len(order), bool)
        first[1:] = pixel[order][1:] != pixel[order][:-1]
        best = order[first]
        best = best[depth[best] < nearest[pixel[best]]]
        seen[pixel[best]] = triangle[best]
        nearest[pixel[best]] = depth[best]
        weights[pixel[best]] = barycentric[best]
    shape = (height, width)
    return seen.reshape(shape), weights.reshape(*shape, 3), nearest.reshape(shape)


def candidates(
    corners: NDArray[np.floating[Any]], height: int, width: int
) -> Iterator[tuple[Ints, Ints, Floats]]:
    """Yield (triangle, pixel, barycentric) of every pixel centre inside every triangle."""
    points = np.asarray(corners, np.float64)
    low = np.ceil(points.min(axis=1) - 1e-6)
    high = np.floor(points.max(axis=1) + 1e-6)
    low = np.clip(np.nan_to_num(low), 0, [width, height]).astype(np.int64)
    high = np.clip(np.nan_to_num(high, nan=-1), -1, [width - 1, height - 1]).astype(np.int64)
    spans = np.maximum(high - low + 1, 0)
    counts = spans[:, 0] * spans[:, 1]
    edge_a = points[:, 1] - points[:, 0]
    edge_b = points[:, 2] - points[:, 0]
    area = edge_a[:, 0] * edge_b[:, 1] - edge_a[:, 1] * edge_b[:, 0]
    ids = np.flatnonzero((counts > 0) & (np.abs(area) > 1e-12))
    ends = np.cumsum(counts[ids])
    start = 0
    while start < len(ids):
        done = ends[start - 1] if start else 0
        stop = max(int(np.searchsorted(ends, done + CHUNK, side="right")), start + 1)
        part = ids[start:stop]
        start = stop
        triangle = np.repeat(part, counts[part])
        offset = np.arange(len(triangle)) - np.repeat(
            np.cumsum(counts[part]) - counts[part], counts[part]
        )
        column = low[triangle, 0] + offset % spans[triangle, 0]
        row = low[triangle, 1] + offset // spans[triangle, 0]
        x = column - points[triangle, 0, 0]
        y = row - points[triangle, 0, 1]
        b = (x * edge_b[triangle, 1] - y * edge_b[triangle, 0]) / area[triangle]
        c = (y * edge_a[triangle, 0] - x * edge_a[triangle, 1]) / area[triangle]
        a = 1.0 - b - c
        inside = (a >= -1e-6) & (b >= -1e-6) & (c >= -1e-6)
        yield (
            triangle[inside],
            (row * width + column)[inside],
            np.stack([a, b, c], axis=1)[inside],
        )
