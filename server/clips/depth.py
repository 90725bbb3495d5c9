"""How deep faces are, and how they differ: an average, and what they differ by most.

The depths are those of heads of three families, in the crop that every face is cut to, each seen
from about the front. What a tilt of the whole face makes is told apart; the rest is an average and
principal components (Sirovich and Kirby, JOSA A 4, 1987), and how far a head strays from both,
place by place. They ship as `depth.npz`, which this makes again:
`python -m microface.server.clips.depth HEADS`, with the folder of the head packs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .crop import NETWORK_PIXELS
from .template import CROP_UNITS, template

if TYPE_CHECKING:
    from ...models.heads.families import RenderHead

STORED = Path(__file__).with_name("depth.npz")
#: Cells a side of the maps, and how many components are kept.
CELLS, COMPONENTS = 64, 24
#: Heads of each large family.
HEADS = 70
RENDERED_PIXELS = 128
#: Views: standard deviations of yaw and pitch in degrees; distances of the camera in centimetres.
YAW, PITCH, DISTANCES = 4.0, 5.0, (60.0, 200.0)
#: Heads that nobody has seen stray farther than these, by this factor and so many pixels.
STRAY_FACTOR, STRAY_PIXELS = 1.3, 0.5
#: Nothing in the crop is deeper, in its pixels.
DEEPEST_PIXELS = 200.0


@dataclass(frozen=True)
class Depths:
    """Depths (64 * 64 points) towards the viewer in pixels of the crop: `average` (N,),
    `components` (K, N), each for one standard deviation, and `stray` (N,), the standard
    deviation of what these leave."""

    average: NDArray[np.float64]
    components: NDArray[np.float64]
    stray: NDArray[np.float64]


@cache
def depths() -> Depths:
    """Return what is known of faces' depths, as it ships."""
    with np.load(STORED) as stored:
        components = stored["components"] * stored["scale"][:, None].astype(np.float64)
        return Depths(
            stored["average"].astype(np.float64), components, stored["stray"].astype(np.float64)
        )


def tilts() -> NDArray[np.float64]:
    """Return (3, N) what lies level, and what rises by a pixel a pixel across and down."""
    maps, unit = template(CELLS), NETWORK_PIXELS / CROP_UNITS
    level = np.ones(CELLS * CELLS)
    rising = np.stack([level, maps.x.ravel() * unit, maps.y.ravel() * unit])
    return np.asarray(rising, dtype=np.float64)


def depths_of(maps: NDArray[np.floating[Any]]) -> Depths:
    """Return what depth maps (M, N) of heads tell."""
    worth = np.sqrt(template(CELLS).face.ravel().astype(np.float64))
    level = tilts()
    tilted = np.linalg.lstsq((level * worth).T, (maps * worth).T, rcond=None)[0].T
    flat = maps - tilted @ level
    average = flat.mean(0)
    off = flat - average
    amounts = np.linalg.svd(off * worth, full_matrices=False)[0]
    amounts = amounts[:, :COMPONENTS] * np.sqrt(len(maps))
    components = amounts.T @ off / len(maps)
    stray = np.sqrt(((off - amounts @ components) ** 2).mean(0))
    return Depths(average + tilted.mean(0) @ level, components, STRAY_FACTOR * stray + STRAY_PIXELS)


def depth_map(head: RenderHead, yaw: float, pitch: float, distance: float) -> NDArray[np.float64]:
    """Return the depth (64 * 64) of a head in its crop, seen from degrees and centimetres.

    Zero is the landmarks' mean; beyond the head's outline the depth goes on smoothly.
    """
    from ...models.heads.keypoints import keypoints_from_landmarks
    from ...models.heads.raster import facing, fragments, resolve
    from ...models.heads.scene import Camera, crop_of, rotation

    camera = Camera(rotation(yaw, pitch), distance, np.eye(2, 3, dtype=np.float32))
    plane = camera.plane(head.rest[head.landmarks])
    camera = replace(camera, crop=crop_of(keypoints_from_landmarks(plane[:, :2])))
    points = camera.project(head.rest, RENDERED_PIXELS)
    solid = np.array([surface.layer == "opaque" for surface in head.surfaces])
    chosen = np.flatnonzero(solid[head.surface])
    chosen = chosen[facing(points, head.triangles[chosen])]
    side = RENDERED_PIXELS
    raster = resolve([fragments(points, head.triangles, side, side, chosen)], side, side)
    pixels = NETWORK_PIXELS * float(np.sqrt(abs(np.linalg.det(camera.crop[:, :2]))))
    seen = raster.triangle >= 0
    depth = (float(plane[17:, 2].mean()) - np.where(seen, raster.depth, 0)) * pixels
    return _continued(np.maximum(depth, -DEEPEST_PIXELS), seen)


def _continued(depth: NDArray[np.floating[Any]], seen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return means over the cells (64 * 64), filled from ever farther off where little is seen."""
    small = (CELLS, CELLS)
    share = cv2.resize(seen.astype(np.float64), small, interpolation=cv2.INTER_AREA)
    total = cv2.resize(np.where(seen, depth, 0.0), small, interpolation=cv2.INTER_AREA)
    filled = np.asarray(total / np.maximum(share, 1e-9), dtype=np.float64)
    known = share > 0.25
    for width in (1, 2, 4, 8, 16, 32):
        near = cv2.GaussianBlur(known.astype(np.float64), (0, 0), width)
        mean = cv2.GaussianBlur(np.where(known, filled, 0.0), (0, 0), width)
        fresh = ~known & (near > 0.02)
        filled[fresh] = mean[fresh] / near[fresh]
        known |= fresh
    return np.asarray(filled.ravel(), dtype=np.float64)


def training_maps(packs: Path) -> Iterator[NDArray[np.float64]]:
    """Yield depth maps of the built-in heads, and of heads for training in a folder of packs."""
    from ...head.head import build_head
    from ...head.identity import IDENTITIES
    from ...models.heads.packs import load_ict, load_makehuman
    from ...models.heads.procedural import render_head

    def heads() -> Iterable[RenderHead]:
        yield from (render_head(build_head(identity, 64)) for identity in IDENTITIES.values())
        for family in (load_ict(packs), load_makehuman(packs)):
            yield from map(family.sample, range(HEADS))

    rng = np.random.default_rng(1)
    for head in heads():
        distance = float(np.exp(rng.uniform(*np.log(DISTANCES))))
        yield depth_map(head, rng.normal(0, YAW), rng.normal(0, PITCH), distance)


def store(packs: Path, path: Path = STORED) -> None:
    """Measure the depths of `training_maps` and write what they tell, a byte a number."""
    found = depths_of(np.stack(list(training_maps(packs))))
    scale = np.abs(found.components).max(1) / 127
    small = np.round(found.components / scale[:, None]).astype(np.int8)
    average, stray = found.average.astype(np.float16), found.stray.astype(np.float16)
    np.savez_compressed(
        path, average=average, components=small, scale=scale.astype(np.float32), stray=stray
    )


if __name__ == "__main__":
    store(Path(sys.argv[1]))
