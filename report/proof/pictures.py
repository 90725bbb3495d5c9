"""Pictures of a report: differences and heat maps."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: How much the difference of two pictures is amplified.
GAIN = 8.0
#: Stops of the heat map: dark blue, teal, yellow, red.
_STOPS = np.array([(38, 43, 92), (32, 140, 141), (250, 210, 60), (214, 39, 40)], np.float64)


def difference(
    first: NDArray[np.uint8], second: NDArray[np.uint8], gain: float = GAIN
) -> NDArray[np.uint8]:
    """Return `128 + gain (first - second)`, clipped: grey where two pictures are equal."""
    apart = first.astype(np.float32) - second.astype(np.float32)
    return np.asarray(np.clip(128 + gain * apart, 0, 255), np.uint8)


def heat_colours(share: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Return colours (...,3) for values 0..1, dark to red."""
    place = np.clip(np.asarray(share, np.float64), 0, 1) * (len(_STOPS) - 1)
    channels = [np.interp(place, np.arange(len(_STOPS)), _STOPS[:, one]) for one in range(3)]
    return np.asarray(np.rint(np.stack(channels, axis=-1)), np.uint8)


def heat_map(
    neutral: NDArray[np.uint8],
    places: NDArray[np.floating[Any]],
    values: NDArray[np.floating[Any]],
    highest: float,
) -> NDArray[np.uint8]:
    """Return the neutral (H,W,3), greyed, under a heat map of values (N,) at pixels (N,2) (x, y).

    `highest` gets the last colour. A pixel takes the mean of the values around it, weighted by a
    Gaussian as wide as the values lie apart; where none is near, the face shows.
    """
    height, width = neutral.shape[:2]
    grey = np.repeat(neutral.astype(np.float64).mean(axis=2, keepdims=True), 3, axis=2) * 0.75
    inside = (
        np.isfinite(values)
        & (places >= 0).all(axis=1)
        & (places[:, 0] <= width - 1)
        & (places[:, 1] <= height - 1)
    )
    if not inside.any():
        return np.asarray(np.rint(grey), np.uint8)
    spots, numbers = places[inside], np.asarray(values, np.float64)[inside]
    extent = np.ptp(spots, axis=0)
    spacing = float(np.sqrt(max(extent[0] * extent[1], 1.0) / len(spots)))
    sigma = float(np.clip(0.9 * spacing, 1.2, 0.06 * width))
    index = (np.rint(spots[:, 1]).astype(int), np.rint(spots[:, 0]).astype(int))
    total, weight = np.zeros((height, width)), np.zeros((height, width))
    np.add.at(total, index, numbers)
    np.add.at(weight, index, 1.0)
    total, weight = _blurred(total, sigma), _blurred(weight, sigma)
    dense = 1.0 / (2 * np.pi * sigma**2)
    cover = np.clip(weight / (0.35 * dense), 0, 1)[..., None] * 0.8
    mean = total / np.maximum(weight, 1e-12)
    colours = heat_colours(mean / max(highest, 1e-12)).astype(np.float64)
    return np.asarray(np.rint(grey * (1 - cover) + colours * cover), np.uint8)


def heat_legend(width: int = 256, height: int = 12) -> NDArray[np.uint8]:
    """Return the heat map's colours from left (0) to right (the highest)."""
    return np.repeat(heat_colours(np.linspace(0, 1, width))[None], height, axis=0)


def _blurred(values: NDArray[np.float64], sigma: float) -> NDArray[np.float64]:
    reach = int(np.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    for axis in (0, 1):
        values = np.apply_along_axis(np.convolve, axis, values, kernel, mode="same")
    return values
