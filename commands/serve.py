"""Run the retargeting server.

Clients on this machine (the add-on, `microface retarget --server`, `microface bake --server`)
connect to it. The address is printed once the models are loaded and warm. SIGTERM or Ctrl-C stops
it: running jobs get a few seconds to finish, and it exits with status 0.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from pathlib import Path

from ..errors import InputError, RunError

EXAMPLE = """Examples:
  microface serve --bind tcp://127.0.0.1:5599
  microface serve --runtime torch"""

BIND = "tcp://127.0.0.1:5599"

#: What runs the network, by the engine that it is part of.
RUNTIMES = {
    "onnx": "server.retarget_engine:make_engine",
    "torch": "server.engine.runtime_torch:make_engine",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""
    parser.add_argument(
        "--bind",
        default=BIND,
        metavar="ADDR",
        help=f"where to listen, on this machine only; port * takes a free one (default: {BIND})",
    )
    parser.add_argument(
        "--weights", type=Path, metavar="DIR", help="folder of weights (default: those that ship)"
    )
    parser.add_argument(
        "--threads",
        type=int,
        default=0,
        metavar="N",
        help="threads the engine may use (default: one per core)",
    )
    parser.add_argument(
        "--runtime",
        choices=tuple(RUNTIMES),
        default="onnx",
        help="what runs the network: onnx, on the processor, a frame on each thread; or torch, on "
        "the first CUDA device where there is one, 16 frames at a time (default: onnx)",
    )
    parser.add_argument("--engine", help=argparse.SUPPRESS)


def run(arguments: argparse.Namespace) -> int:
    """Serve until told to stop and return 0; raises InputError for a port that is taken."""
    from .. import __version__
    from ..server.front import Front, FrontSettings
    from ..server.stopping import Stop
    from ..server.supervisor import WorkerSettings

    if arguments.threads < 0:
        raise InputError(f"--threads {arguments.threads}.", "Give 1 or more, or 0 for all cores.")
    weights = arguments.weights
    if weights is not None:
        _check_weights(weights)
    worker = WorkerSettings(
        weights=str(weights.absolute()) if weights is not None else None,
        threads=arguments.threads,
        engine=arguments.engine or RUNTIMES[arguments.runtime],
    )
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(name)s %(message)s", stream=sys.stderr
    )
    stop = Stop()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    settings = FrontSettings(bind=arguments.bind, worker=worker)
    front = Front(settings, stop, f"microface {__version__}")
    front.run(lambda address: print(f"Microface serves at {address}", flush=True))
    logging.getLogger("microface.server").info("stopped")
    return 0


def _check_weights(folder: Path) -> None:
    """Raise InputError where a folder that was given holds no weights."""
    from ..server.engine.runtime import read_manifest

    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}.", "Give one with weights.")
    try:
        read_manifest(folder)
    except RunError as error:
        raise InputError(error.what, "Give a folder that `microface export` wrote.") from error
