"""Families of heads: what draws identities, and the head that a renderer takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .expressions import family_gain
from .keypoints import face_unit, keypoints_from_landmarks

Floats = NDArray[np.float32]

#: Identities below this number are for training, the others for tests.
TEST_IDENTITIES_FROM = 2**30


@dataclass(frozen=True)
class Surface:
    """One material. `rgb` (H, W, 3) float32 linear light; `alpha` (H, W) float32 or None.

    `layer`: "opaque"; "cutout" (drawn where alpha exceeds one half); "blend" (laid over what lies
    at most a little in front of it). `gloss` 0..1 is the strength of its highlight, `sharpness`
    the exponent of it. Hair and clothes are `fixed`: they lie before the face and stay when
    it moves.
    """

    rgb: Floats
    alpha: Floats | None = None
    layer: str = "opaque"
    gloss: float = 0.2
    sharpness: float = 16.0
    fixed: bool = False


@dataclass(frozen=True)
class RenderHead:
    """A head of one identity with all its parts as one mesh, in centimetres.

    `rest` (V, 3); `triangles` (T, 3), counter-clockwise from outside; `uv` (M, 2), v up;
    `uv_triangles` (T, 3); `surface` (T,) index into `surfaces`; `landmarks` (68,) vertices;
    `deltas` (E, V, 3) displacement at weight 1 for `names`; `gains` (E,) weight of canonical
    amount 1; `openness` (V,) 0..1, how much of the surroundings a vertex sees; `tint` (V, 3) factor
    on the colour; `soft` (V,) what pulls at the skin move; `chart` (V, 3) places that mean the
    same on every head, see `chart.py`.
    """

    family: str
    identity: int
    rest: Floats
    triangles: NDArray[np.int32]
    uv: Floats
    uv_triangles: NDArray[np.int32]
    surface: NDArray[np.uint8]
    surfaces: tuple[Surface, ...]
    landmarks: NDArray[np.int32]
    names: tuple[str, ...]
    deltas: Floats
    gains: Floats
    openness: Floats
    tint: Floats
    soft: NDArray[np.bool_]
    chart: Floats
    index: Mapping[str, int] = field(repr=False)

    def posed(self, weights: Mapping[str, float]) -> Floats:
        """Return vertices (V, 3) under canonical amounts by expression name; unknown names are
        ignored, because not every family has every expression."""
        vertices = self.rest.copy()
        for name, amount in weights.items():
            row = self.index.get(name)
            if row is not None and amount:
                vertices += np.float32(amount * self.gains[row]) * self.deltas[row]
        return vertices


class HeadModel(Protocol):
    """A family that heads are drawn from."""

    name: str

    def sample(self, identity: int) -> RenderHead:
        """Return the head of that number: always the same one."""
        ...


def gains_of(
    names: tuple[str, ...], deltas: Floats, rest: Floats, landmarks: NDArray[np.int32]
) -> Floats:
    """Return (E,) the family's weight for canonical amount 1 of each expression.

    `deltas` (E, S, 3) over the skin alone; `rest` (V, 3) a typical head of the family.
    """
    unit = face_unit(keypoints_from_landmarks(rest[landmarks][:, :2]))
    largest = np.sqrt((deltas**2).sum(2)).max(1)
    gains = [family_gain(name, float(d), unit) for name, d in zip(names, largest, strict=True)]
    return np.asarray(gains, dtype=np.float32)


def is_test(identity: int) -> bool:
    """Whether an identity number belongs to the held-out set."""
    return identity >= TEST_IDENTITIES_FROM
