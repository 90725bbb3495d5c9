"""The command line: one file per command, each a thin caller of the library."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from .. import __version__
from ..errors import MicrofaceError
from .verbs import add_verbs

#: Command names in the order `--help` lists them, with the line it shows for each.
COMMANDS = {
    "demo": "do the whole job from nothing: character, clip, server, bake, report",
    "retarget": "put a clip's expression on a neutral picture: frames, edge maps, motion",
    "bake": "put a clip's expression on a character: keyed shape keys and textures",
    "clip": "work with source clips: inspect, import, list, spot, describe, export, synth",
    "augment": "put clips on characters: a labelled synthetic data set in CASME II's layout",
    "verify": "check a baked file against the evidence that the bake left in it",
    "character": "write the built-in character as a .blend file",
    "serve": "run the retargeting server",
    "train": "train the network",
    "evaluate": "measure the network on identities that it has never seen",
    "export": "write a trained network as ONNX files",
}


def parser() -> argparse.ArgumentParser:
    """Return the whole command line's parser."""
    whole = argparse.ArgumentParser(
        prog="microface",
        description="Facial micro-expressions for digital characters.",
        epilog="Example: microface demo --out out/demo",
    )
    whole.add_argument("--version", action="version", version=f"microface {__version__}")
    commands = whole.add_subparsers(dest="command", metavar="COMMAND", required=True)
    add_verbs(commands, COMMANDS, "", "run")
    return whole


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 success, 2 a bad input, 1 a failure."""
    # A polite kill, and a terminal that is closed, end like an interrupt: drafts are removed,
    # servers of our own are stopped.
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no terminals that hang up
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:  # as nohup asks
            signal.signal(number, _interrupt)
    try:
        chosen = parser().parse_args(arguments)
        return int(chosen.run(chosen))
    except MicrofaceError as error:
        print(f"microface: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        print("microface: stopped; nothing was left half written.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:  # a full disk, a folder that went away: no fault of ours to trace
        where = f"{error.filename}: " if error.filename else ""
        what = "its permissions" if isinstance(error, PermissionError) else "the disk"
        print(f"microface: {where}{error.strerror or error}. Check {what}.", file=sys.stderr)
        return 1


def _interrupt(*_: object) -> None:
    """Turn a signal into what Ctrl-C gives."""
    raise KeyboardInterrupt
