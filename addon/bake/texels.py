"""Where each texel of a texture lies in the framing's image: once per bake, band by band."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..character.framing import Framing
from ..character.raster import candidates
from .gather import bilinear
from .sight import Sight, Worn, squareness

__all__ = ["TexelMap", "bilinear", "map_texels", "padding_texels"]

#: Texels handled at once; bounds the memory, whatever the texture's size.
BAND_TEXELS = 1 << 22
#: Two faces on one texel are the same surface if they lie this near, in widths of the view.
SAME_PLACE = 0.01
#: A texel's centre lies inside a face, and not on its border, by this barycentric share.
INSIDE = 1e-5

Ints = NDArray[np.int32]


@dataclass(frozen=True)
class TexelMap:
    """The texels of one texture that are seen in the framing, rows from the top.

    `index` (N,) int32 ascending, into the flattened (height, width) texture; `pixels` (N,2)
    float32 positions in the neutral image; `trust` (N,) float32 in (0, 1]: 1 where the surface is
    seen squarely, falling to 0 at grazing angles and towards hidden parts. `shared` counts the
    texels that were left out because two places of the surface use them.
    """

    height: int
    width: int
    index: Ints
    pixels: NDArray[np.float32]
    trust: NDArray[np.float32]
    shared: int = 0


def padding_texels(height: int, width: int) -> int:
    """Return how far beyond the border of a UV island texels are filled, for filtering."""
    return max(4, min(height, width) // 256)


def map_texels(
    worn: Worn,
    sight: Sight,
    height: int,
    width: int,
    wanted: NDArray[np.bool_] | None = None,
) -> TexelMap:
    """Return where the texels of the faces `worn` lie in the image.

    Positions are interpolated in space, so that perspective is right. `wanted` (R,R) leaves out
    texels elsewhere in the image. Hidden texels are never in the map; nor are those that faces at
    two places share, or that no face covers, but for the padding around islands.
    """
    found = _Found(np.zeros(height * width, bool))
    corners = worn.uv * np.array([width, -height], np.float32) + np.array(
        [-0.5, height - 0.5], np.float32
    )
    rows = max(1, BAND_TEXELS // width)
    for top in range(0, height, rows):
        deep = min(rows, height - top)
        _map_band(
            found, worn, sight, corners - np.array([0, top], np.float32), top, deep, width, wanted
        )
    index = _joined(found.index, np.int32, 0)
    pixels = _joined(found.pixels, np.float32, 2)
    trust = _joined(found.trust, np.float32, 0)
    grown, source = _padding(found.covered, index, height, width)
    order = np.argsort(np.concatenate([index, grown]), kind="stable")
    taken = np.concatenate([np.arange(len(index)), source])[order]
    return TexelMap(
        height,
        width,
        np.concatenate([index, grown])[order],
        pixels[taken],
        trust[taken],
        found.shared,
    )


@dataclass
class _Found:
    """What the bands have found so far; `covered` (H*W,) is any texel of any face."""

    covered: NDArray[np.bool_]

    def __post_init__(self) -> None:
        self.index: list[Ints] = []
        self.pixels: list[NDArray[np.float32]] = []
        self.trust: list[NDArray[np.float32]] = []
        self.shared = 0


def _map_band(
    found: _Found,
    worn: Worn,
    sight: Sight,
    corners: NDArray[np.float32],
    top: int,
    height: int,
    width: int,
    wanted: NDArray[np.bool_] | None,
) -> None:
    near = np.float32(SAME_PLACE * sight.view.framing.width) ** 2
    owner = np.full(height * width, -1, np.int32)
    place = np.empty((height * width, 3), np.float32)
    shares = np.empty((height * width, 3), np.float32)
    twice = _Twice(np.zeros(height * width, bool))
    for triangle, texel, barycentric in candidates(corners, height, width):
        here = _mixed(worn.local, worn.triangles[triangle], barycentric)
        inside = barycentric.min(axis=1) > INSIDE
        taken = inside & (owner[texel] >= 0)
        twice.add(texel[taken], here[taken], place[texel[taken]], near)
        owner[texel] = triangle
        place[texel] = here
        shares[texel] = barycentric
        # Of two faces on one texel the later one won; the other may lie elsewhere.
        twice.add(texel[inside], here[inside], place[texel[inside]], near)
    found.covered[top * width : (top + height) * width] = owner >= 0
    chosen = np.flatnonzero(owner >= 0).astype(np.int32)
    pixels, kept = _seen(sight, place[chosen], wanted)
    chosen, pixels = chosen[kept], pixels[kept]
    found.shared += twice.count(sight, wanted)
    normals = _mixed(worn.normals, worn.triangles[owner[chosen]], shares[chosen])
    trust = squareness(place[chosen], normals)
    trust *= sight.clearness(pixels, worn.part[owner[chosen]])
    kept = (trust > 0) & ~twice.shared[chosen]
    found.index.append(chosen[kept] + np.int32(top * width))
    found.pixels.append(pixels[kept])
    found.trust.append(trust[kept])


@dataclass
class _Twice:
    """Texels (N,) `shared` by two places of the surface."""

    shared: NDArray[np.bool_]

    def __post_init__(self) -> None:
        self._texels: list[Ints] = []
        self._places: list[NDArray[np.float32]] = []

    def add(
        self,
        texels: NDArray[np.integer[Any]],
        one: NDArray[np.float32],
        other: NDArray[np.float32],
        limit: np.float32,
    ) -> None:
        """Mark texels whose points (n,3) lie further apart than the root of a limit."""
        far = ((one - other) ** 2).sum(axis=1) > limit
        if far.any():
            self.shared[texels[far]] = True
            self._texels += [texels[far].astype(np.int32)] * 2
            self._places += [one[far], other[far]]

    def count(self, sight: Sight, wanted: NDArray[np.bool_] | None) -> int:
        """Return how many shared texels have one of their places in wanted sight."""
        if not self._texels:
            return 0
        _, kept = _seen(sight, np.concatenate(self._places), wanted)
        return len(np.unique(np.concatenate(self._texels)[kept]))


def _seen(
    sight: Sight, places: NDArray[np.float32], wanted: NDArray[np.bool_] | None
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return where points (N,3) lie in the image, and which are visible and wanted."""
    pixels, depth = projected(sight.view.framing, places)
    seen = np.asarray(sight.visible(pixels, depth))
    if wanted is not None:
        size = sight.view.framing.resolution
        column = np.clip(np.rint(pixels[:, 0]), 0, size - 1).astype(np.int32)
        row = np.clip(np.rint(pixels[:, 1]), 0, size - 1).astype(np.int32)
        seen &= wanted[row, column]
    return pixels, seen


