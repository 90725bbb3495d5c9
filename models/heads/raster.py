"""Draw triangles into a depth buffer, in plain numpy.

Scan conversion by spans: every triangle is cut into its pixel rows, every row into its pixels, all
triangles at once. A pixel belongs to a triangle when its centre lies inside; an edge shared by two
triangles is computed from the same ordered end points in both, so that neighbours neither leave a
crack nor claim a pixel twice (the "top-left rule" with half-open intervals). Pixel (i, j) covers
[i, i+1) x [j, j+1) of the plane and its centre is at (i + 0.5, j + 0.5).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]

#: Depth steps per unit of depth in the packed buffer; with centimetres one step is 0.2 micrometres.
DEPTH_STEPS = 50_000.0
#: What the packed buffer's upper half can hold.
LARGEST_DEPTH = (2.0**31 - 2) / DEPTH_STEPS
_EMPTY = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Fragments:
    """Pixels claimed by triangles: `pixel` (N,) index j * width + i, `triangle` (N,), `depth`."""

    pixel: Integers
    triangle: Integers
    depth: NDArray[np.float64]


@dataclass(frozen=True)
class Raster:
    """What is seen. `triangle` (H, W) int32, -1 for none; `depth` (H, W) float32, inf for none."""

    triangle: NDArray[np.int32]
    depth: Floats

    @property
    def covered(self) -> NDArray[np.intp]:
        """Flat indices of the pixels that show a triangle, ascending."""
        return np.flatnonzero(self.triangle.ravel() >= 0)


def touching(chosen: NDArray[np.bool_], triangles: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return (T,) whether a triangle has a chosen (V,) vertex."""
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    return np.asarray(chosen[a] | chosen[b] | chosen[c])


