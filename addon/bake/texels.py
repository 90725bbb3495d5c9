"""Where each texel of a texture lies in the framing's image: once per bake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ..character.raster import rasterise
from ..character.view import FaceView

#: Cosine of the angle to the view at which a texel begins to count, and counts fully.
GRAZING, SQUARE = 0.12, 0.4
#: Texels beyond the edge of a UV island that are filled too, for filtering.
PADDING = 3


@dataclass(frozen=True)
class TexelMap:
    """The texels of one texture that are seen in the framing.

    `index` (N,) int64 into the flattened (height, width) texture, rows from the top; `pixels`
    (N,2) float32 positions in the neutral image; `trust` (N,) float32 in (0, 1]: 1 where the
    surface is seen squarely, falling to 0 at grazing angles and towards hidden parts. `vertices`
    (N,3) and `shares` (N,3) say which vertices a texel lies between.
    """

    height: int
    width: int
    index: NDArray[np.int64]
    pixels: NDArray[np.float32]
    trust: NDArray[np.float32]
    vertices: NDArray[np.int32]
    shares: NDArray[np.float32]

    def only(self, chosen: NDArray[np.bool_]) -> TexelMap:
        """Return the map of the chosen texels (N,) alone."""
        return TexelMap(
            self.height,
            self.width,
            self.index[chosen],
            self.pixels[chosen],
            self.trust[chosen],
            self.vertices[chosen],
            self.shares[chosen],
        )

    def carried(self, motion: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Return where the texels lie when the vertices have moved by `motion` (V,2) pixels."""
        moved = np.einsum("nc,ncd->nd", self.shares, motion[self.vertices])
        return np.asarray(self.pixels + moved, np.float32)


def map_texels(view: FaceView, slots: frozenset[int], height: int, width: int) -> TexelMap:
    """Return where the texels of the faces with these material slots lie in the image.

    Positions are interpolated in space, so that perspective is right. Texture coordinates
    outside 0..1 are left out.
    """
    surface = view.face.surface
    if surface.uv is None:
        raise InputError("The mesh has no UVs.", "Unwrap the mesh (UV > Unwrap), then bake again.")
    ids = np.flatnonzero(np.isin(surface.material, list(slots)))
    corners = surface.uv[ids] * [width, -height] + [-0.5, height - 0.5]
    seen, barycentric, _ = rasterise(corners, None, height, width)
    seen, barycentric = _padded(seen, barycentric)
    covered = np.flatnonzero(seen.ravel() >= 0)
    triangles = surface.triangles[ids[seen.ravel()[covered]]]
    shares = barycentric.reshape(-1, 3)[covered].astype(np.float64)
    positions = np.einsum("nc,ncd->nd", shares, surface.positions[triangles])
    normals = np.einsum("nc,ncd->nd", shares, surface.normals[triangles])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    pixels, depth = view.framing.project(positions)
    square = np.clip((view.facing(positions, normals) - GRAZING) / (SQUARE - GRAZING), 0, 1)
    trust = np.zeros(height * width, np.float32)
    trust[covered] = square * square * (3 - 2 * square) * view.visibility(pixels, depth)
    trust = _shrunk(trust.reshape(height, width)).ravel()[covered]
    used = trust > 0
    return TexelMap(
        height,
        width,
        covered[used],
        pixels[used].astype(np.float32),
        trust[used],
        triangles[used],
        shares[used].astype(np.float32),
    )


def _padded(
    seen: NDArray[np.int32], barycentric: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Let the islands grow: an empty texel takes after a covered neighbour."""
    for _ in range(PADDING):
        for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1)):
            neighbour = np.roll(seen, step, axis)
            edge = [slice(None), slice(None)]
            edge[axis] = slice(0, 1) if step == 1 else slice(-1, None)
            neighbour[tuple(edge)] = -1
            fill = (seen < 0) & (neighbour >= 0)
            seen = np.where(fill, neighbour, seen)
            barycentric = np.where(fill[..., None], np.roll(barycentric, step, axis), barycentric)
    return seen, barycentric


def _shrunk(trust: NDArray[np.float32]) -> NDArray[np.float32]:
    """Feather towards hidden texels: a box mean of the local minimum, never above the original."""
    radius = max(1, round(min(trust.shape) / 256))
    low = _slid(trust, radius, np.minimum)
    total = low.copy()
    for axis in (0, 1):
        total = sum(
            (np.roll(total, step, axis) for step in range(-radius, radius + 1)),
            np.zeros_like(total),
        ) / (2 * radius + 1)
    return np.asarray(np.where(trust > 0, np.minimum(trust, total), 0), np.float32)


def _slid(values: NDArray[np.float32], radius: int, ufunc: np.ufunc) -> NDArray[np.float32]:
    result = values
    for axis in (0, 1):
        once = result
        for step in range(-radius, radius + 1):
            result = ufunc(result, np.roll(once, step, axis))
    return result


@dataclass(frozen=True)
class Gather:
    """Bilinear look-ups of image values at fixed points.

    `corners` (4,N) int64 flat pixel indices, `shares` (4,N) float32 that sum to 1.
    """

    corners: NDArray[np.int64]
    shares: NDArray[np.float32]

    def __call__(self, image: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Return the values (N,) or (N,C) of an image (H,W) or (H,W,C) at the points."""
        flat = image.reshape(image.shape[0] * image.shape[1], -1)
        result = np.zeros((self.corners.shape[1], flat.shape[1]), np.float32)
        for corner, share in zip(self.corners, self.shares, strict=True):
            result += flat[corner] * share[:, None]
        return result[:, 0] if image.ndim == 2 else result


def bilinear(pixels: NDArray[np.floating[Any]], height: int, width: int) -> Gather:
    """Return the look-up at (N,2) array positions (x, y); points outside take the border."""
    x = np.clip(np.asarray(pixels[:, 0], np.float64), 0, width - 1)
    y = np.clip(np.asarray(pixels[:, 1], np.float64), 0, height - 1)
    left = np.minimum(x.astype(np.int64), max(width - 2, 0))
    top = np.minimum(y.astype(np.int64), max(height - 2, 0))
    right, below = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    a, b = x - left, y - top
    corners = np.stack(
        [top * width + left, top * width + right, below * width + left, below * width + right]
    )
    shares = np.stack([(1 - a) * (1 - b), a * (1 - b), (1 - a) * b, a * b])
    return Gather(corners, shares.astype(np.float32))
