"""How each region of a face moves over a clip, freed of what is no expression."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .basis import CELLS
from .describe_amounts import COARSE, Floats, amounts_of, coarse_rows, fields
from .sampling import Reals
from .spot_eyes import Eyes, eyes_of, mean_over
from .spot_time import smooth, without_drift
from .template import template

Region = Literal["brows", "lids", "nose", "lips", "chin"]
REGIONS: tuple[Region, ...] = ("brows", "lids", "nose", "lips", "chin")
#: Regions beside the mouth, and the units that move them and leave the mouth alone.
UPPER = REGIONS[:3]
UPPER_UNITS = (1, 2, 4, 5, 7, 9)

#: Regions in face units about the keypoints' mean, y down: top, bottom, inner and outer edge, the
#: last two as distances from the middle line.
_EXTENTS: dict[Region, tuple[float, float, float, float]] = {
    "brows": (-1.75, -0.75, 0.0, 1.45),
    "lids": (-0.75, -0.3, 0.2, 1.35),
    "nose": (-0.3, 0.6, 0.0, 0.75),
    "lips": (0.6, 1.35, 0.0, 1.0),
    "chin": (1.35, 2.0, 0.0, 0.9),
}
#: What goes down with the jaw, and what stays above the mouth, as parts of the face like those.
_BELOW, _ABOVE = (1.3, 1.75, 0.0, 0.45), (0.45, 0.75, 0.0, 0.4)
#: A frame in which the head is turned further than this, out of the plane and from the neutral,
#: bears no witness: steadying leaves too much of the turn in it.
TURNED_DEGREES = 15.0
#: RMS distance of the face's points from its middle, in pixels of the crop.
FACE_EXTENT_PIXELS = 55.0


@dataclass(frozen=True)
class Curves:
    """What moves in a clip of T frames at `times` (T,) seconds.

    `regions` (T, 5) is how far the skin of each of `REGIONS` moves by expression, RMS pixels of
    the 256-pixel crop, held where `witness` (T,) says that the head is turned too far to tell;
    `upper` (T, 3) the part of it in `UPPER` that no muscle about the mouth can make; `opening`
    (T,) by how many pixels the chin goes down from the upper lip; `eyes` what they do; `head` (T,)
    pixels (RMS over the face) of the head's own motion, `turn` (T,) what of it turns out of the
    picture's plane.
    """

    times: Floats
    regions: Floats
    upper: Floats
    opening: Floats
    eyes: Eyes
    head: Floats
    turn: Floats
    witness: NDArray[np.bool_]

    @property
    def whole(self) -> Floats:
        """How far (T,) expressions move the face, RMS pixels."""
        return np.asarray(np.sqrt((self.regions**2).sum(1)))


@cache
def region_cells(cells: int = CELLS) -> dict[Region, NDArray[np.bool_]]:
    """Return which cells (N, N) of a face crop each region takes."""
    maps = template(cells)
    found: dict[Region, NDArray[np.bool_]] = {}
    for region, (top, bottom, inner, outer) in _EXTENTS.items():
        across = np.abs(maps.x)
        mask = (maps.y >= top) & (maps.y < bottom) & (across >= inner) & (across < outer)
        found[region] = np.asarray(mask & (maps.face > 0.5))
    return found


def region_at(row: int, column: int) -> tuple[str, float]:
    """Return what the skin at a cell (64 a side) is called, like `left brow`, and the direction
    of x (+1 or -1) that leads away from the middle."""
    maps = template(CELLS)
    x, y = float(maps.x[row, column]), float(maps.y[row, column])
    name = "cheek"
    for region, (top, bottom, _, outer) in _EXTENTS.items():
        if top <= y < bottom and abs(x) < outer:
            name = region
    name = {"brows": "brow", "lids": "lid", "lips": "lip"}.get(name, name)
    side = "" if abs(x) < 0.15 else "left " if x > 0 else "right "
    return f"{side}{name}", 1.0 if x >= 0 else -1.0


def curves_of(
    flows: Reals,
    times: Reals,
    poses: Reals | None = None,
    trust: Reals | None = None,
    seen: Reals | None = None,
) -> Curves:
    """Return the curves of steadied flows (T, 64, 64, 2), or of coarse ones (T, 32, 32, 2).

    `poses` (T, 6) are the head's and `trust` (T, 64, 64) how far each place is to be believed, as
    the steadier found them, `seen` (T, 2) how much is seen of the eyes.
    """
    seconds = np.asarray(times, np.float64)
    amounts = _amounts(flows, trust, seconds)
    known = fields().basis
    units = np.asarray(known.units)
    regions = _moved(amounts * ~np.isin(units, (0, 45)))
    upper = _moved(amounts * np.isin(units, UPPER_UNITS))[:, : len(UPPER)]
    witness = witnesses(poses, len(amounts))
    opening = _opening(flows, seconds)
    for curve in (*regions.T, *upper.T, opening):
        curve[~witness] = np.interp(seconds[~witness], seconds[witness], curve[witness])
    # Where eyes look unlike the neutral's nothing is believed, and just that is looked at.
    as_they_are = amounts if trust is None else _amounts(flows, None, seconds)
    eyes = eyes_of(as_they_are, flows, trust, seconds, seen)
    return Curves(seconds, regions, upper, opening, eyes, *_head(poses, len(amounts)), witness)


def _opening(flows: Reals, seconds: Floats) -> Floats:
    """Return by how many pixels (T,) the chin goes down from the upper lip in flows (T, N, N, 2):
    what opens the mouth, whichever units a fit finds in it."""
    below, above = (
        0.5 * (mean_over(flows, part, 1) + mean_over(flows, part, -1)) for part in (_BELOW, _ABOVE)
    )
    return smooth(below[:, 1:] - above[:, 1:], seconds).ravel()


def _amounts(flows: Reals, trust: Reals | None, seconds: Floats) -> Floats:
    """Return the amounts (T, K) of the basis's fields in flows (T, N, N, 2), over time."""
    return smooth(amounts_of(without_drift(coarse_rows(flows, trust), seconds)), seconds)


