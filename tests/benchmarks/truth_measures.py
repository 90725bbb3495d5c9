"""How far solved weights are from the true ones, clip by clip and over many clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from truth_clips import FPS, Truth

#: A frame moves when its true motion is over this share of the clip's greatest.
MOVES = 0.25
#: Symmetric clips stay so while the weaker side keeps this share of the stronger.
SYMMETRIC = 0.5


@dataclass(frozen=True)
class Measured:
    """One clip's figures.

    `rmse` of the weights of active keys; `r` Pearson over time of the active keys, weighted by
    their true peaks, 0 for a key that stays silent; `gain` slope of produced on true weights;
    `inactive` sum of the other keys as a share of the active ones'; `side` 1 where the stronger
    side is right (one-sided clips; NaN for others), `kept` 1 where a symmetric clip stays so;
    `surface` sum of |J(w - w*)| over that of |J w*| where it moves; `apex` error in seconds;
    `keys` how many move.
    """

    rmse: float
    r: float
    gain: float
    inactive: float
    side: float
    kept: float
    surface: float
    apex: float
    keys: float


def measure(truth: Truth, weights: np.ndarray) -> Measured:
    """Return one clip's figures for weights (T,S)."""
    true = truth.weights
    active = np.abs(true).max(0) > 0
    made, meant = weights[:, active], true[:, active]
    peaks = np.abs(meant).max(0)
    r = [_pearson(a, b) for a, b in zip(made.T, meant.T, strict=True)]
    left, right = (
        np.abs(weights[:, [n.lower().endswith(side) for n in truth.names]]).sum()
        for side in ("left", "right")
    )
    weaker = min(left, right) / max(left, right, 1e-9)
    jacobian = truth.jacobian.astype(np.float32)
    shown = np.einsum("vcs,ts->tvc", jacobian, weights.astype(np.float32))
    real = np.einsum("vcs,ts->tvc", jacobian, true.astype(np.float32))
    size = np.linalg.norm(real, axis=2).sum(1)
    moving = size > MOVES * size.max()
    error = np.linalg.norm(shown - real, axis=2).sum(1)
    height = np.linalg.norm(shown, axis=2).sum(1)
    return Measured(
        float(np.sqrt(((made - meant) ** 2).mean())),
        float(np.average(r, weights=peaks)),
        float((made * meant).sum() / (meant**2).sum()),
        float(
            np.abs(weights[:, ~active]).sum() / max(np.abs(made).sum(), 0.1 * np.abs(meant).sum())
        ),
        float((left > right) == (truth.side > 0)) if truth.side else float("nan"),
        float("nan") if truth.side or not left + right else float(weaker > SYMMETRIC),
        float(error[moving].sum() / size[moving].sum()),
        abs(_apex(height) - _apex(size)) / FPS,
        float((np.abs(weights).max(0) > 0).sum()),
    )


def _pearson(a: np.ndarray, b: np.ndarray) -> float:
    if a.std() < 1e-9 or b.std() < 1e-9:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def _apex(profile: np.ndarray) -> float:
    """Return the frame of the peak, between frames by a parabola; 0 where nothing moves."""
    peak = int(np.argmax(profile))
    if not 0 < peak < len(profile) - 1:
        return float(peak)
    before, top, after = (float(v) for v in profile[peak - 1 : peak + 2])
    bend = before - 2 * top + after
    return peak if bend >= 0 else peak + 0.5 * (before - after) / bend


def summary(measured: Sequence[Measured]) -> dict[str, float]:
    """Return the figures over clips: means, the pooled RMSE, the median apex error."""
    table = {f.name: np.array([getattr(m, f.name) for m in measured]) for f in fields(Measured)}
    found = {
        name: float(np.nanmean(column)) if np.isfinite(column).any() else float("nan")
        for name, column in table.items()
    }
    found["rmse"] = float(np.sqrt((table["rmse"] ** 2).mean()))
    found["apex_median_ms"] = float(np.median(table["apex"]) * 1000)
    found["apex_mean_ms"] = float(table["apex"].mean() * 1000)
    found["apex_worst_frames"] = float(table["apex"].max() * FPS)
    found["clips"] = float(len(measured))
    del found["apex"]
    return found
