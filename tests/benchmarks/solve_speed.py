"""Print what the shape key solve costs, and how the cost grows with frames, keys and vertices.

Not a test: run it on an idle machine, `python tests/benchmarks/solve_speed.py`. The aims are half a
second for 64 frames, 60 keys and 5,000 vertices, and three seconds for 300 keys, on two cores.
"""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import dataclass

import numpy as np
from microface.server.engine.solve import solve_weights

REPEATS = 3


@dataclass(frozen=True)
class Size:
    """Frames, keys and vertices of a problem."""

    frames: int = 64
    keys: int = 60
    vertices: int = 5000


#: What is timed: the usual problem, then each size by itself and times as much.
USUAL = Size()
SIZES = (
    USUAL,
    Size(frames=128), Size(frames=256),
    Size(keys=5), Size(keys=120), Size(keys=300),
    Size(vertices=1250), Size(vertices=2500), Size(vertices=10000),
)  # fmt: skip


def solved(size: Size) -> tuple[float, float, int, float]:
    """Return wall seconds, processor seconds, active keys and weight RMSE of one solve.

    Motion has white noise of 0.05 pixels and a smooth error in space of a twentieth of the motion,
    as that of a network has: a search through clean motion would be a short one.
    """
    rng = np.random.default_rng(0)
    positions = rng.uniform(0, 256, (size.vertices, 2))
    jacobian = np.zeros((size.vertices, 2, size.keys), np.float32)
    for key in range(size.keys):
        near = np.exp(-(((positions - rng.uniform(20, 236, 2)) / rng.uniform(15, 40)) ** 2).sum(1))
        jacobian[..., key] = near[:, None] * rng.normal(0, 8, 2)
    times = np.arange(size.frames) / 200
    weights = np.zeros((size.frames, size.keys))
    for share, apex in ((0.05, 0.12), (0.35, 0.15), (0.5, 0.16), (0.8, 0.18)):
        event = 0.2 * np.exp(-(((times - apex) / 0.05) ** 2))
        weights[:, int(share * size.keys)] = event
    motion = np.einsum("vcs,ts->tvc", jacobian, weights)
    wave = 0.05 * np.sin(positions[:, ::-1] / 25)
    motion += wave * np.linalg.norm(motion, axis=2).mean(1)[:, None, None] * 8
    motion += rng.normal(0, 0.05, motion.shape)
    wall, processor = time.perf_counter(), time.process_time()
    result = solve_weights(
        jacobian.astype(np.float16),
        motion.astype(np.float16),
        np.ones(size.vertices, np.float32),
        np.tile([0.0, 1.0], (size.keys, 1)),
        [f"key{k}" for k in range(size.keys)],
        times,
        positions,
    )
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    error = float(np.sqrt(((result.weights - weights) ** 2).mean()))
    return wall, processor, int(result.weights.any(0).sum()), error


def main() -> int:
    """Print a row for each size; the median of three runs."""
    print(f"{'frames':>7}{'keys':>6}{'vertices':>9}{'wall s':>8}{'CPU s':>8}{'ratio':>7}", end="")
    print(f"{'active':>8}{'RMSE':>8}")
    usual = 0.0
    for size in SIZES:
        runs = [solved(size) for _ in range(REPEATS)]
        wall, processor = (statistics.median(run[i] for run in runs) for i in (0, 1))
        usual = usual or processor
        print(
            f"{size.frames:7d}{size.keys:6d}{size.vertices:9d}{wall:8.2f}{processor:8.2f}"
            f"{processor / usual:7.2f}{runs[0][2]:8d}{runs[0][3]:8.4f}",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
