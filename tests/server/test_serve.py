"""`microface serve` as a process: its lines, its exit codes, its end."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import zmq
from microface.errors import InputError
from microface.server.client import Client
from microface.server.sockets import check_loopback

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals as POSIX has them")

COMMAND = [sys.executable, "-m", "microface", "serve"]


@contextmanager
def serving(engine: str, *more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server process and its address; killed at the end if it still runs."""
    process = subprocess.Popen(
        [*COMMAND, "--engine", engine, "--bind", "tcp://127.0.0.1:*", *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Microface serves at tcp://127.0.0.1:")
        yield process, line.split()[-1]
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_tells_its_address_serves_and_stops_when_told(
    engine: str,
    number: signal.Signals,
    clip_folder: Path,
    neutral: Callable[..., Any],
    family: Callable[[int], set[int]],
    gone: Callable[[set[int], float], bool],
) -> None:
    with serving(engine) as (process, address):
        with Client(address) as client:
            assert len(client.retarget(neutral(), clip_folder, 25).pump().frames) == 12
        processes = family(process.pid)
        process.send_signal(number)
        assert process.wait(8) == 0
        assert gone(processes, 3.0)
        _, log = process.communicate()
        assert "Traceback" not in log and log.rstrip().endswith("stopped")


def test_a_running_job_may_finish_before_it_stops(
    engine: str, clip_folder: Path, neutral: Callable[..., Any], engine_module: Any
) -> None:
    with serving(engine) as (process, address), Client(address) as client:
        told: list[object] = []

        def stop_once(event: object) -> None:
            if not told and type(event).__name__ == "Frame":
                told.append(event)
                process.send_signal(signal.SIGTERM)

        job = client.retarget(neutral(engine_module.SLOW, repeats=2), clip_folder, 25)
        assert len(job.pump(stop_once).frames) == 24
        assert process.wait(8) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process as Linux has them")
def test_it_outlives_more_connections_than_it_may_hold(engine: str) -> None:
    resource = pytest.importorskip("resource")
    with serving(engine) as (process, address), zmq.Context() as context:
        server = psutil.Process(process.pid)
        most = server.num_fds() + 20
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (most, most))
        peers = [context.socket(zmq.DEALER) for _ in range(60)]
        for peer in peers:
            peer.connect(address)
        late = time.monotonic() + 10
        while server.num_fds() < most and time.monotonic() < late:
            time.sleep(0.05)
        time.sleep(0.3)  # it looks at its memory ten times a second
        assert process.poll() is None
        for peer in peers:
            peer.close(linger=0)
        with Client(address, timeout_seconds=10) as client:
            assert client.hello().ready


def test_the_systems_soft_limit_makes_room_for_all_connections() -> None:
    code = (
        "import resource; from microface.server.sockets import allow_connections\n"
        "hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard)); allow_connections(100)\n"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    told = subprocess.check_output([sys.executable, "-c", code], text=True, timeout=60)
    assert int(told) == 356


def refused(*arguments: str) -> str:
    """Run `microface serve`, see that it exits with 2, return its one line."""
    done = subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, cwd="/", timeout=60, check=False
    )
    assert done.returncode == 2, done.stderr
    assert done.stdout == "" and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def test_a_port_that_is_taken_is_one_clear_line(engine: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        line = refused("--engine", engine, "--bind", address)
    assert address in line and "port that is free" in line


def test_other_machines_are_shut_out(engine: str) -> None:
    line = refused("--engine", engine, "--bind", "tcp://0.0.0.0:5599")
    assert "this machine alone" in line


def test_weights_that_are_not_there_are_one_clear_line(tmp_path: Path) -> None:
    assert "no folder" in refused("--weights", "/nowhere")
    assert f"no weights in {tmp_path}" in refused("--weights", str(tmp_path))
    (tmp_path / "manifest.json").write_text("[]")
    assert "not a manifest" in refused("--weights", str(tmp_path))
    assert "--threads" in refused("--threads", "-1")


@pytest.mark.parametrize(
    "bind",
    [
        "tcp://*:5599",
        "tcp://0.0.0.0:5599",
        "tcp://192.168.1.5:5599",
        "tcp://[::1]:5599",
        "tcp://127.0.0.1.evil.org:5599",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:99999",
        "tcp://127.0.0.1:5599;tcp://0.0.0.0:1",
        "ipc:///tmp/x",
        "",
    ],
)
def test_only_loopback_addresses_pass(bind: str) -> None:
    with pytest.raises(InputError):
        check_loopback(bind)


@pytest.mark.parametrize("bind", ["tcp://127.0.0.1:5599", "tcp://localhost:1", "tcp://127.1.2.3:*"])
def test_loopback_addresses_pass(bind: str) -> None:
    check_loopback(bind)
