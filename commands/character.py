"""Write the built-in character as a .blend file.

The file holds a head with shape keys (ARKit's 52 names and more), one packed texture, a camera
and lights. Every identity has the same shape keys, and the same topology but for the hair.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import InputError
from .needs import need_blender

EXAMPLE = """Examples:
  microface character --out ada.blend
  microface character --out lars.blend --identity lars
  microface character --list"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""
    parser.add_argument(
        "--out", type=Path, metavar="X.blend", help="file to write; replaced if there"
    )
    parser.add_argument(
        "--identity", default="ada", metavar="NAME", help="whose head to write (default: ada)"
    )
    parser.add_argument("--list", action="store_true", help="list the identities and stop")


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    from ..head import IDENTITIES

    if arguments.list:
        print("\n".join(IDENTITIES))
        return 0
    if arguments.out is None:
        raise InputError("There is no file to write to.", "Add --out X.blend.")
    if arguments.identity not in IDENTITIES:
        raise InputError(
            f'There is no identity called "{arguments.identity}".',
            f"Choose one of: {', '.join(IDENTITIES)}.",
        )
    need_blender()
    from ..addon.character.builtin_file import write_character

    write_character(arguments.out, arguments.identity)
    print(f"Wrote {arguments.out}")
    return 0
