"""The family of the built-in head: every sample mixes two members of a small pool.

Building a head takes seconds, mixing two of one topology takes none, so a pool is built once (and
kept in a folder, when one is given) and identities are drawn between its members.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...head.head import MATERIALS, Head, build_head, triangles
from ...head.identity import random_identity
from ..arrays import save_arrays
from .chart import to_chart
from .families import Floats, RenderHead, Surface, gains_of, is_test
from .makeup import face_tint, teeth_tint
from .openness import vertex_openness
from .skins import skin_gloss, stylise_skin, to_linear, vary_skin

#: Members of the pool: the first for training, the last for tests.
TRAINING_MEMBERS, TEST_MEMBERS = 24, 8
_TEXTURE_SIZE = 512
#: Half the width in cm of the band in which a shape without sides passes from left to right.
_SIDE_BAND = 1.2
_UNSIDED = ("browInnerUp", "cheekPuff")

#: Highlight strength and exponent by material; the others are dull.
#: Materials that no expression moves.
_FIXED = ("hair", "cloth")
_GLOSS = {"eye": (0.8, 150.0), "teeth": (0.4, 40.0), "gums": (0.4, 40.0), "tongue": (0.3, 30.0)}


def left_share(x: Floats) -> Floats:
    """Return (V,) 0..1 how much of a shape's displacement at `x` cm belongs to the left side."""
    t = np.clip((x / _SIDE_BAND + 1) / 2, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), dtype=np.float32)


def with_sides(
    names: tuple[str, ...], shapes: Floats, rest: Floats
) -> tuple[tuple[str, ...], Floats]:
    """Return names and displacements with the shapes that training names by side split in two."""
    left = left_share(rest[:, 0])[:, None]
    more_names: list[str] = []
    more: list[Floats] = []
    for name in _UNSIDED:
        whole = shapes[names.index(name)]
        more_names += [name + "Left", name + "Right"]
        more += [whole * left, whole * (1 - left)]
    return (*names, *more_names), np.concatenate([shapes, np.stack(more)])


def render_head(head: Head, number: int = 0) -> RenderHead:
    """Return a built-in head as the renderer takes it, with its own texture."""
    corners, uv_corners, material = triangles(head)
    rgb = to_linear(head.texture.astype(np.float32) / np.float32(255))
    surfaces = []
    for name in head.material_names:
        gloss, sharpness = _GLOSS.get(name, (0.12, 14.0))
        fixed = name in _FIXED
        surfaces.append(Surface(rgb, gloss=gloss, sharpness=sharpness, fixed=fixed))
    names, deltas = with_sides(head.shape_names, head.shapes, head.vertices)
    skin = corners[material == head.material_names.index("skin")]
    soft = np.zeros(len(head.vertices), np.bool_)
    for name in ("skin", "brow", "lash"):
        soft[corners[material == head.material_names.index(name)]] = True
    gains = gains_of(names, deltas[:, np.unique(skin)], head.vertices, head.landmarks)
    return RenderHead(
        "procedural", number, head.vertices, corners, head.uv, uv_corners, material,
        tuple(surfaces), head.landmarks, names, deltas, gains,
        vertex_openness(head.vertices, corners), np.ones_like(head.vertices), soft,
        to_chart(head.vertices, head.vertices[head.landmarks]), {n: i for i, n in enumerate(names)},
    )  # fmt: skip


class ProceduralFamily:
    """Heads between members of a pool, which is built on demand and kept in `folder`."""

    name = "procedural"

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._members: dict[int, Head] = {}
        self._whole: dict[int, RenderHead] = {}

    def sample(self, identity: int) -> RenderHead:
        """Return the head of that number: form between two members, skin of one, varied."""
        rng = np.random.default_rng([identity, len(self.name)])
        held_out = is_test(identity)
        first = TRAINING_MEMBERS if held_out else 0
        count = TEST_MEMBERS if held_out else TRAINING_MEMBERS
        one, other = (self._member(first + int(k)) for k in rng.choice(count, 2, replace=False))
        share = np.float32(rng.uniform(-0.15, 0.5))
        rest = one.rest
        if rest.shape == other.rest.shape:  # else another hairdo, of another topology
            rest = rest + share * (other.rest - rest)
        stretch = rng.normal(1, 0.025, 3).astype(np.float32)
        # The form is mixed, the motion is the first member's: shapes are alike in one topology.
        skin = one.surfaces[0].rgb
        skin = stylise_skin(rng, skin) if rng.random() < 0.15 else vary_skin(rng, skin)
        own = np.unique(one.triangles[one.surface == 0])
        tint = np.ones_like(rest)
        tint[own] = face_tint(rng, rest[own], rest[one.landmarks])
        teeth = one.triangles[one.surface == MATERIALS.index("teeth")]
        tint[np.unique(teeth)] = teeth_tint(rng.spawn(1)[0])
        gloss = skin_gloss(float(rng.uniform(0.02, 0.3)), skin)
        surfaces = (Surface(skin, gloss=gloss, sharpness=float(rng.uniform(6, 30))),)
        return RenderHead(
            self.name, identity, rest * stretch, one.triangles, one.uv, one.uv_triangles,
            one.surface, surfaces + one.surfaces[1:], one.landmarks, one.names, one.deltas,
            one.gains, one.openness, tint, one.soft, one.chart, one.index,
        )  # fmt: skip

    def _member(self, number: int) -> RenderHead:
        if number not in self._whole:
            self._whole[number] = render_head(self._built(number), number)
        return self._whole[number]

    def _built(self, number: int) -> Head:
        path = None if self._folder is None else self._folder / f"head-{number:03d}.npz"
        if path is not None and path.is_file():
            return read_head(path)
        head = build_head(random_identity(np.random.default_rng([number, 52])), _TEXTURE_SIZE)
        if path is not None:
            write_head(path, head)
        return head


def write_head(path: Path, head: Head) -> None:
    """Keep a built head in a file, written aside and renamed when whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays: dict[str, NDArray[np.generic]] = {}
    for name, value in vars(head).items():
        arrays[name] = np.array(value)
    save_arrays(path, arrays)


def read_head(path: Path) -> Head:
    """Return a head that `write_head` kept."""
    with np.load(path) as stored:
        values = {name: stored[name] for name in stored.files}
    for name in ("material_names", "shape_names"):
        values[name] = tuple(str(n) for n in values[name])
    return Head(**values)
