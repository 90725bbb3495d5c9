"""What each action unit does to a face in its crop: the fields that motion is explained by.

The fields are rendered from heads of three families, seen from the front in the crop that every
face is cut to, and averaged over the heads. They ship as `basis.npz`, which this makes again:
`python -m microface.server.clips.basis HEADS`, with the folder of the head packs. Amounts are
canonical: at 1 the skin moves as far as `models.heads.expressions.REFERENCE` says, a full
contraction.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from .crop import NETWORK_PIXELS
from .dense import pooled

if TYPE_CHECKING:
    from ...models.heads.families import RenderHead
    from ...models.heads.scene import Camera

Side = Literal["left", "right", "both"]

STORED = Path(__file__).with_name("basis.npz")
#: Cells a side of the fields.
CELLS = 64
#: The amount at which the fields are rendered; larger ones are nearly proportional.
RENDERED_AMOUNT = 0.3
RENDERED_PIXELS = 128
#: Units that move each side by itself, by FACS number; the others move both sides or the middle.
SIDED = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 16, 20, 24, 45)
MIDDLE = (17, 18, 22, 25, 26, 28)
#: What moves like an expression and is none, by name, in shape keys.
OTHERS: Mapping[str, Mapping[str, float]] = {
    "gaze left": {"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0},
    "gaze right": {"eyeLookOutRight": 1.0, "eyeLookInLeft": 1.0},
    "gaze up": {"eyeLookUpLeft": 1.0, "eyeLookUpRight": 1.0},
    "gaze down": {"eyeLookDownLeft": 1.0, "eyeLookDownRight": 1.0},
}


@dataclass(frozen=True)
class Basis:
    """Fields (K, 64, 64, 2) float32 in pixels of the crop at amount 1, by `names` (K): `AU4 left`,
    `AU17`, `gaze up`. `units` (K,) are FACS numbers, 0 for what is none; `sides` (K,) the sides."""

    names: tuple[str, ...]
    units: tuple[int, ...]
    sides: tuple[Side, ...]
    fields: NDArray[np.float32]

    def columns(self, every: int = 1) -> NDArray[np.float64]:
        """Return the fields as (cells, 2, K), averaged over squares of `every` cells a side."""
        side = CELLS // every
        blocks = self.fields.reshape(len(self.names), side, every, side, every, 2).mean((2, 4))
        return np.ascontiguousarray(
            blocks.reshape(len(self.names), -1, 2).transpose(1, 2, 0), float
        )


def _entries() -> list[tuple[str, int, Side, dict[str, float]]]:
    """Return each field's name, unit, side and canonical amounts."""
    from ...models.heads.expressions import expression_weights

    entries: list[tuple[str, int, Side, dict[str, float]]] = []
    for unit in SIDED:
        entries.append((f"AU{unit} left", unit, "left", expression_weights(f"AU{unit}", 1, 0)))
        entries.append((f"AU{unit} right", unit, "right", expression_weights(f"AU{unit}", 0, 1)))
    for unit in MIDDLE:
        entries.append((f"AU{unit}", unit, "both", expression_weights(f"AU{unit}", 1, 1)))
    entries += [(name, 0, "both", dict(weights)) for name, weights in OTHERS.items()]
    return entries


@cache
def basis() -> Basis:
    """Return the fields that ship."""
    with np.load(STORED) as stored:
        fields = stored["fields"].astype(np.float32) * stored["scale"][:, None, None, None]
    entries = _entries()
    return Basis(
        tuple(e[0] for e in entries), tuple(e[1] for e in entries), tuple(e[2] for e in entries),
        np.asarray(fields, np.float32),
    )  # fmt: skip


@cache
def mobility() -> NDArray[np.float32]:
    """Return (64, 64) how far full action units move each place at most, in pixels of the crop.

    The jaw's drop is not among them: it would leave nothing of the lower face.
    """
    fields = basis()
    units = [k for k, unit in enumerate(fields.units) if unit not in (0, 26)]
    most = np.hypot(*np.moveaxis(fields.fields[units], -1, 0)).max(0)
    return np.asarray(np.maximum(most, most[:, ::-1]), np.float32)


def fields_of(head: RenderHead, camera: Camera) -> NDArray[np.float32]:
    """Return the fields (K, 64, 64, 2) of one head, seen by a camera; its crop is the face's."""
    from ...models.heads.keypoints import keypoints_from_landmarks
    from ...models.heads.render import draw, motion, prepare_look
    from ...models.heads.scene import crop_of, random_light

    marks = keypoints_from_landmarks(camera.plane(head.rest[head.landmarks])[:, :2])
    camera = replace(camera, crop=crop_of(marks))
    look = prepare_look(head, head.rest, camera, random_light(np.random.default_rng(0)))
    rest = draw(head, head.rest, look, RENDERED_PIXELS)
    found = []
    for _, _, _, weights in _entries():
        amounts = {name: RENDERED_AMOUNT * value for name, value in weights.items()}
        moved = motion(
            rest, draw(head, head.posed(amounts), look, RENDERED_PIXELS, rest), head.triangles
        )
        seen = (moved.visible > 0.5).astype(np.float32)
        flow = pooled(moved.flow * seen[..., None], CELLS)
        found.append(flow / np.maximum(pooled(seen, CELLS), 0.25)[..., None])
    enlarged = NETWORK_PIXELS / RENDERED_PIXELS
    return np.asarray(np.stack(found) * (enlarged / RENDERED_AMOUNT), np.float32)


def build_basis(heads: Iterable[RenderHead]) -> NDArray[np.float32]:
    """Return the fields (K, 64, 64, 2), the mean over heads."""
    from ...models.heads.scene import Camera, rotation

    camera = Camera(rotation(0, 0), 120.0, np.eye(2, 3, dtype=np.float32))
    every = [fields_of(head, camera) for head in heads]
    return np.asarray(np.mean(every, axis=0), np.float32)


def training_heads(packs: Path, of_family: int | None = None) -> Iterator[RenderHead]:
    """Yield the built-in heads, and as many heads for training, or `of_family`, of each of the
    families in a folder of packs."""
    from ...head.head import build_head
    from ...head.identity import IDENTITIES
    from ...models.heads.packs import load_ict, load_makehuman
    from ...models.heads.procedural import render_head

    for identity in IDENTITIES.values():
        yield render_head(build_head(identity, 64))
    for family in (load_ict(packs), load_makehuman(packs)):
        for number in range(len(IDENTITIES) if of_family is None else of_family):
            yield family.sample(number)


def store(packs: Path, path: Path = STORED) -> None:
    """Render the fields from `training_heads` and write them, a byte a number."""
    fields = build_basis(training_heads(packs))
    scale = np.abs(fields).max((1, 2, 3)) / 127
    small = np.round(fields / scale[:, None, None, None]).astype(np.int8)
    np.savez_compressed(path, fields=small, scale=scale.astype(np.float32))


if __name__ == "__main__":
    store(Path(sys.argv[1]))
