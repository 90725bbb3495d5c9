"""Print what a frame costs beside the released network's: operations and time, in one run.

The released network is `models.released`, with random weights; both run as ONNX graphs on ONNX
Runtime, by turns, in two ways: all threads on one frame, and a frame on each. Each network is
judged by the way that suits it. Not a test; run it on a quiet machine as

    python tests/benchmarks/released_speed.py --threads 2 --frames 20
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from clock import by_turns
from microface.models.evaluation import cost
from microface.models.export import load_weights
from microface.models.graphs import EACH_FRAME, session
from microface.models.released.network import Keypoints, Released, relative
from microface.server.engine.runtime import WEIGHTS
from precision_speed import frame_of
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


class Frame(nn.Module):
    """One frame of a clip as the released code makes it: what stands still is found once."""

    def __init__(self) -> None:
        super().__init__()
        self.network = Released().eval()

    def forward(self, image: Tensor, frame: Tensor, points: Tensor, turns: Tensor) -> Tensor:
        """Return the picture; `points` and `turns` stand for both neutrals' keypoints."""
        still = Keypoints(points, turns)
        moved = relative(still, still, self.network.detector(frame))
        picture: Tensor = self.network(image, still, moved).image
        return picture


def released(folder: Path) -> tuple[Callable[[int], Callable[[], object]], float]:
    """Return what gives a call that makes a frame of the released network on some threads, and its
    GFLOPs."""
    network = Frame()
    inputs = (
        torch.rand(1, 3, 256, 256),
        torch.rand(1, 3, 256, 256),
        torch.rand(1, 10, 2) - 0.5,
        torch.eye(2).expand(1, 10, 2, 2).contiguous(),
    )
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(*inputs)
    names = ["image", "frame", "points", "turns"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network, inputs, str(folder / "released.onnx"), input_names=names,
            output_names=["picture"], opset_version=17, dynamo=False,
        )  # fmt: skip
    feed = {name: value.numpy() for name, value in zip(names, inputs, strict=True)}

    def frame(threads: int) -> Callable[[], object]:
        graph = session(folder / "released.onnx", threads)
        return lambda: graph.run(None, feed)

    return frame, counter.get_total_flops() / 1e9


def ours(threads: int) -> Callable[[], object]:
    """Return a call that makes a frame of the network that ships."""
    return frame_of([session(WEIGHTS / name, threads) for name in EACH_FRAME])


def ways(
    frame: Callable[[int], Callable[[], object]], pool: ThreadPoolExecutor, threads: int
) -> dict[str, Callable[[], object]]:
    """Return calls that make `threads` frames, in both ways."""
    shared, own = frame(threads), frame(1)
    return {
        "threads share a frame": lambda: [shared() for _ in range(threads)],
        "a frame on each thread": lambda: list(pool.map(lambda _: own(), range(threads))),
    }


def main() -> None:
    """Time both by turns and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--frames", type=int, default=20)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(chosen.threads) as pool:
        theirs, their_operations = released(Path(folder))
        calls = {
            (name, way): call
            for name, frame in (("released", theirs), ("ours", ours))
            for way, call in ways(frame, pool, chosen.threads).items()
        }
        took = by_turns(calls, chosen.frames)
    operations = {
        "released": their_operations,
        "ours": cost.operations(load_weights(WEIGHTS / "eam.safetensors"))["frame"],
    }
    print(f"{chosen.threads} threads, {chosen.frames} frames, 256 px; medians")
    print("| | | GFLOPs a frame | ms a frame | CPU ms a frame |\n|---|---|---|---|---|")
    best = {name: (float("inf"), float("inf")) for name in operations}
    for (name, way), times in took.items():
        ms, cpu = (time / chosen.threads for time in times)
        print(f"| {name} | {way} | {operations[name]:.1f} | {ms:.0f} | {cpu:.0f} |")
        best[name] = min(best[name], (ms, cpu))
    ratios = [theirs / ours for theirs, ours in zip(best["released"], best["ours"], strict=True)]
    print(
        f"| ratio | the better of each | {operations['released'] / operations['ours']:.1f} "
        f"| {ratios[0]:.1f} | {ratios[1]:.1f} |"
    )


if __name__ == "__main__":
    main()
