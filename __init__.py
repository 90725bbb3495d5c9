"""Microface: facial micro-expressions for digital characters.

This folder is both the Python package `microface` and a Blender extension; `register` and
`unregister` are what Blender calls. They import inside, so that the package needs no Blender.
"""

from __future__ import annotations

import os

__version__ = "0.1.0"

# ONNX Runtime's packages report to their maker that they run, and keep an identifier of the machine
# in the user's cache. What handles people's faces tells nobody. It reads this when it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def register() -> None:
    """Enable the add-on in Blender."""
    from . import addon

    addon.register()


def unregister() -> None:
    """Disable the add-on in Blender."""
    from . import addon

    addon.unregister()
