"""A face of parts that move by keys of either side, and what a solve makes of its motion."""

from __future__ import annotations

import numpy as np
from microface.server.engine.solve import SolveResult, solve_weights

FRAMES = 40
TIMES = np.arange(FRAMES) / 100
#: Places of the face's moving parts on the left half, in pixels from its middle, and directions.
PARTS = {
    "browInnerUp": ((14, -60), (0.1, -7)), "browOuterUp": ((46, -58), (1, -8)),
    "browDown": ((26, -52), (-3, 7)), "eyeSquint": ((32, -26), (0.5, -3)),
    "cheekSquint": ((44, 0), (0, -5)), "noseSneer": ((14, 6), (2, -6)),
    "mouthSmile": ((26, 40), (8, -8)), "mouthFrown": ((24, 46), (2, 8)),
    "mouthUpperUp": ((10, 32), (0, -6)), "mouthStretch": ((30, 44), (8, 2)),
}  # fmt: skip


def face(vertices: int = 700, seed: int = 0) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return positions (V, 2), Jacobian (V, 2, S) and names (S) of a face with keys by side."""
    rng = np.random.default_rng(seed)
    half = rng.uniform((0, -80), (70, 80), (vertices // 2, 2))
    positions = np.concatenate([half, half * (-1, 1)]) + 128
    columns, names = [], []
    for name, (place, way) in PARTS.items():
        for side, sign in (("Left", 1), ("Right", -1)):
            away = (positions - 128 - np.array(place) * (sign, 1)) / 15
            near = np.exp(-(away**2).sum(1) / 2)
            columns.append(near[:, None] * np.array(way) * (sign, 1))
            names.append(name + side)
    return positions, np.stack(columns, -1), names


def event(height: float, apex: float = 0.18, width: float = 0.06) -> np.ndarray:
    return height * np.exp(-(((TIMES - apex) / width) ** 2))


def made(names: list[str], **heights: float) -> np.ndarray:
    weights = np.zeros((FRAMES, len(names)))
    for name, height in heights.items():
        weights[:, names.index(name)] = event(height)
    return weights


def motion_of(jacobian: np.ndarray, weights: np.ndarray, noise: float = 0.03) -> np.ndarray:
    clean = np.einsum("vcs,ts->tvc", jacobian, weights)
    return clean + np.random.default_rng(7).normal(0, noise, clean.shape)


def solve(
    positions: np.ndarray, jacobian: np.ndarray, motion: np.ndarray, **more: object
) -> SolveResult:
    keys = jacobian.shape[2]
    usual: dict = {
        "confidence": np.ones(len(jacobian), np.float32),
        "bounds": np.tile([0.0, 1.0], (keys, 1)),
        "names": [f"key_{k:03d}" for k in range(keys)],
        "times": TIMES,
        "positions": positions,
    }
    return solve_weights(jacobian, motion, **(usual | more))


def error(found: np.ndarray, true: np.ndarray) -> float:
    return float(np.sqrt(((found - true) ** 2).mean()))
