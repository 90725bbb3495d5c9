"""Joining skin and parts into one mesh, one set of shape keys, one set of landmarks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import grid as g
from .arrays import Floats, Ints
from .atlas import place
from .bust import bust
from .ears import ears
from .eyes import eyeballs
from .fields import Face, face_of
from .hairdo import hair
from .hairs import brows, lashes
from .landmarks import landmark_vertices
from .measures import Measures
from .mouth_parts import mouth_parts
from .names import shape_names
from .part import Part
from .shapes_jaw import OPEN_RADIANS, TONGUE_JAW, jaw_shapes, turn_jaw
from .shapes_mouth import both_sides_shapes, corner_shapes, lip_side_shapes
from .shapes_upper import brow_shapes, cheek_and_nose_shapes, lid_shapes
from .skin import Skin

POCKETS = {"mouth": "mouth", "eye_left": "lid_left", "eye_right": "lid_right"}


@dataclass
class Built:
    """What `build_head` wraps: see `Head`; `skin_u`, `skin_v` place the skin's columns and rows."""

    points: Floats
    faces: Ints
    uv: Floats
    uv_faces: Ints
    material: npt.NDArray[np.uint8]
    shapes: dict[str, Floats]
    landmarks: Ints
    skin_u: Floats
    skin_v: Floats


def skin_shapes(face: Face) -> dict[str, Floats]:
    """Every shape key's movement (V, 3) of the skin, both sides."""
    mouth = corner_shapes(face) | lip_side_shapes(face) | both_sides_shapes(face)
    mouth = {name: face.carry_pocket(move) for name, move in mouth.items()}
    found = brow_shapes(face) | lid_shapes(face) | cheek_and_nose_shapes(face)
    found |= mouth | jaw_shapes(face)
    for name in list(found):
        if name.endswith("Left"):
            found[name.removesuffix("Left") + "Right"] = face.mirrored(found[name])
    return found


def skin_coordinates(skin: Skin) -> tuple[Floats, Floats]:
    """Own texture coordinates of the skin's columns (COLUMNS + 1,) and rows (CROWN + 1,)."""
    p = skin.closed
    cheek = p[skin.grid.above[g.EYE - 14]]
    loop = np.concatenate([cheek, cheek[:1]])
    step = np.linalg.norm(np.diff(loop, axis=0), axis=1)
    offset = np.abs(np.arange(g.COLUMNS) + 0.5 - g.MIDDLE)
    step *= np.where(offset < g.SIDE - 5, 2.0, 1.0)
    u = np.concatenate([[0.0], np.cumsum(step)])
    side = p[skin.grid.above[:, g.column(19)]]
    rise = np.linalg.norm(np.diff(side, axis=0), axis=1)
    rise *= np.where(np.arange(g.CROWN) < g.CHIN - 4, 0.5, 1.0)
    rise *= np.where(np.arange(g.CROWN) > g.HAIRLINE, 0.25, 1.0)
    rise = np.maximum(rise, 0.10)
    v = np.concatenate([[0.0], np.cumsum(rise)])
    return u / u[-1], v / v[-1]


