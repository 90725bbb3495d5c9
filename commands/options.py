"""Options that several commands have alike."""

from __future__ import annotations

import argparse


def add_fps_argument(parser: argparse.ArgumentParser) -> None:
    """Add the frame rate of a clip."""
    parser.add_argument(
        "--fps",
        metavar="FPS",
        help="the clip's frame rate, a number or a ratio (24000/1001); needed for a folder",
    )


def add_strength_argument(parser: argparse.ArgumentParser) -> None:
    """Add how strongly a clip is performed."""
    parser.add_argument(
        "--strength",
        type=float,
        default=1.0,
        metavar="S",
        help="0.05 to 4 times the clip's own motion (default: 1)",
    )


def add_server_argument(parser: argparse.ArgumentParser) -> None:
    """Add the server that does the work."""
    parser.add_argument(
        "--server", metavar="ADDR", help="a running server; without it one is started and stopped"
    )
