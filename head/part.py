"""A piece of the head: its mesh, and how it follows expressions."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .arrays import Floats, Ints


@dataclass
class Part:
    """`points` (N, 3) cm, `faces` (F, 4) with -1 ending a triangle, `uv` (M, 2), `uv_faces` (F, 4).

    `moves` holds the part's own movements (N, 3) by shape name. A part that follows the skin has
    `anchors` (N, k) skin vertices and `weights` (N, k) that sum to 1. `jaw` (N,) is how much of the
    jaw's movements it takes.
    """

    material: str
    points: Floats
    faces: Ints
    uv: Floats
    uv_faces: Ints
    moves: dict[str, Floats] = field(default_factory=dict)
    anchors: Ints | None = None
    weights: Floats | None = None
    jaw: Floats | None = None


def sheet(rows: int, columns: int, around: bool = False) -> Ints:
    """Faces (F, 4) of a grid of vertices numbered row by row; `around` joins its last column."""
    faces = []
    for r in range(rows - 1):
        for c in range(columns if around else columns - 1):
            d = (c + 1) % columns
            faces.append(
                (r * columns + c, r * columns + d, (r + 1) * columns + d, (r + 1) * columns + c)
            )
    return np.array(faces, dtype=np.int64)


def sheet_uv(rows: int, columns: int) -> tuple[Floats, Ints]:
    """Texture vertices in [0, 1] and faces for `sheet(rows, columns, around=True)`."""
    u, v = np.meshgrid(np.linspace(0, 1, columns + 1), np.linspace(0, 1, rows))
    return np.stack([u.ravel(), v.ravel()], axis=1), sheet(rows, columns + 1)


def join(parts: list[Part]) -> Part:
    """Return parts of one material, without anchors or jaw, as one."""
    points, faces, uv, uv_faces = [], [], [], []
    vertex = texture = 0
    for part in parts:
        points.append(part.points)
        faces.append(np.where(part.faces >= 0, part.faces + vertex, -1))
        uv.append(part.uv)
        uv_faces.append(np.where(part.uv_faces >= 0, part.uv_faces + texture, -1))
        vertex += len(part.points)
        texture += len(part.uv)
    return Part(
        parts[0].material,
        np.concatenate(points),
        np.concatenate(faces),
        np.concatenate(uv),
        np.concatenate(uv_faces),
    )