def facing(points: Floats, triangles: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return (T,) whether each triangle turns its counter-clockwise side to the viewer.

    `points` (V, 2 or more) with x right and y down: on such a plane the outer side winds
    clockwise in the plane's own sense, that is, with a negative signed area.
    """
    x, y = np.ascontiguousarray(points[:, 0]), np.ascontiguousarray(points[:, 1])
    a, b, c = triangles[:, 0], triangles[:, 1], triangles[:, 2]
    xa, ya = x[a], y[a]
    return np.asarray((x[b] - xa) * (y[c] - ya) - (x[c] - xa) * (y[b] - ya) < 0)


def fragments(
    points: Floats, triangles: NDArray[np.int32], width: int, height: int, chosen: Integers
) -> Fragments:
    """Cut the `chosen` triangles (indices into `triangles`) into pixels.

    `points` (V, 3): x and y in pixels, and depth (smaller is nearer). Degenerate triangles and
    those off the picture give nothing.
    """
    a, b, c = (triangles[chosen, k] for k in range(3))
    x, y = np.ascontiguousarray(points[:, 0]), np.ascontiguousarray(points[:, 1])
    low, high = np.minimum(np.minimum(y[a], y[b]), y[c]), np.maximum(np.maximum(y[a], y[b]), y[c])
    # Those that slip between two rows of pixel centres are most of a fine mesh.
    seen = (high > 0) & (low < height) & (np.ceil(low - 0.5) < np.ceil(high - 0.5))
    seen &= np.maximum(np.maximum(x[a], x[b]), x[c]) > 0
    seen &= np.minimum(np.minimum(x[a], x[b]), x[c]) < width
    chosen = chosen[seen]
    corners = points[triangles[chosen]].astype(np.float64)
    order = np.argsort(corners[:, :, 1], axis=1, kind="stable")
    corners = np.take_along_axis(corners, order[:, :, None], axis=1)
    top, middle, bottom = corners[:, 0], corners[:, 1], corners[:, 2]
    first = np.clip(np.ceil(top[:, 1] - 0.5), 0, height).astype(np.int64)
    last = np.clip(np.ceil(bottom[:, 1] - 0.5), 0, height).astype(np.int64)
    rows = np.maximum(last - first, 0)

    # Rows. Each edge runs from its upper end, so that both its triangles compute the same.
    row = np.arange(int(rows.sum())) + np.repeat(first - (np.cumsum(rows) - rows), rows)
    y = row + 0.5
    long = _edge(top, bottom, y, rows)
    short = np.where(
        y < np.repeat(middle[:, 1], rows),
        _edge(top, middle, y, rows),
        _edge(middle, bottom, y, rows),
    )
    left = np.clip(np.ceil(np.fmin(short, long) - 0.5), 0, width).astype(np.int64)
    right = np.clip(np.ceil(np.fmax(short, long) - 0.5), 0, width).astype(np.int64)
    counts = np.maximum(right - left, 0)

    # Depth is affine over the triangle: one gradient each.
    edge1, edge2 = middle - top, bottom - top
    area = edge1[:, 0] * edge2[:, 1] - edge2[:, 0] * edge1[:, 1]
    area = np.where(np.abs(area) < 1e-6, np.inf, area)
    across = (edge1[:, 2] * edge2[:, 1] - edge2[:, 2] * edge1[:, 1]) / area
    down = (edge1[:, 0] * edge2[:, 2] - edge2[:, 0] * edge1[:, 2]) / area
    origin = top[:, 2] - top[:, 1] * down + (0.5 - top[:, 0]) * across
    slope = np.repeat(across, rows)

    # Pixels: a running number k, and per row what turns it into a place and a depth.
    k = np.arange(int(counts.sum()))
    shift = left - (np.cumsum(counts) - counts)
    depth = np.repeat(np.repeat(origin, rows) + y * np.repeat(down, rows) + shift * slope, counts)
    depth += k * np.repeat(slope, counts)
    pixel = k + np.repeat(row * width + shift, counts)
    owner = np.repeat(np.repeat(np.asarray(chosen, np.int64), rows), counts)
    return Fragments(pixel, owner, depth)


def _edge(
    upper: NDArray[np.float64],
    lower: NDArray[np.float64],
    y: NDArray[np.float64],
    rows: Integers,
) -> NDArray[np.float64]:
    """Return where edges (n, 2 or more) cross the heights `y`, of which each edge has `rows`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = (lower[:, 0] - upper[:, 0]) / (lower[:, 1] - upper[:, 1])
        crossing = y - np.repeat(upper[:, 1], rows)
        crossing *= np.repeat(slope, rows)
        crossing += np.repeat(upper[:, 0], rows)
    return crossing


def joined(parts: list[Fragments]) -> Fragments:
    """Return the fragments of all parts in one."""
    return Fragments(
        np.concatenate([p.pixel for p in parts]),
        np.concatenate([p.triangle for p in parts]),
        np.concatenate([p.depth for p in parts]),
    )


def resolve(parts: list[Fragments], width: int, height: int) -> Raster:
    """Keep the nearest fragment of each pixel; at equal depth the lower triangle index.

    Raises ValueError for depths beyond `LARGEST_DEPTH`.
    """
    if max((float(p.depth.max(initial=0)) for p in parts), default=0) > LARGEST_DEPTH:
        raise ValueError(f"a depth beyond {LARGEST_DEPTH} does not fit the depth buffer")
    buffer = np.full(width * height, _EMPTY, np.int64)
    for part in parts:
        steps = np.maximum(part.depth * DEPTH_STEPS, 0).astype(np.int64)
        np.minimum.at(buffer, part.pixel, (steps << 32) | part.triangle)
    # The low half of an empty cell is all ones, which is -1.
    triangle = buffer.astype(np.int32)
    depth = (buffer >> 32).astype(np.float32) * np.float32(1 / DEPTH_STEPS)
    depth[triangle < 0] = np.inf
    return Raster(triangle.reshape(height, width), depth.reshape(height, width))


def rasterise(
    points: Floats, triangles: NDArray[np.int32], width: int, height: int, *, both_sides: bool
) -> Raster:
    """Draw opaque triangles; away-facing ones only with `both_sides`. See `fragments`."""
    chosen = np.arange(len(triangles)) if both_sides else np.flatnonzero(facing(points, triangles))
    return resolve([fragments(points, triangles, width, height, chosen)], width, height)


def barycentric(
    points: Floats,
    triangles: NDArray[np.int32],
    owner: NDArray[np.int32] | Integers,
    pixel: Integers | NDArray[np.intp],
    width: int,
) -> Floats:
    """Return (N, 3) float32 weights, summing to 1, of each pixel centre in its `owner` triangle."""
    few = 2 * len(owner) < len(triangles)
    corners = points[:, :2][triangles[owner] if few else triangles]
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    bx, by = (b - a).T
    cx, cy = (c - a).T
    area = bx * cy - cx * by
    area = np.where(np.abs(area) < 1e-12, np.float32(1e-12), area)
    # Per triangle: origin, and the two rows that give the second and the third weight.
    plan = np.stack([a[:, 0], a[:, 1], cy / area, -cx / area, -by / area, bx / area], axis=1)
    if not few:
        plan = plan[owner]
    row, column = np.divmod(pixel.astype(np.int32), np.int32(width))
    px = (column + np.float32(0.5)).astype(np.float32) - plan[:, 0]
    py = (row + np.float32(0.5)).astype(np.float32) - plan[:, 1]
    weights = np.empty((len(plan), 3), np.float32)
    # Rounding throws the weights of slivers far out; a claimed centre lies inside.
    weights[:, 1] = np.clip(px * plan[:, 2] + py * plan[:, 3], 0, 1)
    weights[:, 2] = np.clip(px * plan[:, 4] + py * plan[:, 5], 0, 1 - weights[:, 1])
    weights[:, 0] = 1 - weights[:, 1] - weights[:, 2]
    return weights
