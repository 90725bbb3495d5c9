"""What the Blender tests share: an empty file, and characters made in code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
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


@pytest.fixture(scope="session")
def lifting_server() -> Iterator[str]:
    """The address of a server whose engine needs no network: see `engine_for_bakes`."""
    from microface.server.embedded import EmbeddedServer

    engine = Path(__file__).with_name("engine_for_bakes.py")
    with EmbeddedServer(engine=f"{engine}:LiftingEngine") as server:
        yield server.address


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of nine grey pictures: the engine for tests does not look at them."""
    import numpy as np
    from microface.addon.images import write_png

    folder = tmp_path_factory.mktemp("clips") / "lift"
    folder.mkdir()
    for index in range(9):
        write_png(folder / f"{index:03d}.png", np.full((64, 64, 3), 100 + index, np.uint8))
    return folder
