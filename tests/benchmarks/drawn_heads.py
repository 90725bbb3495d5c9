"""The arguments of benchmarks that draw heads of packs."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path


def heads_parser(description: str | None) -> argparse.ArgumentParser:
    """Return a parser that takes the folder of the packs, and where drawings are kept."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--packs", type=Path, required=True, metavar="HEADS", help="the folder of the head packs"
    )
    parser.add_argument(
        "--keep",
        type=Path,
        default=Path(tempfile.gettempdir()) / "microface-benchmarks",
        metavar="DIR",
        help="where drawings are kept for the next time (default: %(default)s)",
    )
    return parser
