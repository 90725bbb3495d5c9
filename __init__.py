"""Microface: facial micro-expressions for digital characters.

This folder is both the Python package `microface` and a Blender extension; `register` and
`unregister` are what Blender calls. They import inside, so that the package needs no Blender.
"""

from __future__ import annotations

__version__ = "0.1.0"


def register() -> None:
    """Enable the add-on in Blender."""
    from . import addon

    addon.register()


def unregister() -> None:
    """Disable the add-on in Blender."""
    from . import addon

    addon.unregister()
