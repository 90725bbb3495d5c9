"""What the server's tests share: a quick engine, a small clip, a server that runs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import psutil
import pytest
from microface.server.client import Client
from microface.server.embedded import EmbeddedServer
from numpy.typing import NDArray

from . import engine_for_tests

ENGINE = f"{Path(__file__).with_name('engine_for_tests.py')}:TestEngine"
CLIP_FRAMES = 12


@pytest.fixture(scope="session")
def engine_module() -> ModuleType:
    """The tests' engine, to make the frames that a server should send."""
    return engine_for_tests


@pytest.fixture(scope="session")
def engine() -> str:
    """The name under which a worker finds the tests' engine."""
    return ENGINE


@pytest.fixture(scope="session")
def clip_frames() -> NDArray[np.uint8]:
    """The pictures of the small clip (T, H, W, 3)."""
    return np.random.default_rng(7).integers(0, 256, (CLIP_FRAMES, 64, 64, 3), dtype=np.uint8)


@pytest.fixture(scope="session")
def clip_folder(tmp_path_factory: pytest.TempPathFactory, clip_frames: NDArray[np.uint8]) -> Path:
    """The small clip as a folder of PNG files."""
    cv2 = pytest.importorskip("cv2")
    folder = tmp_path_factory.mktemp("clips") / "small"
    folder.mkdir()
    for index, frame in enumerate(clip_frames):
        cv2.imwrite(str(folder / f"{index:03d}.png"), frame[..., ::-1])
    return folder


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    """An embedded server with the tests' engine."""
    with EmbeddedServer(engine=ENGINE, threads=1) as running:
        yield running


@pytest.fixture
def client(server: EmbeddedServer) -> Iterator[Client]:
    """A client of that server."""
    with Client(server.address) as connected:
        yield connected


@pytest.fixture(scope="session")
def neutral() -> Callable[..., NDArray[np.uint8]]:
    """Makes a neutral; `mode` tells the tests' engine what to do, `repeats` makes it longer."""

    def make(mode: int = 0, repeats: int = 1, side: int = 64) -> NDArray[np.uint8]:
        picture = np.random.default_rng(1).integers(0, 256, (side, side, 3), dtype=np.uint8)
        picture[0, 0, :2] = mode, repeats
        return picture

    return make


@pytest.fixture(scope="session")
def gone() -> Callable[[set[int], float], bool]:
    """Tells whether processes end within some seconds."""

    def all_gone(processes: set[int], seconds: float) -> bool:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if not any(_lives(process) for process in processes):
                return True
            time.sleep(0.02)
        return False

    return all_gone


def _lives(process: int) -> bool:
    try:
        return bool(psutil.Process(process).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@pytest.fixture(scope="session")
def family() -> Callable[[int], set[int]]:
    """Gives a process and all it started, by id."""

    def with_children(process: int) -> set[int]:
        return {process, *(child.pid for child in psutil.Process(process).children(recursive=True))}

    return with_children


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Children of the tests leave the other cores alone."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
