"""Where the brow landmarks of a head are, from its brows' hair, and where that hair belongs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .families import Floats

#: Share of the largest motion above it at which the hair of a brow belongs: brows lie where the
#: muscles under them move the skin.
AT_MOTION = 0.9
#: How far up it may belong, and the steps of looking there; spread of a mean over skin, across and
#: up; centimetres.
HIGHEST, STEP, SPREAD = 4.0, 0.05, (0.35, 0.2)


def brow_landmarks(places: Floats, hair: Floats) -> NDArray[np.int64]:
    """Return the rows (10,) of the Multi-PIE brow points 17-26 among `places` (n, 3).

    `hair` (n,) weighs how much of the brow is at each place. The points lie along the middle of
    each brow at even steps: from the subject's right outer end inwards, then outwards.
    """
    rows: list[int] = []
    for side in (-1, 1):
        hairy = np.flatnonzero((side * places[:, 0] > 0.3) & (hair > 0.12 * hair.max()))
        x = places[hairy, 0]
        low, high = float(x.min()), float(x.max())
        for share in np.linspace(0.06, 0.94, 5):
            middle = low + share * (high - low)
            near = hair[hairy] * np.exp(-(((x - middle) / (0.08 * (high - low))) ** 2))
            target = (places[hairy] * near[:, None]).sum(0) / near.sum()
            target[0] = middle
            rows.append(int(hairy[np.linalg.norm(places[hairy] - target, axis=1).argmin()]))
    return np.array(rows)


def brow_heights(marks: Floats, places: Floats, motion: Floats) -> Floats:
    """Return (10,) how far up, centimetres, the hair of a brow with landmarks `marks` (10, 3) has
    to go to lie where units of the brow move the skin.

    `motion` (n,) is how far they move it at `places` (n, 3).
    """
    heights = np.arange(0, HIGHEST, STEP)
    across = (places[:, 0] - marks[:, :1]) / SPREAD[0]
    found: list[float] = []
    for mark, away in zip(marks, across, strict=True):
        up = (places[:, 1] - mark[1] - heights[:, None]) / SPREAD[1]
        near = np.exp(-(away**2 + up**2) / 2)
        mass = near.sum(1)
        above = np.where(mass > 0.05, near @ motion / np.maximum(mass, 0.05), 0)
        found.append(float(heights[np.argmax(above >= AT_MOTION * above.max())]))
    return np.array(found, np.float32)


def bound_to(
    places: Floats, vertices: Floats, triangles: NDArray[np.int32]
) -> tuple[NDArray[np.int32], Floats, Floats]:
    """Return how `places` (n, 3) hang on the middle of the nearest of `triangles` (T, 3) of a mesh
    `vertices` (V, 3): its corners (n, 3), their weights (n, 3) and what is left over (n, 3)."""
    corners = vertices[triangles]
    middles = corners.mean(1)
    away = places[:, None] - middles
    nearest = np.einsum("ntk,ntk->nt", away, away).argmin(1)
    one, two, three = np.moveaxis(corners[nearest], 1, 0)
    across, along, offset = two - one, three - one, places - one
    sides = np.stack([across, along], axis=2)
    shares = np.linalg.solve(
        sides.transpose(0, 2, 1) @ sides, (sides.transpose(0, 2, 1) @ offset[..., None])
    )[..., 0]
    weights = np.column_stack([1 - shares.sum(1), shares]).astype(np.float32)
    bound = np.einsum("nc,nck->nk", weights, corners[nearest])
    return triangles[nearest], weights, np.asarray(places - bound, np.float32)
