"""Measure the network on identities that it has never seen.

Prints a table: a static copy of the neutral, a classical baseline (DIS optical flow, steadied and
carried by keypoint correspondence), the flow that the server measures carried likewise, the
network, and the true frame itself, which shows what the measuring can reach. Motion is measured as
claimed and again from the pictures. With --meaning a second table tells which action units are
read in the frames. With --out all is saved as evaluation-table.md and evaluation.json.
With --hard questions are asked instead that are hard (the gain from weak to strong, one side alone,
turned faces, grey and stylised characters and more), and the page hard.md is saved.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import InputError

EXAMPLE = "Example: microface evaluate --packs heads --pairs 256 --out out/evaluation"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, metavar="DIR", help="folder of held-out pairs-*.npz")
    source.add_argument("--packs", type=Path, metavar="DIR", help="folder of head packs to render")
    parser.add_argument(
        "--pairs", type=int, default=256, metavar="N", help="pairs to measure (default: 256)"
    )
    parser.add_argument(
        "--weights",
        type=Path,
        metavar="FILE.safetensors",
        help="weights to measure (default: those that ship)",
    )
    parser.add_argument(
        "--meaning",
        action="store_true",
        help="also print whether the frames say what the source says, as the recogniser reads them",
    )
    parser.add_argument(
        "--hard", type=int, metavar="N", help="ask N rendered scenes hard questions"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder to write")


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    if arguments.pairs <= 0:
        raise InputError(f"--pairs is {arguments.pairs}.", "Give a number above zero.")
    from ..models.evaluation.command import evaluate
    from ..models.evaluation.hard import ask
    from ..server.clips.pairs import measure_folder

    if arguments.hard is not None:
        if arguments.hard <= 0 or arguments.packs is None:
            raise InputError("Scenes to ask must be rendered.", "Give --hard 9 --packs DIR.")
        return ask(arguments, measure_folder)
    return evaluate(arguments, measure_folder)
