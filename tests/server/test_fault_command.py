"""`microface retarget` when its server is not there, refuses, or dies: one line, nothing half."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")

Neutral = Callable[..., Any]

MICROFACE = [sys.executable, "-m", "microface"]


@pytest.fixture
def address(engine: str) -> Iterator[tuple[str, int]]:
    """A server with the tests' engine: its address and process id."""
    process = subprocess.Popen(
        [*MICROFACE, "serve", "--engine", engine, "--bind", "tcp://127.0.0.1:*"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd="/",
    )
    assert process.stdout is not None
    yield process.stdout.readline().split()[-1], process.pid
    process.kill()
    process.communicate()


@pytest.fixture
def retarget(tmp_path: Path, clip_folder: Path) -> Callable[[Any, str], subprocess.Popen[str]]:
    """Starts `microface retarget` with a neutral on the small clip, to `out` in tmp_path."""
    cv2 = pytest.importorskip("cv2")

    def start(neutral: Any, server: str) -> subprocess.Popen[str]:
        picture = tmp_path / "neutral.png"
        cv2.imwrite(str(picture), neutral[..., ::-1])
        return subprocess.Popen(
            [
                *(*MICROFACE, "retarget", "--server", server, "--out", tmp_path / "out"),
                *("--character", picture, "--clip", clip_folder, "--fps", "25"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
        )

    return start


def last_line(process: subprocess.Popen[str], status: int) -> str:
    """Wait for a command; see its exit status; return the line that says what was wrong."""
    _, said = process.communicate(timeout=60)
    assert process.returncode == status, said
    lines = [line for line in said.splitlines() if line.startswith("microface: ")]
    assert len(lines) == 1 and "Traceback" not in said, said
    return lines[0]


def only_input(folder: Path) -> bool:
    """Whether nothing was written beside the neutral."""
    return [path.name for path in folder.iterdir()] == ["neutral.png"]


def test_a_server_that_is_not_there(
    retarget: Callable[[Any, str], subprocess.Popen[str]], neutral: Neutral, tmp_path: Path
) -> None:
    line = last_line(retarget(neutral(), "tcp://127.0.0.1:9"), 2)
    assert "No Microface server answers at tcp://127.0.0.1:9." in line
    assert "microface serve" in line and only_input(tmp_path)


def test_a_server_that_dies_mid_stream(
    retarget: Callable[[Any, str], subprocess.Popen[str]],
    address: tuple[str, int],
    neutral: Neutral,
    tmp_path: Path,
    engine_module: Any,
    family: Callable[[int], set[int]],
    gone: Callable[[set[int], float], bool],
) -> None:
    where, server = address
    command = retarget(neutral(engine_module.SLOW, repeats=100), where)
    until_decoded(server)
    processes = family(server)
    os.kill(server, signal.SIGKILL)
    assert "stopped answering" in last_line(command, 1)
    assert only_input(tmp_path)
    assert gone(processes - {server}, 5.0)


def test_a_worker_that_crashes(
    retarget: Callable[[Any, str], subprocess.Popen[str]],
    address: tuple[str, int],
    neutral: Neutral,
    tmp_path: Path,
    engine_module: Any,
) -> None:
    where, _ = address
    assert "worker" in last_line(retarget(neutral(engine_module.CRASH), where), 1)
    assert only_input(tmp_path)
    assert retarget(neutral(), where).wait(60) == 0
    assert len(list((tmp_path / "out" / "frames").iterdir())) == 12


def test_what_the_engine_refuses(
    retarget: Callable[[Any, str], subprocess.Popen[str]],
    address: tuple[str, int],
    neutral: Neutral,
    tmp_path: Path,
    engine_module: Any,
) -> None:
    line = last_line(retarget(neutral(engine_module.REFUSE), address[0]), 2)
    assert line.endswith("There is no face in the clip. Give a clip that shows one.")
    assert only_input(tmp_path)


def until_decoded(server: int) -> None:
    """Wait until a server's decode sandbox has come and gone: then frames are made."""
    seen = False
    until = time.monotonic() + 30
    while time.monotonic() < until:
        children = psutil.Process(server).children(recursive=True)
        decoding = any("server.decoder" in _command(child) for child in children)
        if seen and not decoding:
            time.sleep(0.3)
            return
        seen |= decoding
        time.sleep(0.005)
    raise AssertionError("no clip was decoded")


def _command(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.NoSuchProcess:
        return []
