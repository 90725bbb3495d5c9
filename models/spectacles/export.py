"""Write the network that finds spectacles as the ONNX graph that the server uses.

`python -m microface.models.spectacles.export --out server/engine/spectacles.onnx`. Input: `image`
(N, 3, 256, 256) in 0..1, a face's crop. Output: `rims` (N, 1, 256, 256), the share of each pixel
that the rims of spectacles hide.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn

from ...errors import told
from ..export import export_graph
from ..export import trial as trial_pictures
from .network import WEIGHTS, Spectacles, load_spectacles


class SpectaclesGraph(nn.Module):
    """`spectacles.onnx`: a picture to the share of each pixel that rims hide."""

    def __init__(self, network: Spectacles) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Return shares (N, 1, 256, 256)."""
        return (torch.sigmoid(self.network(image)),)


def export(network: Spectacles, path: Path) -> float:
    """Write the graph to `path`; returns and raises as `export_graph`."""
    return export_graph(SpectaclesGraph(network), trial, path, ["image"], ["rims"])


def trial(count: int, seed: int) -> tuple[Tensor, ...]:
    """Return made-up pictures for a parity check."""
    return (trial_pictures(count, seed)[2],)


def main(arguments: list[str] | None = None) -> int:
    """Export as the command line asks; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m microface.models.spectacles.export")
    parser.add_argument("--spectacles", type=Path, default=WEIGHTS, help=".safetensors to export")
    parser.add_argument("--out", type=Path, required=True, help=".onnx to write")
    options = parser.parse_args(arguments)

    def work() -> None:
        worst = export(load_spectacles(options.spectacles), options.out)
        print(f"{options.out}: within {worst:.1g} of torch")

    return told(work)


if __name__ == "__main__":
    raise SystemExit(main())