def projected(
    framing: Framing, local: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return (N,2) positions in the image and (N,) depths of points (N,3) in camera axes."""
    depth = np.maximum(-local[:, 2], np.float32(1e-9))
    scale = np.float32(framing.focal_pixels) / depth
    centre = np.float32(framing.resolution / 2 - 0.5)
    x, y = centre + local[:, 0] * scale, centre - local[:, 1] * scale
    return np.stack([x, y], axis=1), depth


def _mixed(
    values: NDArray[np.float64], triangles: Ints, shares: NDArray[np.floating[Any]]
) -> NDArray[np.float32]:
    """Return (N,3) values at points of triangles, by barycentric shares (N,3)."""
    total = values[triangles[:, 0]] * shares[:, :1]
    for corner in (1, 2):
        total += values[triangles[:, corner]] * shares[:, corner : corner + 1]
    return np.asarray(total, np.float32)


def _padding(
    covered: NDArray[np.bool_], index: Ints, height: int, width: int
) -> tuple[Ints, NDArray[np.int64]]:
    """Return the empty texels around the islands that take after a texel of `index`, and which.

    An empty texel takes after the nearest covered one; where that is not of `index`, it belongs
    to another island and is left as it is.
    """
    border = np.flatnonzero(_border(covered.reshape(height, width))).astype(np.int32)
    at = np.searchsorted(index, border)
    mine = (
        (at < len(index)) & (index[np.minimum(at, max(len(index) - 1, 0))] == border)
        if len(index)
        else np.zeros(len(border), bool)
    )
    source = np.where(mine, at, -1)
    full = covered.copy()
    texels, sources = [], []
    for _ in range(padding_texels(height, width)):
        next_border, next_source = [], []
        column = border % width
        for step, allowed in (
            (-width, border >= width),
            (width, border < (height - 1) * width),
            (-1, column > 0),
            (1, column < width - 1),
        ):
            neighbour, origin = border[allowed] + np.int32(step), source[allowed]
            empty = ~full[neighbour]
            full[neighbour[empty]] = True
            next_border.append(neighbour[empty])
            next_source.append(origin[empty])
        border, source = np.concatenate(next_border), np.concatenate(next_source)
        texels.append(border[source >= 0])
        sources.append(source[source >= 0])
    return np.concatenate(texels), np.concatenate(sources)


def _border(covered: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the covered texels (H,W) beside an empty one."""
    inner = covered.copy()
    inner[1:] &= covered[:-1]
    inner[:-1] &= covered[1:]
    inner[:, 1:] &= covered[:, :-1]
    inner[:, :-1] &= covered[:, 1:]
    return covered & ~inner


def _joined(parts: list[NDArray[Any]], kind: type[Any], columns: int) -> NDArray[Any]:
    empty = np.zeros((0, columns) if columns else 0, kind)
    return np.concatenate([empty, *parts])
