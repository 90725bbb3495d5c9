"""Write the network that finds spectacles as the ONNX graph that the server uses.

`python -m microface.models.spectacles.export --out server/engine/spectacles.onnx`. Input: `image`
(N, 3, 256, 256) in 0..1, a face's crop. Output: `rims` (N, 1, 256, 256), the share of each pixel
that the rims of spectacles hide.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import torch
from torch import Tensor, nn

from ...errors import RunError, told
from ..export import PARITY, gap, trial, write_graph
from ..graphs import Graph
from .network import WEIGHTS, Spectacles, load_spectacles


class SpectaclesGraph(nn.Module):
    """`spectacles.onnx`: a picture to the share of each pixel that rims hide."""

    def __init__(self, network: Spectacles) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        """Return shares (N, 1, 256, 256)."""
        return torch.sigmoid(self.network(image))


def export(network: Spectacles, path: Path) -> float:
    """Write the graph to `path` and return how far it is from torch at most; all or nothing.

    Raises RunError where that is more than `PARITY`.
    """
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    graph = SpectaclesGraph(network).eval()
    aside = path.with_suffix(".part")
    try:
        write_graph(graph, (trial(2)[2],), aside, ["image"], ["rims"])
        image = trial(3, seed=1)[2]
        with torch.no_grad():
            worst = gap(graph(image), Graph(aside).run({"image": image.numpy()})["rims"])
        if not worst <= PARITY:
            raise RunError(f"The graph differs from torch by {worst:.2g}.", "Keep the old one.")
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    return worst


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
