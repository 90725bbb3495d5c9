"""How what a unit does differs from face to face: the ways in which its field strays.

Dimples draw the lips' corner in on one head and out on another; brows rise in an arch or straight.
For every field of the basis the principal components (Sirovich and Kirby, JOSA A 4, 1987) of how
heads stray from the average are kept, apart from how far they move, which is an amount. What
amount is a full contraction is kept as well: the basis is an average with the built-in heads, whose
lids and lips move but half as far as those of the larger families. They are rendered from heads of
three families, each from another side, and mirrored. They ship as
`describe_strays.npz`, which this makes again: `python -m microface.server.clips.describe_strays
HEADS`, with the folder of the head packs.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .basis import CELLS, basis, fields_of, training_heads

STORED = Path(__file__).with_name("describe_strays.npz")
#: Cells a side of the strays, and how many are kept of each field.
STRAY_CELLS, KEPT = 32, 3
#: Heads of each large family.
HEADS = 12
#: Views: the most of yaw and pitch in degrees; distances of the camera in centimetres.
YAW, PITCH, DISTANCES = 6.0, 5.0, (60.0, 200.0)


@cache
def strays() -> NDArray[np.float32]:
    """Return (K, 3, 32, 32, 2) the strays of each field of the basis, in pixels of the crop at
    amount 1, each for one standard deviation."""
    with np.load(STORED) as stored:
        scale = stored["scale"][:, :, None, None, None]
        return np.asarray(stored["strays"] * scale, np.float32)


@cache
def reaches() -> NDArray[np.float64]:
    """Return (K,) how far a full contraction goes along each field of the basis: the amount that
    heads of the large families are told to have, on average, in the basis's own measure."""
    with np.load(STORED) as stored:
        return np.asarray(stored["reaches"], np.float64)


def reaches_of(families: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
    """Return the reaches (K,) by the fields (H, K, 64, 64, 2) of the heads of some families, which
    count alike however many heads they have."""
    every = CELLS // STRAY_CELLS
    average = basis().columns(every).reshape(-1, len(basis().names))
    found = np.zeros(average.shape[1])
    for fields in families:
        coarse = _coarse(fields).reshape(*fields.shape[:2], -1)
        amounts = np.einsum("hkr,rk->k", coarse, average) / len(fields) / (average**2).sum(0)
        found += np.log(0.5 * (amounts + amounts[_mirror_images()])) / len(families)
    return np.asarray(np.exp(found), np.float64)


def _coarse(fields: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return fields (H, K, 64, 64, 2) as (H, K, 32, 32, 2)."""
    every = CELLS // STRAY_CELLS
    shape = (*fields.shape[:2], STRAY_CELLS, every, STRAY_CELLS, every, 2)
    return np.asarray(fields.reshape(shape).mean((3, 5)))


def strays_of(fields: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the strays (K, 3, 32, 32, 2) of the fields (H, K, 64, 64, 2) of H heads."""
    known, every = basis(), CELLS // STRAY_CELLS
    coarse = _coarse(fields)
    mirrored = coarse[:, _mirror_images(), :, ::-1] * np.array([-1, 1], np.float32)
    seen = np.concatenate([coarse, mirrored]).reshape(2 * len(fields), len(known.names), -1)
    found = np.zeros((len(known.names), KEPT, seen.shape[2]))
    for field, (average, heads) in enumerate(
        zip(known.columns(every).reshape(seen.shape[2], -1).T, seen.swapaxes(0, 1), strict=True)
    ):
        along = average / np.linalg.norm(average)
        off = heads - average
        off -= np.outer(off @ along, along)
        _, spread, ways = np.linalg.svd(off, full_matrices=False)
        found[field] = ways[:KEPT] * spread[:KEPT, None] / np.sqrt(len(off))
    return np.asarray(found.reshape(len(found), KEPT, STRAY_CELLS, STRAY_CELLS, 2), np.float32)


def _mirror_images() -> list[int]:
    """Return which field each field of the basis is when left and right are exchanged."""
    names = basis().names
    exchanged = {"left": "right", "right": "left"}
    return [
        names.index(" ".join(exchanged.get(word, word) for word in name.split())) for name in names
    ]


def store(packs: Path, path: Path = STORED) -> None:
    """Render the heads, and write the strays, a byte a number, and the reaches."""
    from ...models.heads.scene import Camera, rotation

    rng = np.random.default_rng(7)
    every = []
    for head in training_heads(packs, HEADS):
        turn = rotation(rng.uniform(-YAW, YAW), rng.uniform(-PITCH, PITCH))
        distance = float(np.exp(rng.uniform(*np.log(DISTANCES))))
        every.append(fields_of(head, Camera(turn, distance, np.eye(2, 3, dtype=np.float32))))
    fields = np.stack(every)
    found = strays_of(fields)
    reach = reaches_of((fields[-2 * HEADS : -HEADS], fields[-HEADS:]))
    scale = np.abs(found).max((2, 3, 4)) / 127
    small = np.round(found / scale[:, :, None, None, None]).astype(np.int8)
    np.savez_compressed(
        path, strays=small, scale=scale.astype(np.float32), reaches=reach.astype(np.float32)
    )


if __name__ == "__main__":
    store(Path(sys.argv[1]))
