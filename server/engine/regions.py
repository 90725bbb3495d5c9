"""Gains and shares for regions and sides of the face: how much of each comes through.

The network says for each cell of the character what it shows, as a place on a chart that all faces
share. Regions are neighbourhoods of places on that chart, so they lie right on every character.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from ..protocol.regions import REGIONS, SIDES, Gains, Mix, Place

Floats = NDArray[np.float32]

#: Places on the chart (x to the subject's left, y up, z to the front; centimetres) that each region
#: lies about, for the left half; the right half mirrors it.
PLACES: Mapping[str, tuple[tuple[float, float, float], ...]] = MappingProxyType({
    "brows": ((1.3, 2.3, 2.7), (2.8, 2.4, 2.4), (3.9, 2.3, 1.8), (5.2, 1.7, 0.5),
              (0.0, 2.2, 2.8), (0.0, 4.5, 2.6), (2.5, 4.5, 2.2), (4.8, 4.0, 0.5)),
    "lids": ((1.9, -0.1, 1.5), (2.7, 0.3, 1.7), (3.9, 0.2, 1.4), (4.3, -0.2, 0.8),
             (3.1, -0.6, 1.4), (2.5, -0.5, 1.5), (3.2, 1.0, 1.7)),
    "nose": ((0.0, -0.4, 2.8), (0.0, -2.1, 3.9), (0.0, -3.5, 4.6), (1.2, -4.4, 2.9),
             (0.0, -4.9, 3.3), (0.9, -2.8, 2.9)),
    "cheeks": ((3.0, -2.4, 1.6), (4.4, -2.2, 0.6), (3.4, -4.2, 1.6), (4.8, -4.5, -0.2),
               (5.6, -1.2, -0.6), (4.2, -6.6, 0.4)),
    "lips": ((2.4, -6.9, 2.2), (1.5, -6.2, 3.1), (0.0, -5.9, 3.7), (1.2, -7.5, 3.1),
             (0.0, -7.8, 3.4), (0.0, -6.8, 3.2)),
    "chin": ((0.0, -9.6, 3.0), (1.5, -9.8, 2.4), (0.0, -10.8, 2.0), (2.8, -9.3, 1.2)),
})  # fmt: skip
#: Width, centimetres, of the passage from a region to its neighbour, and from side to side.
PASSAGE, MIDDLE = 0.7, 0.8


def region_shares(chart: Floats) -> dict[Place, Floats]:
    """Return how far (64, 64) 0..1 each cell belongs to each region and side; they add up to 1.

    `chart` (3, 64, 64) are the places that the cells show, decimetres.
    """
    places = 10 * np.moveaxis(np.asarray(chart, np.float32), 0, -1)
    left = 1 / (1 + np.exp(np.clip(-4 * places[..., 0] / MIDDLE, -60, 60)))
    folded = places * np.array([0, 1, 1], np.float32)
    folded[..., 0] = np.abs(places[..., 0])
    seats = [np.array(PLACES[region], np.float32) for region in REGIONS]
    away = np.stack([((folded - seat[:, None, None]) ** 2).sum(-1).min(0) for seat in seats])
    likely = np.exp(-(away - away.min(0)) / (2 * PASSAGE**2))
    likely /= likely.sum(0)
    shares = {}
    for region, share in zip(REGIONS, likely, strict=True):
        for side, part in zip(SIDES, (left, 1 - left), strict=True):
            shares[region, side] = (share * part).astype(np.float32)
    return shares


def gain_field(chart: Floats, gains: Gains, size: int) -> Floats:
    """Return the gain (size, size) of each pixel of the character's crop, smooth.

    `chart` (3, 64, 64) decimetres; regions that are not in `gains` have 1.
    """
    field = np.ones(chart.shape[1:], np.float32)
    for key, share in region_shares(chart).items():
        field += np.float32(gains.get(key, 1.0) - 1) * share
    return np.asarray(cv2.resize(field, (size, size), interpolation=cv2.INTER_LINEAR), np.float32)


def share_field(chart: Floats, mix: Mix, size: int) -> Floats | float:
    """Return the share of the second clip, 0..1, for each pixel (size, size) of the character's
    crop, smooth; a number where it is the same everywhere."""
    shares = mix.everywhere
    if len(set(shares.values())) == 1:
        return shares["brows", "left"]
    return np.clip(gain_field(chart, shares, size), 0, 1)
