"""Draw triangles of many pictures into one depth buffer: `heads/raster.py` in torch.

Pictures are squares of `side` samples, one after the other: sample (i, j) of picture p is pixel
p * side * side + j * side + i of the whole.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ..raster import DEPTH_STEPS

_EMPTY = torch.iinfo(torch.int64).max
_LAST_STEP = 2**31 - 2


class Fragments(NamedTuple):
    """Pixels claimed by triangles: `pixel`, `triangle` (N,) int64, `depth` (N,) float64."""

    pixel: Tensor
    triangle: Tensor
    depth: Tensor

    def where(self, kept: Tensor) -> Fragments:
        """Return the fragments at the rows, or under the mask, `kept`."""
        return Fragments(self.pixel[kept], self.triangle[kept], self.depth[kept])


def facing(points: Tensor, corners: Tensor) -> Tensor:
    """Return (M,) whether triangles turn their outer side to the viewer.

    `corners` (M, 3) are rows of `points` (V, 2 or more), x right and y down.
    """
    a, b, c = (points[corners[:, k], :2] for k in range(3))
    one, other = b - a, c - a
    return one[:, 0] * other[:, 1] - other[:, 0] * one[:, 1] < 0


def fragments(
    points: Tensor, corners: Tensor, picture: Tensor, names: Tensor, side: int
) -> Fragments:
    """Cut triangles into pixels.

    `points` (V, 3): x and y in samples of their picture, and depth; `corners` (M, 3) rows of them;
    `picture` (M,) the picture that a triangle is in, `names` (M,) what its fragments are called.
    """
    low, high = (points[corners].amin(1), points[corners].amax(1))
    # Those that slip between two rows of pixel centres are most of a fine mesh.
    seen = (high[:, 1] > 0) & (low[:, 1] < side) & (high[:, 0] > 0) & (low[:, 0] < side)
    seen &= (low[:, 1] - 0.5).ceil() < (high[:, 1] - 0.5).ceil()
    chosen = seen.nonzero()[:, 0]
    corner = points[corners[chosen]].double()
    order = corner[:, :, 1].argsort(dim=1, stable=True)
    top, middle, bottom = corner.gather(1, order[:, :, None].expand(-1, -1, 3)).unbind(1)
    first = (top[:, 1] - 0.5).ceil().clamp(0, side).long()
    rows = ((bottom[:, 1] - 0.5).ceil().clamp(0, side).long() - first).clamp(min=0)

    # Rows. Each edge runs from its upper end, so that both its triangles compute the same.
    owner, running = _repeated(rows)
    row = running + first[owner]
    y = row + 0.5
    upper, centre, lower = top[owner], middle[owner], bottom[owner]
    long = _edge(upper, lower, y)
    short = torch.where(y < centre[:, 1], _edge(upper, centre, y), _edge(centre, lower, y))
    left = (torch.fmin(short, long) - 0.5).ceil().clamp(0, side).long()
    right = (torch.fmax(short, long) - 0.5).ceil().clamp(0, side).long()

    # Depth is affine over the triangle: one gradient each.
    one, other = middle - top, bottom - top
    area = one[:, 0] * other[:, 1] - other[:, 0] * one[:, 1]
    area = torch.where(area.abs() < 1e-6, torch.inf, area)
    across = (one[:, 2] * other[:, 1] - other[:, 2] * one[:, 1]) / area
    down = (one[:, 0] * other[:, 2] - other[:, 0] * one[:, 2]) / area
    origin = top[:, 2] - top[:, 1] * down + (0.5 - top[:, 0]) * across

    # Pixels.
    span, running = _repeated((right - left).clamp(min=0))
    column = running + left[span]
    triangle = owner[span]
    start = (picture[chosen[owner]] * side + row) * side
    depth = (origin[owner] + y * down[owner])[span] + column * across[triangle]
    return Fragments(start[span] + column, names[chosen[triangle]], depth)


def _repeated(counts: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rows of `counts` (n,), each as often as it says, and a number that runs from 0 in
    each."""
    total = int(counts.sum())
    rows = torch.arange(len(counts), device=counts.device)
    owner = torch.repeat_interleave(rows, counts, output_size=total)
    ends = counts.cumsum(0)
    return owner, torch.arange(total, device=counts.device) - (ends - counts)[owner]


def _edge(upper: Tensor, lower: Tensor, y: Tensor) -> Tensor:
    """Return where edges (n, 2 or more) cross the heights `y` (n,)."""
    slope = (lower[:, 0] - upper[:, 0]) / (lower[:, 1] - upper[:, 1])
    return (y - upper[:, 1]) * slope + upper[:, 0]


def joined(parts: list[Fragments]) -> Fragments:
    """Return the fragments of all parts in one."""
    return Fragments(*(torch.cat(each) for each in zip(*parts, strict=True)))


def resolve(part: Fragments, pixels: int) -> tuple[Tensor, Tensor]:
    """Keep the nearest fragment of each pixel: `triangle` (pixels,) int64, -1 for none, and `depth`
    (pixels,) float32, inf for none. At equal depth the lower name wins; all that is farther than
    the buffer's 429 m counts as that far."""
    buffer = torch.full((pixels,), _EMPTY, dtype=torch.int64, device=part.pixel.device)
    steps = (part.depth * DEPTH_STEPS).clamp(0, _LAST_STEP).long()
    buffer.scatter_reduce_(0, part.pixel, (steps << 32) | part.triangle, "amin")
    empty = buffer == _EMPTY
    depth = (buffer >> 32).float() * (1 / DEPTH_STEPS)
    return (
        torch.where(empty, -1, buffer & 0xFFFFFFFF),
        torch.where(empty, torch.inf, depth),
    )


def barycentric(points: Tensor, corners: Tensor, pixel: Tensor, side: int) -> Tensor:
    """Return (N, 3) weights, summing to 1, of pixel centres in the triangles `corners` (N, 3)."""
    a, b, c = (points[corners[:, k], :2] for k in range(3))
    (bx, by), (cx, cy) = (b - a).unbind(1), (c - a).unbind(1)
    area = bx * cy - cx * by
    area = torch.where(area.abs() < 1e-12, 1e-12, area)
    place = pixel % (side * side)
    px = (place % side) + 0.5 - a[:, 0]
    py = torch.div(place, side, rounding_mode="floor") + 0.5 - a[:, 1]
    # Rounding throws the weights of slivers far out; a claimed centre lies inside.
    second = (px * (cy / area) - py * (cx / area)).clamp(0, 1)
    third = torch.minimum((py * (bx / area) - px * (by / area)).clamp(min=0), 1 - second)
    return torch.stack((1 - second - third, second, third), dim=1)


def interpolated(values: Tensor, corners: Tensor, weights: Tensor) -> Tensor:
    """Return (N, C) the weighted sums over the `corners` (N, 3) of `values` (V, C)."""
    return sum(values[corners[:, k]] * weights[:, k : k + 1] for k in range(3))  # type: ignore[return-value]