def _moved(amounts: Floats) -> Floats:
    """Return how far (T, 5) amounts (T, K) of the basis's fields move each region, RMS pixels."""
    blocks = fields().basis.columns(CELLS // COARSE)
    moved = np.zeros((len(amounts), len(REGIONS)))
    for index, cells in enumerate(region_cells(COARSE).values()):
        part = blocks[cells.ravel()].reshape(-1, amounts.shape[1])
        gram = part.T @ part / max(1, cells.sum())
        energy = np.einsum("tk,kl,tl->t", amounts, gram, amounts)
        moved[:, index] = np.sqrt(np.maximum(0, energy))
    return moved


def witnesses(poses: Reals | None, count: int) -> NDArray[np.bool_]:
    """Return the frames (T,) that may bear witness: those in which the head is not turned far.

    All of them where `poses` (T, 6) are not known, or none is near the neutral's.
    """
    if poses is None:
        return np.ones(count, np.bool_)
    pose = np.asarray(poses, np.float64)
    near = np.hypot(pose[:, 0], pose[:, 1]) <= np.radians(TURNED_DEGREES)
    return np.asarray(near if near.any() else ~near)


def _head(poses: Reals | None, count: int) -> tuple[Floats, Floats]:
    """Return how far (T,) the head moves in all, and by turns out of the plane, in pixels."""
    if poses is None:
        return np.zeros(count), np.zeros(count)
    pose = np.asarray(poses, np.float64)
    turned = FACE_EXTENT_PIXELS * np.abs(pose[:, :4])
    whole = np.sqrt((turned**2).sum(1) + (pose[:, 4:] ** 2).sum(1))
    return whole, np.hypot(turned[:, 0], turned[:, 1])
