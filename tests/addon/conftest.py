"""What the Blender tests share: an empty file, and characters made in code."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

bpy = pytest.importorskip("bpy")


@pytest.fixture(autouse=True)
def empty_file() -> None:
    """Start each test in an empty Blender file."""
    bpy.ops.wm.read_factory_settings(use_empty=True)


@pytest.fixture
def mask() -> Any:
    """A small face of our own: a curved sheet with a few shape keys, UVs and a texture."""
    import heads

    return heads.mask()
