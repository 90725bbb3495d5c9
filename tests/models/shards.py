"""Training pairs made in code, for tests of training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from microface.models.training.data import write_served
from numpy.typing import NDArray

Array = NDArray[Any]


def write_shard(folder: Path, pairs: int = 4, seed: int = 0) -> Path:
    """A shard of made-up pairs: smooth pictures shifted by a smooth known motion."""
    rng = np.random.default_rng(seed)
    columns, rows = np.meshgrid(np.arange(256), np.arange(256))
    bump = np.exp(-((columns - 128) ** 2 + (rows - 150) ** 2) / (2 * 30.0**2))
    places = (np.stack([columns, rows], -1)[2::4, 2::4] - 128) / 16
    chart = np.dstack([places, np.zeros((64, 64)), np.ones((64, 64))])
    points = 128 + 90 * (rng.random((30, 2)) - 0.5)

    def picture(waves: Array, shift: Array) -> Array:
        x, y = columns - shift[..., 0], rows - shift[..., 1]
        parts = [0.5 + 0.35 * np.sin(a * x + b * y + c) for a, b, c in waves]
        return np.asarray(np.stack(parts, -1) * 255, np.uint8)

    made: dict[str, list[Array]] = {}
    for _ in range(pairs):
        amount = rng.uniform(-2, 2, 2)
        flow = bump[..., None] * amount
        motion = np.exp(-((points - (128, 150)) ** 2).sum(1) / (2 * 30.0**2))[:, None] * amount
        for side in ("source", "character"):
            waves = rng.uniform(0.1, 0.3, (3, 3))
            pair = {
                "neutral": picture(waves, np.zeros_like(flow)),
                "frame": picture(waves, flow),
                "points": points.astype(np.float32),
                "motion": motion.astype(np.float32),
                "chart": chart.astype(np.float16),
            }
            for name, value in pair.items():
                made.setdefault(f"{side}_{name}", []).append(value)
        cells = flow.reshape(64, 4, 64, 4, 2).mean(axis=(1, 3))
        made.setdefault("source_flow", []).append(cells.astype(np.float32))
        made.setdefault("source_moving", []).append(np.ones((64, 64), np.float32))
        made.setdefault("character_forward", []).append(flow.astype(np.float16))
        made.setdefault("character_backward", []).append((-flow).astype(np.float16))
        made.setdefault("character_visible", []).append(np.ones((256, 256), np.uint8))
        made.setdefault("character_fixed", []).append(np.zeros((256, 256), np.uint8))
    meta = [
        {"weights": {}, "families": ["a", "a" if i % 2 else "b"], "identities": [i, i]}
        for i in range(pairs)
    ]
    path = folder / "pairs-00000.npz"
    np.savez(path, meta=np.array(json.dumps(meta)), **{k: np.stack(v) for k, v in made.items()})
    flows = np.stack(made["source_flow"])
    write_served(path, flows, np.zeros_like(flows))
    return path
