"""The window side of the add-on: properties, operators and one panel."""

from __future__ import annotations


def register() -> None:
    """Register the classes with Blender."""


def unregister() -> None:
    """Unregister them, last first."""
