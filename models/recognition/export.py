"""Write the recogniser as the ONNX graph by which the server describes clips.

`python -m microface.models.recognition.export --out server/clips/recogniser.onnx`. Inputs: `flow`
(N, 2, 64, 64), steadied, in pixels of the face's 256-pixel crop, and `points` (N, 30, 2), the
neutral's keypoints in [-1, 1] of it. Outputs: `chance` and `amount` (N, COLUMNS), as `Reading` has
them. The columns' names are in the graph's metadata, as JSON under `columns`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from torch import Tensor, nn

from ...errors import told
from ..export import export_graph, trial_flow
from .network import WEIGHTS, Reading, Recogniser, load_recogniser
from .regions import UPRIGHT, windows
from .units import COLUMNS

INPUTS = ("flow", "points")


class RecogniseGraph(nn.Module):
    """`recogniser.onnx`: flow and keypoints to the fields of `Reading`."""

    def __init__(self, network: Recogniser) -> None:
        super().__init__()
        self.network = network

    def forward(self, flow: Tensor, points: Tensor) -> tuple[Tensor, ...]:
        """Return the reading's fields."""
        return tuple(self.network.recognise(windows(flow, points)))


def trial(count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Return made-up inputs for a parity check: smooth flows on faces that differ a little."""
    rng = torch.Generator().manual_seed(seed)
    flow = trial_flow(count, rng)
    points = 0.45 * UPRIGHT / UPRIGHT.square().sum(1).mean().sqrt()
    return flow, points + 0.02 * torch.randn((count, *points.shape), generator=rng)


def export(network: Recogniser, path: Path) -> float:
    """Write the graph to `path`; returns and raises as `export_graph`."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # one operator that ONNX does not know
    try:
        facts = {"columns": json.dumps([str(column) for column in COLUMNS])}
        return export_graph(RecogniseGraph(network), trial, path, INPUTS, Reading._fields, facts)
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


def main(arguments: list[str] | None = None) -> int:
    """Export as the command line asks; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m microface.models.recognition.export")
    parser.add_argument("--recogniser", type=Path, default=WEIGHTS, help=".safetensors to export")
    parser.add_argument("--out", type=Path, required=True, help=".onnx to write")
    options = parser.parse_args(arguments)

    def work() -> None:
        worst = export(load_recogniser(options.recogniser), options.out)
        print(f"{options.out}: within {worst:.1g} of torch")

    return told(work)


if __name__ == "__main__":
    raise SystemExit(main())
