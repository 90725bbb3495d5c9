"""What a command needs to be there."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from ..errors import InputError, RunError


def need_file(path: Path, remedy: str) -> None:
    """Raise `InputError` where there is no file at `path`."""
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "is not there"
        raise InputError(f"The file {path} {what}.", remedy)


def need_blender(extras: str = "blender") -> None:
    """Raise `RunError` where Blender's module is missing; `extras` are those that bring it."""
    if importlib.util.find_spec("bpy") is None:
        raise RunError(
            "This Python has no Blender module (bpy).",
            f'Install it with: pip install "microface[{extras}]".',
        )
