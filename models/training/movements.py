"""The movements that a repertoire begins with: the principal ones of the training's expressions,
each side of the face by itself."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..eam import grid
from ..eam.correspondence import by_landmarks
from ..eam.network import Eam
from ..eam.repertoire import SIDE, Repertoire
from .augment import mirror_flow, mirror_points
from .data import Shards

#: Pairs that are looked at, at most, and how many at once.
PAIRS, AT_ONCE = 3000, 64
#: Pairs that peak below this, in 256-px pixels, tell nothing.
LEAST_PEAK = 0.4
#: Width over which a pair's displacements are spread on the grid, in its cells.
SPREAD_CELLS = 0.6
#: How softly a movement is cut in two along the midline, as a share of half the mean face's crop.
MIDLINE_WIDTH = 0.1
#: Size of what fills up a repertoire for which there are too few pairs.
FILLING = 0.01

Floats = NDArray[np.float64]


def furnished(network: nn.Module, shards: Shards, seed: int) -> bool:
    """Furnish the repertoire of `network` where it has an empty one; return whether it had."""
    repertoire = network.repertoire if isinstance(network, Eam) else None
    if repertoire is None or repertoire.directions.any():
        return False
    furnish(repertoire, shards, seed)
    return True


def furnish(repertoire: Repertoire, shards: Shards, seed: int) -> None:
    """Lay the halves of the principal movements of the pairs in `shards`, and their mean face, into
    `repertoire`; each is as large as it is usual."""
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(shards))[:PAIRS]
    parts = [chosen[i : i + AT_ONCE] for i in range(0, len(chosen), AT_ONCE)]
    points = [source_points(shards, part) for part in parts]
    face = mean_face(torch.cat(points))
    laid = (displacements(shards, *each, face) for each in zip(parts, points, strict=True))
    rows = [row for part in laid for row in part]
    number = len(repertoire.sizes)
    directions = rng.normal(0, 1, (number, 2, SIDE, SIDE))
    sizes = np.full(number, FILLING)
    if rows:
        main, shares = principal(np.stack(rows), number // 2)
        directions[: 2 * len(main)], sizes[: 2 * len(main)] = halves(main), np.tile(shares, 2)
    with torch.no_grad():
        repertoire.mean_face.copy_(face)
        repertoire.directions.copy_(torch.from_numpy(directions))
        repertoire.sizes.copy_(torch.from_numpy(sizes))


def source_points(shards: Shards, part: NDArray[np.int64]) -> Tensor:
    """Return the sources' keypoints (P, K, 2) of some pairs, pixels."""
    points = shards.batch(part, ("source_points",))["source_points"]
    return torch.from_numpy(np.asarray(points, np.float32))


def mean_face(points: Tensor) -> Tensor:
    """Return the mean (K, 2), normalised, of faces' points (P, K, 2), pixels, and their mirror
    images."""
    return grid.to_normalised(torch.cat((points, mirror_points(points))).mean(0))


def displacements(
    shards: Shards, part: NDArray[np.int64], points: Tensor, face: Tensor
) -> list[Floats]:
    """Return the true motions of some pairs' sources with keypoints `points` (P, K, 2), pixels, and
    their mirror images, on the mean face: each (2, SIDE, SIDE), of length 1."""
    batch = shards.batch(part, ("source_flow", "source_moving"))
    points = grid.to_normalised(points)
    where = by_landmarks(face.expand(len(points), -1, -1), points)
    back = grid.inverse(where.linear).numpy()
    found: list[Floats] = []
    for flow, seen, matrices, places in zip(
        np.asarray(batch["source_flow"], np.float64),
        np.asarray(batch["source_moving"], np.float64),
        back,
        grid.to_pixels(where.positions, SIDE).numpy(),
        strict=True,
    ):
        if np.hypot(flow[..., 0], flow[..., 1])[seen > 0.9].max(initial=0) < LEAST_PEAK:
            continue
        turned = np.einsum("hwij,hwj->hwi", matrices, flow)
        laid = spread(turned, (seen > 0.9).astype(np.float64), places)
        size = np.sqrt((laid**2).sum())
        if size > 0:
            laid = (laid / size).transpose(2, 0, 1)
            found += [laid, mirror_flow(torch.from_numpy(laid)[None])[0].numpy()]
    return found


def spread(values: Floats, weights: Floats, places: NDArray[np.float32]) -> Floats:
    """Return the weighted means (SIDE, SIDE, C) of values (h, w, C) at `places` (h, w, 2), cells;
    0 where there are none."""
    at = places.reshape(-1, 2)
    corner = np.floor(at).astype(np.int64)
    rest = at - corner
    total = np.zeros((SIDE, SIDE, values.shape[-1]))
    mass = np.zeros((SIDE, SIDE))
    for right in (0, 1):
        for below in (0, 1):
            x, y = corner[:, 0] + right, corner[:, 1] + below
            share = np.abs(1 - right - rest[:, 0]) * np.abs(1 - below - rest[:, 1])
            share = share * weights.ravel()
            inside = (x >= 0) & (x < SIDE) & (y >= 0) & (y < SIDE) & (share > 0)
            x, y, share = x[inside], y[inside], share[inside]
            np.add.at(total, (y, x), share[:, None] * values.reshape(-1, values.shape[-1])[inside])
            np.add.at(mass, (y, x), share)
    soft = np.asarray(cv2.GaussianBlur(total, (0, 0), SPREAD_CELLS))
    weight = np.asarray(cv2.GaussianBlur(mass, (0, 0), SPREAD_CELLS))[..., None]
    return np.asarray(soft / np.maximum(weight, 0.1) * (weight > 0.1))


def principal(rows: Floats, number: int) -> tuple[Floats, Floats]:
    """Return the principal directions (M, 2, S, S) of `rows` (P, 2, S, S), at most `number`, of
    root mean square 1, and the root (M,) of each one's energy beside the first's."""
    flat = torch.from_numpy(rows.reshape(len(rows), -1).astype(np.float32))
    energies, mixed = torch.linalg.eigh(flat @ flat.T)
    energies, mixed = energies.flip(0)[:number], mixed.flip(1)[:, :number]
    kept = energies > 1e-6 * energies[0]
    directions = (flat.T @ mixed[:, kept]).T
    directions = directions / directions.square().mean(1, keepdim=True).sqrt()
    sizes = (energies[kept] / energies[0]).sqrt()
    return (
        np.asarray(directions.reshape(-1, *rows.shape[1:]).numpy(), np.float64),
        np.asarray(sizes.numpy(), np.float64),
    )


def halves(directions: Floats) -> Floats:
    """Return (2 M, 2, S, S) what movements (M, 2, S, S) do on the left, then on the right.

    Fitted by these, a face that moves one side alone is not made to move the other.
    """
    across = (np.arange(directions.shape[-1]) + 0.5) * 2 / directions.shape[-1] - 1
    left = 1 / (1 + np.exp(across / MIDLINE_WIDTH))
    return np.concatenate((directions * left, directions * (1 - left)))
