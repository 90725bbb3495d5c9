"""Clean a clip's motion as a whole: a few patterns in space, each with a smooth course in time.

An expression moves a face along few patterns, and smoothly; what a flow gets wrong from frame to
frame does neither. The motion's principal patterns (Eckart and Young 1936) are told apart by von
Neumann's ratio of their courses (Annals of Mathematical Statistics 12, 1941): 2 for noise, next to
0 for what is smooth. No course is smoothed here, so that a short event keeps its height.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

#: Patterns looked at, the strongest first.
MOST_PATTERNS = 8
#: A pattern with less than this share of the strongest one's energy says nothing.
LEAST_SHARE = 1e-4
#: Von Neumann's ratio up to which a course is smooth, at high frame rates and at most.
SMOOTH_RATIO, HIGHEST_RATIO = 0.5, 1.4
#: The shortest event that must pass, full width at half height in seconds, and how much above its
#: ratio a noisy one may lie.
SHORTEST_SECONDS, NOISY = 0.065, 1.4
#: Clips of fewer frames are taken as they are.
FEWEST_FRAMES = 6


def patterns(motion: Floats, weights: Floats, times: NDArray[np.float64]) -> tuple[Floats, Floats]:
    """Return courses (T, r) and patterns (r, V, 2) whose product is the clean motion.

    `motion` (T, V, 2), `weights` (V,) how much each vertex counts. r may be 0: nothing but noise.
    """
    frames = len(motion)
    flat = motion.reshape(frames, -1)
    seen = flat * np.sqrt(np.repeat(weights, 2))
    energy, courses = np.linalg.eigh((seen @ seen.T).astype(np.float64))
    order = np.argsort(-energy)[:MOST_PATTERNS]
    energy, courses = energy[order], courses[:, order]
    kept = energy > max(LEAST_SHARE * float(energy[0]), 1e-12)
    if frames >= FEWEST_FRAMES:
        kept &= roughness(courses) < _highest(times)
    chosen = courses[:, kept].astype(np.float32)
    return chosen, (chosen.T @ flat).reshape(-1, *motion.shape[1:])


def roughness(courses: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return von Neumann's ratio (r,) of courses (T, r) about zero, the neutral."""
    square = (courses.astype(np.float64) ** 2).sum(0)
    steps = (np.diff(courses.astype(np.float64), axis=0) ** 2).sum(0)
    return np.asarray(steps / np.maximum(square, 1e-300))


def _highest(times: NDArray[np.float64]) -> float:
    """Return the ratio that a smooth course stays below at these times (T,)."""
    step = float(np.median(np.diff(times)))
    width = SHORTEST_SECONDS / (2 * np.sqrt(np.log(2)))
    away = np.arange(-60, 61) * step / width
    event = roughness(np.exp(-(away**2))[:, None])[0]
    return float(np.clip(NOISY * event, SMOOTH_RATIO, HIGHEST_RATIO))
