"""What a command needs to be installed."""

from __future__ import annotations

import importlib.util

from ..errors import RunError


def need_blender(extras: str = "blender") -> None:
    """Raise `RunError` where Blender's module is missing; `extras` are those that bring it."""
    if importlib.util.find_spec("bpy") is None:
        raise RunError(
            "This Python has no Blender module (bpy).",
            f'Install it with: pip install "microface[{extras}]".',
        )