def skin_parts(skin: Skin) -> tuple[list[Part], Floats, Floats]:
    """The skin's faces as parts that share its vertices: the outside, then the pockets."""
    u, v = skin_coordinates(skin)
    faces, cells = g.outer_faces(skin.grid)
    wide = g.COLUMNS + 1
    uu, vv = np.meshgrid(u, v)
    own = np.stack([uu.ravel(), vv.ravel()], axis=1)
    corner = cells[:, 0] * wide + cells[:, 1]
    uv_faces = np.stack([corner, corner + 1, corner + wide + 1, corner + wide], axis=1)
    ends = faces[:, 3] < 0
    # At the crown a triangle ends in the middle of its column.
    apex = len(own) + np.arange(ends.sum())
    tip = np.stack([0.5 * (u[:-1] + u[1:]), np.ones(g.COLUMNS)], axis=1)
    own = np.concatenate([own, tip])
    uv_faces[ends, 2] = apex
    uv_faces[ends, 3] = -1
    parts = [Part("skin", skin.points, faces, place("skin", own), uv_faces)]
    for name, island in POCKETS.items():
        slit = skin.grid.slits[name]
        inner, spots = g.pocket_faces(slit)
        depth, n = slit.upper.shape
        grid_u = np.linspace(0, 1, n)
        own_rows = []
        for part in (0, 1):
            for step in range(depth):
                t = 0.5 * step / (depth - 1) * 0.98
                own_rows.append(np.stack([grid_u, np.full(n, 1.0 - t if part == 0 else t)], axis=1))
        own = np.concatenate(own_rows)
        start = (spots[:, 0] * depth + spots[:, 1]) * n + spots[:, 2]
        quad = np.stack([start, start + 1, start + n + 1, start + n], axis=1)
        above = spots[:, 0] == 0
        quad[above] = quad[above][:, [0, 3, 2, 1]]
        material = "mouth" if name == "mouth" else "skin"
        parts.append(Part(material, skin.points, inner, place(island, own), quad))
    return parts, u, v


def assemble(m: Measures, skin: Skin, materials: tuple[str, ...]) -> Built:
    """Return the whole head's mesh and shape keys."""
    face = face_of(m, skin)
    moves = skin_shapes(face)
    own, u, v = skin_parts(skin)
    rng = np.random.default_rng(m.identity.seed + 1)
    extra = [*eyeballs(m), *mouth_parts(m, skin), *brows(m, skin, rng), *lashes(m, skin)]
    # Hair comes last: it alone differs in number between identities.
    extra += [*ears(m), bust(m), hair(m)]
    names = shape_names()
    points = [skin.points]
    faces, uv, uv_faces, material = [], [], [], []
    count = len(skin.points)
    textures = 0
    blocks = {name: [moves.get(name, np.zeros_like(skin.points))] for name in names}
    for part in (*own, *extra):
        shares = part.points is skin.points
        start = 0 if shares else count
        faces.append(np.where(part.faces >= 0, part.faces + start, -1))
        uv_faces.append(np.where(part.uv_faces >= 0, part.uv_faces + textures, -1))
        uv.append(part.uv)
        material.append(np.full(len(part.faces), materials.index(part.material), dtype=np.uint8))
        textures += len(part.uv)
        if shares:
            continue
        points.append(part.points)
        count += len(part.points)
        for name in names:
            blocks[name].append(_part_move(m, part, name, moves))
    return Built(
        points=np.concatenate(points),
        faces=np.concatenate(faces),
        uv=np.concatenate(uv),
        uv_faces=np.concatenate(uv_faces),
        material=np.concatenate(material),
        shapes={name: np.concatenate(block) for name, block in blocks.items()},
        landmarks=landmark_vertices(m, skin),
        skin_u=u,
        skin_v=v,
    )


def _part_move(m: Measures, part: Part, name: str, moves: dict[str, Floats]) -> Floats:
    """A part's movement (N, 3) in the shape key `name`."""
    move = np.zeros_like(part.points)
    if name in part.moves:
        move += part.moves[name]
    if part.anchors is not None and part.weights is not None and name in moves:
        move += np.sum(moves[name][part.anchors] * part.weights[..., None], axis=1)
    if part.jaw is not None:
        if name == "jawOpen":
            move += turn_jaw(m.jaw_pivot, part.points, part.jaw * OPEN_RADIANS)
        elif name == "tongueOut":
            move += TONGUE_JAW * turn_jaw(m.jaw_pivot, part.points, part.jaw * OPEN_RADIANS)
        elif name == "jawForward":
            move += part.jaw[:, None] * np.array([0.0, -0.15, 1.0])
        elif name in ("jawLeft", "jawRight"):
            move += part.jaw[:, None] * np.array([1.15 if name == "jawLeft" else -1.15, 0.0, 0.0])
    return move
