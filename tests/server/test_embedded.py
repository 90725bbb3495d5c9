"""An embedded server starts, serves, and never outlives who started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from microface.errors import InputError, RunError
from microface.server.client import Client
from microface.server.embedded import EmbeddedServer

#: Starts the tree under Blender's name for it, as an extension would, and serves one job.
AS_EXTENSION = """
import importlib.util, sys, types
from pathlib import Path
root, engine, clip = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
for name in ("bl_ext", "bl_ext.user_default"):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = []
name = "bl_ext.user_default.microface"
spec = importlib.util.spec_from_file_location(
    name, root / "__init__.py", submodule_search_locations=[str(root)]
)
module = importlib.util.module_from_spec(spec)
sys.modules[name] = module
spec.loader.exec_module(module)
sys.meta_path[:] = [f for f in sys.meta_path if "editable" not in str(f).lower()]
import numpy as np
embedded = importlib.import_module(name + ".server.embedded")
client = importlib.import_module(name + ".server.client")
with embedded.EmbeddedServer(engine=engine) as server, client.Client(server.address) as c:
    whole = c.retarget(np.zeros((64, 64, 3), np.uint8), clip, 25).pump()
    assert "microface" not in sys.modules
    print("frames", len(whole.frames))
"""

#: Starts a server, tells its process id and waits to be killed.
STARTER = """
import sys, time
from microface.server.embedded import EmbeddedServer
server = EmbeddedServer(engine=sys.argv[1])
server.start()
print(server.process_id, flush=True)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files that is the test's own."""
    folder = tmp_path / "t"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def test_it_starts_serves_and_stops_without_a_trace(
    temporary: Path,
    engine: str,
    clip_folder: Path,
    neutral: Callable[..., Any],
    family: Callable[[int], set[int]],
    gone: Callable[[set[int], float], bool],
) -> None:
    server = EmbeddedServer(engine=engine)
    address = server.start()
    assert address.startswith("tcp://127.0.0.1:")
    assert server.process_id is not None
    processes = family(server.process_id)
    assert len(processes) >= 2  # the front and its worker
    with Client(address) as client:
        assert client.hello().models == {"test": "0" * 64}
        job = client.retarget(neutral(repeats=200), clip_folder, 25)
        job.poll(0.01)  # stopped in the middle of a job
        server.stop()
        assert gone(processes, 5.0)
    assert not list(temporary.iterdir())
    server.stop()  # a second stop does nothing


def test_it_starts_without_being_waited_for(engine: str) -> None:
    server = EmbeddedServer(engine=engine)
    begun = time.monotonic()
    server.begin()
    assert server.poll() is None
    assert time.monotonic() - begun < 0.5
    while server.poll() is None:
        time.sleep(0.01)
        assert time.monotonic() - begun < 60
    assert server.poll() == server.address
    server.stop()


@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
def test_nothing_is_left_when_the_parent_is_killed(
    temporary: Path,
    engine: str,
    family: Callable[[int], set[int]],
    gone: Callable[[set[int], float], bool],
) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", STARTER, engine], stdout=subprocess.PIPE, text=True, cwd="/"
    )
    assert parent.stdout is not None
    server = int(parent.stdout.readline())
    processes = family(server)
    assert len(processes) >= 2
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert gone(processes, 8.0)
    assert not list(temporary.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")
def test_a_killed_server_leaves_no_worker_and_no_clips(
    temporary: Path,
    engine: str,
    family: Callable[[int], set[int]],
    gone: Callable[[set[int], float], bool],
) -> None:
    server = EmbeddedServer(engine=engine)
    server.start()
    assert server.process_id is not None
    processes = family(server.process_id)
    os.kill(server.process_id, signal.SIGKILL)
    assert gone(processes - {server.process_id}, 5.0)
    server.stop()
    assert not list(temporary.iterdir())


def test_it_outlives_the_thread_that_started_it(engine: str) -> None:
    server = EmbeddedServer(engine=engine)
    thread = threading.Thread(target=server.start)
    thread.start()
    thread.join()
    time.sleep(0.5)
    with Client(server.address) as client:
        assert client.hello().ready
    server.stop()


def test_what_keeps_it_from_starting_is_told(temporary: Path, engine: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no weights in missing"):
        EmbeddedServer("missing", engine=engine).start()
    broken = tmp_path / "broken.py"
    broken.write_text("import a_package_that_is_not_there\n")
    with pytest.raises(RunError, match="a_package_that_is_not_there"):
        EmbeddedServer(engine=f"{broken}:Engine").start()
    assert not list(temporary.iterdir())


def test_an_interrupt_while_it_starts_leaves_nothing(
    temporary: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = EmbeddedServer(engine=engine)

    def interrupted() -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(server, "_outcome", interrupted)
    with pytest.raises(KeyboardInterrupt):
        server.start()
    assert server.process_id is None
    assert not list(temporary.iterdir())


def test_it_works_under_blenders_name_for_the_package(
    root: Path, engine: str, clip_folder: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", AS_EXTENSION, str(root), engine, str(clip_folder)],
        capture_output=True,
        text=True,
        cwd="/",
        timeout=100,
        check=False,
    )
    assert done.stdout.strip() == "frames 12", done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
def test_a_storm_of_signals_ends_it(
    engine: str,
    family: Callable[[int], set[int]],
    gone: Callable[[set[int], float], bool],
) -> None:
    """A handler that another one interrupts must not wait for it."""
    with EmbeddedServer(engine=engine) as server:
        assert server.process_id is not None
        processes = family(server.process_id)
        for _ in range(3000):
            os.kill(server.process_id, signal.SIGTERM)
        assert gone(processes, 20.0)
