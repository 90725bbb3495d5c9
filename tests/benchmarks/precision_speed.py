"""Print how fast the graphs of several folders are, by turns: float32 beside fp16 and int8.

Not a test; run it as

    python tests/benchmarks/precision_speed.py models/weights out/int8 --threads 1
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
from microface.models.export import session
from microface.models.precision import GRAPHS


def main() -> None:
    """Time a frame of each folder by turns and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--frames", type=int, default=20)
    chosen = parser.parse_args()
    rng = np.random.default_rng(0)
    graphs = [
        [session(folder / name, chosen.threads) for name in GRAPHS] for folder in chosen.folders
    ]
    feeds = [
        {
            each.name: rng.random([s if isinstance(s, int) else 1 for s in each.shape], np.float32)
            for each in graph.get_inputs()
        }
        for graph in graphs[0]
    ]
    wall: list[list[float]] = [[] for _ in graphs]
    busy: list[list[float]] = [[] for _ in graphs]
    for turn in range(chosen.frames + 1):
        for index, pair in enumerate(graphs):
            start, used = time.perf_counter(), time.process_time()
            for graph, feed in zip(pair, feeds, strict=True):
                graph.run(None, feed)
            if turn:
                wall[index].append(time.perf_counter() - start)
                busy[index].append(time.process_time() - used)
    print("| folder | ms a frame | CPU ms a frame | MB |\n|---|---|---|---|")
    for folder, times, used in zip(chosen.folders, wall, busy, strict=True):
        size = sum((folder / name).stat().st_size for name in GRAPHS) / 1e6
        ms, cpu = (1000 * statistics.median(values) for values in (times, used))
        print(f"| {folder.name} | {ms:.0f} | {cpu:.0f} | {size:.1f} |")


if __name__ == "__main__":
    main()
