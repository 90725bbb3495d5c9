"""Print how fast the graphs of several folders are, by turns: float32 beside fp16 and int8.

Not a test; run it as

    python tests/benchmarks/precision_speed.py models/weights out/int8 --threads 1
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from clock import by_turns
from microface.models.graphs import EACH_FRAME, GRAPHS, made_up, session

if TYPE_CHECKING:
    import onnxruntime


def main() -> None:
    """Time a frame of each folder by turns and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--frames", type=int, default=20)
    chosen = parser.parse_args()
    calls = {}
    for folder in chosen.folders:
        graphs = [session(folder / name, chosen.threads) for name in EACH_FRAME]
        calls[str(folder)] = frame_of(graphs)
    print("| folder | ms a frame | CPU ms a frame | MB |\n|---|---|---|---|")
    for folder, (ms, cpu) in zip(
        chosen.folders, by_turns(calls, chosen.frames).values(), strict=True
    ):
        size = sum((folder / name).stat().st_size for name in GRAPHS) / 1e6
        print(f"| {folder.name} | {ms:.0f} | {cpu:.0f} | {size:.1f} |")


def frame_of(graphs: Sequence[onnxruntime.InferenceSession]) -> Callable[[], object]:
    """Return a call that runs each graph once on made-up inputs."""
    feeds = [made_up(graph) for graph in graphs]
    return lambda: [graph.run(None, feed) for graph, feed in zip(graphs, feeds, strict=True)]


if __name__ == "__main__":
    main()
