"""Commands and their verbs: a module each, whose help is what the module says of itself."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Mapping
from typing import Any


def add_verbs(parsers: Any, lines: Mapping[str, str], prefix: str, runs: str) -> None:
    """Add a parser for each name in `lines`, with the line that a list of them shows.

    The module is called as the name after `prefix`; its `run` becomes the parsed argument `runs`.
    """
    for name, line in lines.items():
        module = importlib.import_module(f".{prefix}{name}", __package__)
        verb: argparse.ArgumentParser = parsers.add_parser(
            name,
            help=line,
            description=module.__doc__,
            epilog=module.EXAMPLE,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(verb)
        verb.set_defaults(**{runs: module.run})
