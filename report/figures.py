"""Figures of a bake against what was generated, and against the truth where it is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32] | npt.NDArray[np.float64]
Pictures = npt.NDArray[np.uint8]

#: A pixel moves when it is displaced by at least this much (pixels).
MOVING_PIXELS = 0.1


def motion_magnitude(motion: npt.NDArray[np.float16]) -> npt.NDArray[np.float32]:
    """Return the lengths (T,H,W) of a motion (T,H,W,2), in its own pixels."""
    return np.asarray(np.linalg.norm(motion.astype(np.float32), axis=-1), np.float32)


def motion_profile(motion: npt.NDArray[np.float16]) -> npt.NDArray[np.float64]:
    """Return (T,): in each frame the mean length over the pixels that move somewhere in the clip.

    Zeros when nothing moves by `MOVING_PIXELS`.
    """
    magnitude = motion_magnitude(motion)
    moving = magnitude.max(axis=0) >= MOVING_PIXELS
    if not moving.any():
        return np.zeros(len(motion))
    return np.asarray(magnitude[:, moving].mean(axis=1), np.float64)


def psnr(first: Pictures, second: Pictures, where: npt.NDArray[np.bool_]) -> float:
    """Return the peak signal-to-noise ratio in dB over the pixels `where` (the pictures' shape
    without channels); infinity for equal pictures, NaN for an empty region."""
    if not where.any():
        return float("nan")
    difference = first[where].astype(np.float64) - second[where].astype(np.float64)
    error = float(np.mean(difference**2))
    return float("inf") if error == 0 else 10.0 * float(np.log10(255.0**2 / error))


@dataclass(frozen=True)
class Agreement:
    """Solved weights against the truth.

    `rmse` over the keys that truly move, `correlation` of those curves, `gain` (least-squares
    factor solved = gain x truth), `apex_seconds` (apex of the summed curves, solved minus true),
    `inactive_share` (summed peaks of the keys that should be still, over those of the others).
    """

    rmse: float
    correlation: float
    gain: float
    apex_seconds: float
    inactive_share: float


def agreement(
    times: Floats, solved: Mapping[str, Floats], truth: Mapping[str, Floats]
) -> Agreement | None:
    """Compare curves (T,) by name; None when no key of the truth is among the solved ones."""
    active = [name for name, curve in truth.items() if np.any(curve) and name in solved]
    if not active:
        return None
    found = np.stack([np.asarray(solved[name], np.float64) for name in active])
    true = np.stack([np.asarray(truth[name], np.float64) for name in active])
    still = [float(np.abs(curve).max()) for name, curve in solved.items() if name not in active]
    peaks = float(np.abs(found).max(axis=1).sum())
    flat = found.std() == 0
    return Agreement(
        rmse=float(np.sqrt(np.mean((found - true) ** 2))),
        correlation=0.0 if flat else float(np.corrcoef(found.ravel(), true.ravel())[0, 1]),
        gain=float((found * true).sum() / (true * true).sum()),
        apex_seconds=float(times[found.sum(axis=0).argmax()] - times[true.sum(axis=0).argmax()]),
        inactive_share=sum(still) / peaks if peaks else float("inf"),
    )
