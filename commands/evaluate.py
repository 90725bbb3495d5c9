"""To come."""

from __future__ import annotations

import argparse

from ..errors import RunError

EXAMPLE = "Example: microface evaluate"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    raise RunError("This command is not built yet.", "Wait for it.")
