"""The Blender side: what an artist sees. The only part that imports bpy."""

from __future__ import annotations


def register() -> None:
    """Add the panel, the operators and their properties to Blender."""
    from . import interface

    interface.register()


def unregister() -> None:
    """Take everything that `register` added away again, and stop what runs."""
    from . import interface

    interface.unregister()
