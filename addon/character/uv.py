"""What is wrong with a mesh's texture coordinates, as far as a texture bake is concerned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..bake.targets import base_colour_socket, image_node
from .raster import candidates

#: Side of the grid that overlaps are looked for on.
GRID = 512
#: A face this small in UV space (of a whole tile) holds no texel at any size.
NO_AREA = 1e-10
#: A grid point lies inside a face, and not on its border, by this barycentric share.
INSIDE = 1e-3
#: Overlaps of a smaller share of what is covered are folds that nobody sees.
OVERLAP_SHARE = 0.002
#: Faces may reach this far beyond a tile: rounding, and borders that touch it.
OUTSIDE = 0.01


@dataclass(frozen=True)
class UvReport:
    """What was found.

    `invalid`, `flat`, `outside` count triangles: with NaN coordinates, without area in UV space
    though they have one in space, across or beyond the border of a tile. `overlap` and `mirrored`
    are shares 0..1 of the covered texels: used by several faces, and by faces of both
    orientations (halves that share one place by mirroring).
    """

    triangles: int
    invalid: int
    flat: int
    outside: int
    overlap: float
    mirrored: float

    def remarks(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong, each with its remedy."""
        if self.invalid:
            yield (
                f"{self.invalid} triangles have invalid (NaN) UVs and are left out of a texture"
                " bake.",
                "Unwrap them again (UV > Unwrap).",
            )
        if self.flat:
            yield (
                f"{self.flat} triangles have no area in UV space and get no texture of their own.",
                "Unwrap them (UV > Unwrap) if they should show an expression.",
            )
        if self.outside:
            yield (
                f"{self.outside} triangles lie outside the first UV tile; whole ones are brought"
                " in, as the image repeats, those across a border are baked in part.",
                "Move the UVs of the face into the range from 0 to 1, or use a UDIM image.",
            )
        if self.mirrored > OVERLAP_SHARE:
            yield (
                f"Mirrored UVs share {self.mirrored:.0%} of the texels: both halves show the same"
                " texture and cannot hold an uneven expression; shared texels are not baked.",
                "Move one half's islands to a place or a UDIM tile of their own.",
            )
        elif self.overlap > OVERLAP_SHARE:
            yield (
                f"Overlapping UVs share {self.overlap:.0%} of the texels, which are not baked.",
                "Pack the islands apart (UV > Pack Islands).",
            )


def check_uv(obj: Any) -> UvReport | None:
    """Return what is wrong with the UVs of a mesh object, None where it has none.

    Takes half a second on a head of 40,000 triangles.
    """
    mesh = obj.data
    layer = next((one for one in mesh.uv_layers if one.active_render), None)
    if layer is None or not len(mesh.polygons):
        return None
    mesh.calc_loop_triangles()
    count = len(mesh.loop_triangles)
    loops = np.empty(count * 3, np.int32)
    mesh.loop_triangles.foreach_get("loops", loops)
    area = np.empty(count, np.float32)
    mesh.loop_triangles.foreach_get("area", area)
    slots = np.empty(count, np.int32)
    mesh.loop_triangles.foreach_get("material_index", slots)
    flat = np.empty(len(mesh.loops) * 2, np.float32)
    layer.uv.foreach_get("vector", flat)
    corners = flat.reshape(-1, 2)[loops].reshape(count, 3, 2).astype(np.float64)
    sheets = np.array([_sheet(slot.material) for slot in obj.material_slots] or [""])
    sheet = np.unique(sheets, return_inverse=True)[1][np.clip(slots, 0, len(sheets) - 1)]
    tiled = np.array([_tiled(slot.material) for slot in obj.material_slots] or [False])
    return report(corners, area > 0, sheet, tiled[np.clip(slots, 0, len(tiled) - 1)])


def report(
    corners: NDArray[np.float64],
    solid: NDArray[np.bool_],
    sheet: NDArray[np.integer[Any]],
    tiled: NDArray[np.bool_],
) -> UvReport:
    """Return what is wrong with UV triangles `corners` (T,3,2).

    `solid` (T,) have an area in space, `sheet` (T,) says which texture they wear and `tiled` (T,)
    whether it has UDIM tiles.
    """
    valid = np.isfinite(corners).all(axis=(1, 2))
    safe = np.where(valid[:, None, None], corners, 0)
    edge_a, edge_b = safe[:, 1] - safe[:, 0], safe[:, 2] - safe[:, 0]
    double = edge_a[:, 0] * edge_b[:, 1] - edge_a[:, 1] * edge_b[:, 0]
    flat = valid & solid & (np.abs(double) < 2 * NO_AREA)
    home = np.floor(safe.mean(axis=1))
    inner = safe - home[:, None]
    across = ((inner < -OUTSIDE) | (inner > 1 + OUTSIDE)).any(axis=(1, 2))
    outside = valid & ~flat & (across | (~tiled & (home != 0).any(axis=1)))
    shared = mirrored = covered = 0
    usable = valid & ~flat
    # A repeating image has one tile; each UDIM tile is a sheet of its own.
    tile = np.where(tiled, home[:, 1] * 10 + home[:, 0] + 1, 0)
    for key in np.unique(np.stack([sheet, tile], axis=1)[usable], axis=0):
        chosen = usable & (sheet == key[0]) & (tile == key[1])
        found = _overlaps(inner[chosen], double[chosen] > 0)
        covered, shared, mirrored = (
            total + part for total, part in zip((covered, shared, mirrored), found, strict=True)
        )
    return UvReport(
        len(corners),
        int((~valid).sum()),
        int(flat.sum()),
        int(outside.sum()),
        shared / max(covered, 1),
        mirrored / max(covered, 1),
    )


def _overlaps(corners: NDArray[np.float64], upright: NDArray[np.bool_]) -> tuple[int, int, int]:
    """Return how many grid points are covered, covered twice, and by both orientations."""
    counts = np.zeros((2, GRID * GRID), np.int32)
    for triangle, point, shares in candidates(corners * GRID - 0.5, GRID, GRID):
        inside = shares.min(axis=1) > INSIDE
        for side in (0, 1):
            here = point[inside & (upright[triangle] == bool(side))]
            counts[side] += np.bincount(here, minlength=GRID * GRID).astype(np.int32)
    total = counts.sum(axis=0)
    return (
        int((total > 0).sum()),
        int((total > 1).sum()),
        int((counts > 0).all(axis=0).sum()),
    )


def _sheet(material: Any) -> str:
    """Return what tells a material's texture from others: its image, or its own name."""
    image = _image(material)
    if image is not None:
        return f"image {image.name}"
    return "" if material is None else f"material {material.name}"


def _tiled(material: Any) -> bool:
    image = _image(material)
    return image is not None and bool(image.source == "TILED")


def _image(material: Any) -> Any:
    socket = base_colour_socket(material)
    node = None if socket is None else image_node(socket)
    return None if node is None else node.image
