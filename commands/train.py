"""Train the network on pairs of faces, resumable at any step.

Pairs are read from folders of shards (--data), rendered from head packs into the run's own folder
first (--packs: by the GPU where the training computes on one, else by a processor), or both. The
run's folder keeps the checkpoint, a CSV log for each stage, sample pictures, and after each stage
the averaged weights as eam.safetensors. Taken up again with --resume, a run goes on with the pairs
and the random numbers it would have had; it may go on on another device, from the same checkpoint.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import InputError
from ..models.training.settings import EXTRA_STAGES, STAGES

EXAMPLE = "Example: microface train --packs heads --out runs/first --minutes 90"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""
    parser.add_argument(
        "--data", type=Path, nargs="+", metavar="DIR", help="folders of pairs-*.npz shards"
    )
    parser.add_argument("--packs", type=Path, metavar="DIR", help="folder of head packs to render")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="RUN", help="the run's folder, new or its own"
    )
    parser.add_argument(
        "--stage",
        choices=(*STAGES, *EXTRA_STAGES, "all"),
        default="all",
        help="one stage alone, or all: the first three in their order (default: all)",
    )
    parser.add_argument(
        "--minutes", type=float, metavar="N", help="wall-clock budget of all stages"
    )
    parser.add_argument(
        "--steps", type=int, metavar="N", help="steps of each stage, instead of minutes"
    )
    parser.add_argument("--batch", type=int, metavar="N", help="pairs a step")
    parser.add_argument("--seed", type=int, metavar="N", help="seed of everything random")
    parser.add_argument(
        "--threads", type=int, default=0, metavar="N", help="threads to use (default: torch's own)"
    )
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="what to compute on; auto: CUDA where there is any (default: auto)",
    )
    parser.add_argument(
        "--settings", type=Path, metavar="FILE.toml", help="instead of default.toml"
    )
    parser.add_argument(
        "--pairs",
        type=int,
        default=2048,
        metavar="N",
        help="pairs to render with --packs (default: 2048)",
    )
    parser.add_argument(
        "--from",
        dest="weights",
        type=Path,
        metavar="FILE.safetensors",
        help="start from these weights",
    )
    parser.add_argument("--resume", action="store_true", help="go on from RUN's checkpoint")
    parser.add_argument("--smoke", action="store_true", help="three steps of each stage, to try")


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    for name in ("minutes", "steps", "batch", "pairs"):
        value = getattr(arguments, name)
        if value is not None and value <= 0:
            raise InputError(f"--{name} is {value}.", "Give a number above zero.")
    for name in ("threads", "seed"):
        if (getattr(arguments, name) or 0) < 0:
            raise InputError(f"--{name} is {getattr(arguments, name)}.", "Give 0 or more.")
    if not arguments.data and not arguments.packs:
        raise InputError("There is nothing to train on.", "Give --data, --packs or both.")
    from ..models.training.command import train
    from ..server.clips.pairs import measure_folder

    return train(arguments, measure_folder)
