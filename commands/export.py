"""Write a trained network as ONNX files, each checked against torch.

Takes the weights that `train` left, or the running average in a run's checkpoint, and writes
encode.onnx, animate.onnx, eam.safetensors and manifest.json. Nothing is written unless the graphs
agree with torch to 1e-3.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ..errors import InputError

EXAMPLE = "Example: microface export runs/first --out models/weights"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""
    parser.add_argument("weights", type=Path, help="a .safetensors file, or the folder of a run")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    parser.add_argument("--version", dest="label", default="", help="version to note")
    parser.add_argument(
        "--metrics", type=Path, metavar="JSON", help="evaluation.json to note in the manifest"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    metrics: dict[str, object] = {}
    if arguments.metrics:
        try:
            metrics = json.loads(arguments.metrics.read_text())["rows"]["ours"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{arguments.metrics} is no table of `evaluate`: {error!r}.",
                "Give evaluation.json.",
            ) from error
    from .. import __version__
    from ..models.export import export, load_network

    network = load_network(arguments.weights)
    worst = export(network, arguments.out, arguments.label or __version__, metrics)
    for name, value in worst.items():
        print(f"{name}: differs from torch by {value:.2g} at most")
    return 0
