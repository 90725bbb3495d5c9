"""The built-in head, put together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .arrays import Floats
from .assemble import assemble
from .identity import IDENTITIES, Identity
from .measures import measure
from .skin import build_skin
from .texture import paint

MATERIALS = ("skin", "eye", "teeth", "gums", "tongue", "brow", "lash", "hair", "mouth", "cloth")


@dataclass(frozen=True)
class Head:
    """A head with its expressions.

    `vertices` (V, 3) float32 in centimetres: +x subject's left, +y up, +z out of the face, origin
    midway between the eyeballs. `faces` (F, 4) int32, counter-clockwise from outside, last index
    -1 for a triangle. `uv` (M, 2) float32 in [0, 1], v up, and `uv_faces` (F, 4) int32 like
    `faces`. `material` (F,) uint8 indexes `material_names`. `shapes` (S, V, 3) float32 is each of
    `shape_names`' displacement at weight 1: the 52 ARKit names, then what ARKit lacks.
    `landmarks` (68,) int32 are the Multi-PIE vertices. `texture` (H, W, 3) uint8 sRGB serves all
    materials, row 0 at v = 1.
    """

    vertices: npt.NDArray[np.float32]
    faces: npt.NDArray[np.int32]
    uv: npt.NDArray[np.float32]
    uv_faces: npt.NDArray[np.int32]
    material: npt.NDArray[np.uint8]
    material_names: tuple[str, ...]
    shape_names: tuple[str, ...]
    shapes: npt.NDArray[np.float32]
    landmarks: npt.NDArray[np.int32]
    texture: npt.NDArray[np.uint8]


def build_head(identity: Identity = IDENTITIES["ada"], texture_size: int = 1024) -> Head:
    """Return the head of `identity` with a texture `texture_size` texels square.

    Equal arguments give equal heads, bit by bit; every identity has the same topology but for its
    hair, whose vertices come last.
    """
    m = measure(identity)
    skin = build_skin(m)
    built = assemble(m, skin, MATERIALS)
    texture = paint(m, skin, built.skin_u, built.skin_v, texture_size)
    return Head(
        vertices=_rounded(built.points),
        faces=built.faces.astype(np.int32),
        uv=_rounded(built.uv),
        uv_faces=built.uv_faces.astype(np.int32),
        material=built.material.astype(np.uint8),
        material_names=MATERIALS,
        shape_names=tuple(built.shapes),
        shapes=_rounded(np.stack(list(built.shapes.values()))),
        landmarks=built.landmarks.astype(np.int32),
        texture=texture,
    )


def _rounded(values: Floats) -> npt.NDArray[np.float32]:
    """Values to a millionth: what differs less comes from where in memory numpy worked."""
    return np.round(values, 6).astype(np.float32)


def triangles(
    head: Head,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """Return the faces as triangles: vertices (T, 3), uv (T, 3), material (T,)."""
    quads = head.faces[:, 3] >= 0
    order = np.concatenate([np.arange(len(head.faces)), np.flatnonzero(quads)])
    first = np.concatenate([head.faces[:, :3], head.faces[quads][:, [0, 2, 3]]])
    second = np.concatenate([head.uv_faces[:, :3], head.uv_faces[quads][:, [0, 2, 3]]])
    return first, second, head.material[order]
