"""What of a character's faces is seen in the framing, and how far each part can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..character.evaluate import Surface
from ..character.view import DEPTH_SLACK, FaceView, nearest_depth
from .gather import bilinear
from .parts import Parts, part_numbers
from .region import feathered, grown, shrunk
from .targets import Target

#: Cosine of the angle to the view at which a texel begins to count, and counts fully.
GRAZING, SQUARE = 0.12, 0.4
#: A mesh that no channel moves by this share of the view's width stands still.
STILL_SHARE = 1e-5
#: How steeply a surface may fall away, as depth over width in the image, without hiding itself.
STEEPEST = 3.0


@dataclass(frozen=True)
class Worn:
    """The faces that wear a texture, of one or several meshes, as seen by the camera.

    `local` (V,3) positions and `normals` (V,3) in camera axes (z towards the viewer), `triangles`
    (T,3) int32 into them, `uv` (T,3,2) float32 with the tile at 0..1, v up, `part` (T,) int32 which
    part of the character a face belongs to (see `parts`).
    """

    local: NDArray[np.float64]
    normals: NDArray[np.float64]
    triangles: NDArray[np.int32]
    uv: NDArray[np.float32]
    part: NDArray[np.int32]


def worn_by(view: FaceView, surfaces: dict[str, Surface], target: Target) -> Worn:
    """Return the faces that wear a target's texture; `surfaces` by object name.

    An image repeats itself outside 0..1, so that faces there are brought in whole; of a UDIM
    image only the tile's own faces are taken.
    """
    rotation = view.framing.camera_to_world[:3, :3]
    local, normals, triangles, uv, parts, count = [], [], [], [], [], 0
    meshes = list(surfaces)
    for part in target.parts:
        surface = surfaces.get(part.object_name)
        if surface is None or surface.uv is None:
            continue
        chosen = np.isin(surface.material, list(part.slots))
        corners = surface.uv[chosen]
        middle = np.floor(corners.mean(axis=1, dtype=np.float64))
        inside = np.isfinite(corners).all(axis=(1, 2))
        if target.tiled:
            inside &= (middle == target.offset).all(axis=1)
        local.append(view.framing.camera_space(surface.positions))
        normals.append(surface.normals @ rotation)
        triangles.append(surface.triangles[chosen][inside] + count)
        uv.append((corners - middle[:, None])[inside].astype(np.float32))
        number = part_numbers(meshes.index(part.object_name), surface.material)
        parts.append(number[chosen][inside])
        count += len(surface.positions)
    return Worn(
        np.concatenate([np.zeros((0, 3)), *local]),
        np.concatenate([np.zeros((0, 3)), *normals]),
        np.concatenate([np.zeros((0, 3), np.int32), *triangles]),
        np.concatenate([np.zeros((0, 3, 2), np.float32), *uv]),
        np.concatenate([np.zeros(0, np.int32), *parts]),
    )


@dataclass(frozen=True)
class Sight:
    """The first opaque surface at each pixel, and what lies clear of anything in front of it.

    `nearest` (R,R) float32 as in the view, `clear` (R,R) float32: 1 away from nearer surfaces,
    falling to 0 beside them, where a picture mixes both and motion soon covers what is behind.
    `parts` tells the same of parts that lie near each other.
    """

    view: FaceView
    clear: NDArray[np.float32]
    parts: Parts

    def clearness(
        self, pixels: NDArray[np.floating[Any]], part: NDArray[np.int32]
    ) -> NDArray[np.float32]:
        """Return for (N,2) pixels and the parts (N,) seen there how clear they are, 0..1."""
        size = self.view.framing.resolution
        clear = bilinear(pixels, size, size)(self.clear)
        return np.minimum(clear, self.parts.clear(pixels, part))

    def visible(self, pixels: NDArray[np.floating[Any]], depth: NDArray[np.floating[Any]]) -> Any:
        """Return for (N,2) pixel positions at (N,) depths whether nothing lies in front."""
        return self.view.visibility(pixels, depth)


def sight_of(
    view: FaceView, surfaces: dict[str, Surface], motion: NDArray[np.floating[Any]]
) -> Sight:
    """Return what is seen in a view, and what is clear of occluders; `surfaces` by object name.

    `motion` (T,R,R,2), pixels, is how the generated pictures move: what stands before the face in
    them, as glasses do, moves along, over the skin beside it.
    """
    size, width = view.framing.resolution, view.framing.width
    step = max(1, round(size / 340))
    nearest = np.where(np.isfinite(view.nearest), view.nearest, np.float32(1e9))
    clear = np.zeros((size, size), np.float32)
    radii = [step, 2 * step, 3 * step]
    for radius in radii:
        slack = DEPTH_SLACK * width + radius * STEEPEST * width / size
        clear += (nearest - shrunk(nearest, radius) <= slack) / np.float32(len(radii))
    border = border_before(view, surfaces)
    if border.any():
        farthest = float(np.linalg.norm(motion[:, border].astype(np.float32), axis=-1).max())
        reached = grown(border.astype(np.float32), int(np.ceil(farthest)) + step)
        clear = np.minimum(clear, 1 - reached)
    return Sight(view, np.minimum(clear, feathered(clear, step)), Parts(view, surfaces))


def border_before(view: FaceView, surfaces: dict[str, Surface]) -> NDArray[np.bool_]:
    """Return the border (R,R) of what stands before the face and no channel moves.

    Glasses, a fringe; not what lies on the skin, as brows may, nor what lies behind it, as eyes do.
    `surfaces` by object name, all of the view.
    """
    width = view.framing.width
    moving = {view.face.name} | {
        part.name
        for part in view.face.parts
        if np.abs(part.displacement).max(initial=0) > STILL_SHARE * width
    }
    others = [one for name, one in surfaces.items() if name not in moving]
    here = nearest_depth(view.framing, *others)
    first = np.isfinite(here) & (here <= view.nearest)
    behind = np.where(first | ~np.isfinite(view.nearest), np.float32(0), view.nearest)
    return np.asarray(first & (grown(behind, 1) > here + np.float32(DEPTH_SLACK * width)))


def squareness(
    local: NDArray[np.floating[Any]], normals: NDArray[np.floating[Any]]
) -> NDArray[np.float32]:
    """Return 0..1 for surface points (N,3) with normals (N,3) in camera axes: 1 seen squarely."""
    length = np.linalg.norm(normals, axis=1) * np.linalg.norm(local, axis=1)
    cosine = -(local * normals).sum(axis=1) / np.maximum(length, 1e-12)
    square = np.clip((cosine - GRAZING) / (SQUARE - GRAZING), 0, 1)
    return np.asarray(square * square * (3 - 2 * square), np.float32)


def cast_surfaces(obj: Any, companions: Sequence[Any], view: FaceView) -> dict[str, Surface]:
    """Return the surfaces of a view by the names of their objects."""
    return {
        str(obj.name): view.face.surface,
        **{str(one.name): surface for one, surface in zip(companions, view.others, strict=True)},
    }
