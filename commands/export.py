"""Write a trained network as ONNX files, each checked against torch.

Takes the weights that `train` left, or the running average in a run's checkpoint, and writes
encode.onnx, prepare.onnx, animate.onnx, eam.safetensors and manifest.json. Nothing is written
unless the graphs agree with torch to 1e-3. With --precision the convolutions compute in 16 or 8
bits, and nothing is written unless the motion departs from float32's by less than 1 % or 5 % of
itself on the pairs of --data, and a source that stands still moves nothing.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ..errors import InputError

EXAMPLE = """Examples:
  microface export runs/first --out models/weights
  microface export models/weights/eam.safetensors --precision int8 --data runs/pairs --out int8
  microface serve --weights int8"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""
    parser.add_argument(
        "weights", type=Path, metavar="WEIGHTS", help="a .safetensors file, or the folder of a run"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    parser.add_argument(
        "--version",
        dest="label",
        default="",
        metavar="LABEL",
        help="version to note (default: that of Microface)",
    )
    parser.add_argument(
        "--metrics", type=Path, metavar="JSON", help="evaluation.json to note in the manifest"
    )
    parser.add_argument(
        "--precision",
        choices=("fp32", "fp16", "int8"),
        default="fp32",
        help="number format of the convolutions; fp16 halves the files, int8 is faster on "
        "processors with 8-bit instructions (default: fp32)",
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder of pairs-*.npz, 40 or more pairs, for --precision fp16 or int8",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    metrics: dict[str, object] = {}
    if arguments.metrics:
        try:
            metrics = json.loads(arguments.metrics.read_text())["rows"]["ours"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{arguments.metrics} is no table of `evaluate`.", "Give its evaluation.json."
            ) from error
    from .. import __version__
    from ..models.export import export, load_network

    label = arguments.label or __version__
    network = load_network(arguments.weights)
    if arguments.precision != "fp32":
        if arguments.data is None:
            raise InputError(
                f"{arguments.precision} is fitted to pairs.", "Give a folder of some: --data DIR."
            )
        from ..models.precision import export_as
        from ..models.training.data import Shards

        pairs = Shards(arguments.data)
        found = export_as(arguments.precision, network, pairs, arguments.out, label, metrics)
        print(f"{arguments.precision}: the motion departs by {found.moving:.2%} of itself")
        return 0
    worst = export(network, arguments.out, label, metrics)
    for name, value in worst.items():
        print(f"{name}: differs from torch by {value:.2g} at most")
    return 0
