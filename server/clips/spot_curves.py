"""How each region of a face moves over a clip, freed of what is no expression."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from .basis import CELLS
from .describe_amounts import COARSE, Floats, Rows, amounts_of, coarse_rows, fields, pieces
from .roomy import roomy
from .sampling import Reals
from .template import template

Region = Literal["brows", "lids", "nose", "lips", "chin"]
REGIONS: tuple[Region, ...] = ("brows", "lids", "nose", "lips", "chin")

#: Regions in face units about the keypoints' mean, y down: top, bottom, inner and outer edge, the
#: last two as distances from the middle line.
_EXTENTS: dict[Region, tuple[float, float, float, float]] = {
    "brows": (-1.75, -0.75, 0.0, 1.45),
    "lids": (-0.75, -0.3, 0.2, 1.35),
    "nose": (-0.3, 0.6, 0.0, 0.75),
    "lips": (0.6, 1.35, 0.0, 1.0),
    "chin": (1.35, 2.0, 0.0, 0.9),
}
#: A frame in which the head is turned further than this, out of the plane and from the neutral,
#: bears no witness: steadying leaves too much of the turn in it.
TURNED_DEGREES = 15.0
#: A blink is over within so many seconds.
BLINK_SECONDS = 0.6
#: RMS distance of the face's points from its middle, in pixels of the crop.
FACE_EXTENT_PIXELS = 55.0
#: Slow change is what moves less within this time; macro-expressions last up to 4 s.
DRIFT_SECONDS = 9.0
#: The running median is worked out this often, from at most so many frames.
KNOT_SECONDS, MEDIAN_FRAMES = 0.75, 70
#: A clip shorter than this has no drift to speak of.
LONG_SECONDS = 6.0
#: Noise between frames is smoothed over this time (standard deviation of a Gaussian).
SMOOTH_SECONDS = 0.008


@dataclass(frozen=True)
class Curves:
    """What moves in a clip of T frames at `times` (T,) seconds.

    `regions` (T, 5) is how far the skin of each of `REGIONS` moves by expression, RMS pixels of
    the 256-pixel crop, held where `witness` (T,) says that the head is turned too far to tell;
    `jaw` (T,) how far the jaw drops and `gaze` (T,) how far the eyes turn, as amounts; `blink` (T,)
    how unlike the neutral's the eyes look for a while, 0..1, or, where nothing is known of that,
    how far the lids, or the eyes, go down; `head` (T,) pixels (RMS over the face) of the head's own
    motion, `turn` (T,) what of it turns out of the picture's plane.
    """

    times: Floats
    regions: Floats
    jaw: Floats
    blink: Floats
    gaze: Floats
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
    flows: Reals, times: Reals, poses: Reals | None = None, trust: Reals | None = None
) -> Curves:
    """Return the curves of steadied flows (T, 64, 64, 2), or of coarse ones (T, 32, 32, 2).

    `poses` (T, 6) are the head's and `trust` (T, 64, 64) how far each place is to be believed, as
    the steadier found them.
    """
    seconds = np.asarray(times, np.float64)
    rows = _without_drift(coarse_rows(flows, trust), seconds)
    amounts = _smooth(amounts_of(rows), seconds)
    known = fields().basis
    units = np.asarray(known.units)
    expressive = ~np.isin(units, (0, 45))
    regions = np.zeros((len(rows), len(REGIONS)))
    blocks = known.columns(CELLS // COARSE)
    for index, cells in enumerate(region_cells(COARSE).values()):
        part = blocks[cells.ravel()].reshape(-1, len(units))
        gram = part.T @ part / max(1, cells.sum())
        own = amounts * expressive
        regions[:, index] = np.sqrt(np.maximum(0, np.einsum("tk,kl,tl->t", own, gram, own)))
    witness = witnesses(poses, len(rows))
    for curve in regions.T:
        curve[~witness] = np.interp(seconds[~witness], seconds[witness], curve[witness])
    jaw = amounts[:, units == 26].ravel()
    if trust is not None:
        # Eyes that close or turn look unlike the neutral's: just there nothing is believed.
        amounts = _smooth(amounts_of(_without_drift(coarse_rows(flows), seconds)), seconds)
    named = {name: amounts[:, k] for k, name in enumerate(known.names)}
    down = named["gaze down"] - named["gaze up"]
    gaze = np.hypot(named["gaze left"] - named["gaze right"], down)
    if trust is None:
        # Closing lids take the eyes' picture down with them.
        blink = amounts[:, units == 45].mean(1) + np.maximum(0, down)
    else:
        blink = _smooth(_closed(trust, seconds)[:, None], seconds).ravel()
    return Curves(seconds, regions, jaw, blink, gaze, *_head(poses, len(rows)), witness)


def witnesses(poses: Reals | None, count: int) -> NDArray[np.bool_]:
    """Return the frames (T,) that may bear witness: those in which the head is not turned far.

    All of them where `poses` (T, 6) are not known, or none is near the neutral's.
    """
    if poses is None:
        return np.ones(count, np.bool_)
    pose = np.asarray(poses, np.float64)
    near = np.hypot(pose[:, 0], pose[:, 1]) <= np.radians(TURNED_DEGREES)
    return np.asarray(near if near.any() else ~near)


def _closed(trust: Reals, seconds: Floats) -> Floats:
    """Return how unlike (T,) the neutral's an eye looks, 0..1, by the trust (T, N, N) in it.

    The eye that changes more: the other one may be hidden. Only what passes within a blink's time
    counts: a smile narrows the eyes for longer.
    """
    cells = trust.shape[1]
    lids, x = region_cells(cells)["lids"], template(cells).x
    eyes = lids & (x > 0), lids & (x < 0)
    believed = [[trust[part][:, eye].mean(1, np.float64) for eye in eyes]
                for part in pieces(len(trust))]  # fmt: skip
    unlike = 1 - np.concatenate(believed, axis=1).min(0)
    frames = round(BLINK_SECONDS / max(1e-9, float(np.median(np.diff(seconds, append=np.inf)))))
    return np.asarray(cv2.morphologyEx(unlike[None], cv2.MORPH_TOPHAT, np.ones((1, frames)))[0])


def _head(poses: Reals | None, count: int) -> tuple[Floats, Floats]:
    """Return how far (T,) the head moves in all, and by turns out of the plane, in pixels."""
    if poses is None:
        return np.zeros(count), np.zeros(count)
    pose = np.asarray(poses, np.float64)
    turned = FACE_EXTENT_PIXELS * np.abs(pose[:, :4])
    whole = np.sqrt((turned**2).sum(1) + (pose[:, 4:] ** 2).sum(1))
    return whole, np.hypot(turned[:, 0], turned[:, 1])


def _without_drift(rows: Rows, seconds: Floats) -> Rows:
    """Return rows (T, R) less their running median where the clip is long."""
    if seconds[-1] - seconds[0] < LONG_SECONDS:
        return rows
    # So many a window: a median of more costs time and tells no more.
    knots = np.arange(seconds[0], seconds[-1] + KNOT_SECONDS, KNOT_SECONDS)
    usual = np.empty((len(knots), rows.shape[1]), np.float32)
    for index, knot in enumerate(knots):
        first, end = np.searchsorted(seconds, (knot - DRIFT_SECONDS / 2, knot + DRIFT_SECONDS / 2))
        step = max(1, (end - first) // MEDIAN_FRAMES)
        usual[index] = np.median(rows[first:end:step], axis=0)
    place = (seconds - knots[0]) / KNOT_SECONDS
    before = np.clip(place.astype(int), 0, len(knots) - 2)
    share = (place - before)[:, None].astype(np.float32)
    result = roomy(rows.shape, np.float32)
    for part in pieces(len(rows)):
        low, high = usual[before[part]], usual[before[part] + 1]
        result[part] = rows[part] - (1 - share[part]) * low - share[part] * high
    return result


def _smooth(values: Floats, seconds: Floats) -> Floats:
    """Return values (T, K) smoothed over time, their mean at each place kept."""
    if len(seconds) < 3:
        return values
    step = float(np.median(np.diff(seconds)))
    sigma = SMOOTH_SECONDS / step
    if sigma < 0.4:
        return values
    return _along(values, sigma)


def _along(values: Floats, sigma: float) -> Floats:
    reach = max(1, int(np.ceil(3 * sigma)))
    offsets = np.arange(-reach, reach + 1)
    kernel = np.exp(-0.5 * (offsets / sigma) ** 2)
    kernel /= kernel.sum()
    padded = np.concatenate([values[:1].repeat(reach, 0), values, values[-1:].repeat(reach, 0)])
    return sum(
        (k * padded[i : i + len(values)] for i, k in enumerate(kernel)), np.zeros_like(values)
    )
