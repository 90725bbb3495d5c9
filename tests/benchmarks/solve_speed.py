"""Print how long the shape key solve takes for a clip of 64 frames, 60 keys, 5000 vertices.

Not a test: run it on an idle machine, `python tests/benchmarks/solve_speed.py`. The aim is half a
second on two cores.
"""

from __future__ import annotations

import time

import numpy as np
from microface.server.engine.solve import solve_weights

FRAMES, KEYS, VERTICES = 64, 60, 5000


def main() -> None:
    rng = np.random.default_rng(0)
    positions = rng.uniform(0, 256, (VERTICES, 2))
    jacobian = np.zeros((VERTICES, 2, KEYS), np.float32)
    for key in range(KEYS):
        near = np.exp(-(((positions - rng.uniform(20, 236, 2)) / rng.uniform(15, 40)) ** 2).sum(1))
        jacobian[..., key] = near[:, None] * rng.normal(0, 8, 2)
    times = np.arange(FRAMES) / 200
    weights = np.zeros((FRAMES, KEYS))
    for key, apex in ((3, 0.12), (20, 0.15), (31, 0.16), (47, 0.18)):
        weights[:, key] = 0.2 * np.exp(-(((times - apex) / 0.05) ** 2))
    motion = np.einsum("vcs,ts->tvc", jacobian, weights)
    motion += rng.normal(0, 0.05, motion.shape)
    for _ in range(3):
        wall, processor = time.perf_counter(), time.process_time()
        result = solve_weights(
            jacobian.astype(np.float16),
            motion.astype(np.float16),
            np.ones(VERTICES, np.float32),
            np.tile([0.0, 1.0], (KEYS, 1)),
            [f"key{k}" for k in range(KEYS)],
            times,
        )
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        error = np.sqrt(((result.weights - weights) ** 2).mean())
        active = int(result.weights.any(0).sum())
        print(
            f"{wall:.3f} s ({processor:.3f} s of processor time), {active} keys active, "
            f"weight RMSE {error:.4f}"
        )


if __name__ == "__main__":
    main()
