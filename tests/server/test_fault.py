"""Faults are made, not waited for: processes killed and stopped, connections cut."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from microface.errors import RunError
from microface.server.client import Cancelled, Client, Failed, Frame, Motion
from microface.server.embedded import EmbeddedServer
from microface.server.protocol import conversation

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills as POSIX does")

Neutral = Callable[..., Any]


@pytest.fixture
def own_server(engine: str) -> Iterator[EmbeddedServer]:
    """A server of the test's own, to be maltreated."""
    with EmbeddedServer(engine=engine, threads=1) as running:
        yield running


def until_frame(job: Any) -> None:
    """Poll a job until its first frame."""
    limit = time.monotonic() + 20
    while not any(isinstance(event, Frame) for event in job.poll(0.01)):
        assert time.monotonic() < limit
        time.sleep(0.002)


def last_event(job: Any, seconds: float) -> Any:
    """Poll a job to its end; return the last event."""
    events = []
    limit = time.monotonic() + seconds
    while not job.over:
        assert time.monotonic() < limit, "the job did not end in time"
        events += job.poll(0.01)
        time.sleep(0.005)
    return events[-1]


def worker_of(server: EmbeddedServer) -> int:
    """The process id of a server's worker."""
    assert server.process_id is not None
    return next(
        int(child.pid)
        for child in psutil.Process(server.process_id).children()
        if "server.worker" in child.cmdline()
    )


def test_a_killed_worker_fails_the_job_at_once_and_is_replaced(
    own_server: EmbeddedServer, neutral: Neutral, clip_folder: Path, engine_module: Any
) -> None:
    with Client(own_server.address) as client:
        job = client.retarget(neutral(engine_module.SLOW, repeats=100), clip_folder, 25)
        until_frame(job)
        old = worker_of(own_server)
        begun = time.monotonic()
        os.kill(old, signal.SIGKILL)
        failed = last_event(job, 5)
        assert time.monotonic() - begun < 2.0
        assert isinstance(failed, Failed) and failed.retryable
        assert isinstance(failed.error, RunError) and "worker" in failed.error.what
        assert len(client.retarget(neutral(), clip_folder, 25).pump().frames) == 12
        assert worker_of(own_server) != old


def test_a_job_that_crashes_the_worker_does_not_stop_the_next(
    own_server: EmbeddedServer, neutral: Neutral, clip_folder: Path, engine_module: Any
) -> None:
    with Client(own_server.address) as client:
        for _ in range(2):
            with pytest.raises(RunError, match="worker"):
                client.retarget(neutral(engine_module.CRASH), clip_folder, 25).pump()
        assert len(client.retarget(neutral(), clip_folder, 25).pump().frames) == 12


@pytest.mark.slow
def test_a_frozen_worker_is_found_and_replaced(
    own_server: EmbeddedServer, neutral: Neutral, clip_folder: Path, engine_module: Any
) -> None:
    with Client(own_server.address) as client:
        begun = time.monotonic()
        with pytest.raises(RunError, match="stopped answering"):
            client.retarget(neutral(engine_module.FREEZE), clip_folder, 25).pump()
        assert time.monotonic() - begun < 10.0
        assert len(client.retarget(neutral(), clip_folder, 25).pump().frames) == 12


def test_cancelling_a_job_that_hangs_is_still_acknowledged(
    own_server: EmbeddedServer, neutral: Neutral, clip_folder: Path, engine_module: Any
) -> None:
    with Client(own_server.address) as client:
        job = client.retarget(neutral(engine_module.HANG), clip_folder, 25)
        until_frame(job)
        begun = time.monotonic()
        job.cancel()
        assert isinstance(last_event(job, 3), Cancelled)
        assert time.monotonic() - begun < 1.0


@pytest.mark.parametrize(
    "how", [signal.SIGKILL, pytest.param(signal.SIGSTOP, marks=pytest.mark.slow)]
)
def test_a_server_that_dies_mid_stream_is_one_clear_line(
    own_server: EmbeddedServer, neutral: Neutral, clip_folder: Path, engine_module: Any, how: int
) -> None:
    assert own_server.process_id is not None
    with Client(own_server.address) as client:
        job = client.retarget(neutral(engine_module.SLOW, repeats=100), clip_folder, 25)
        until_frame(job)
        os.kill(own_server.process_id, how)
        begun = time.monotonic()
        with pytest.raises(RunError, match="stopped answering"):
            job.pump()
        assert 3.0 < time.monotonic() - begun < 8.0
    os.kill(own_server.process_id, signal.SIGKILL)


@contextmanager
def proxy(address: str, bytes_per_second: float = 1e9) -> Iterator[tuple[str, Callable[[], None]]]:
    """A proxy in front of a server, as fast as that each way, and what cuts all its connections."""
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    listener = socket.create_server(("127.0.0.1", 0))
    open_sockets: list[socket.socket] = []
    lock = threading.Lock()

    def copy(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
                time.sleep(len(data) / bytes_per_second)
        except OSError:
            return
        finally:
            source.close()
            sink.close()

    def accept() -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = socket.create_connection((host, int(port)))
            with lock:
                open_sockets.extend((near, far))
            for pair in ((near, far), (far, near)):
                threading.Thread(target=copy, args=pair, daemon=True).start()

    def cut() -> None:
        with lock:
            for each in open_sockets:
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # it is closed already
            open_sockets.clear()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"tcp://127.0.0.1:{listener.getsockname()[1]}", cut
    finally:
        cut()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@pytest.mark.slow
def test_a_cut_connection_is_resumed_and_the_result_hash_equal(
    server: EmbeddedServer, neutral: Neutral, clip_folder: Path, engine_module: Any
) -> None:
    picture = neutral(engine_module.SLOW, repeats=4)
    with Client(server.address) as client:
        expected = client.retarget(picture, clip_folder, 25).pump()
    with proxy(server.address) as (address, cut), Client(address) as client:
        got = []

        def cut_now_and_then(event: object) -> None:
            if isinstance(event, Frame):
                got.append(event.index)
                if event.index in (3, 17, 30):
                    cut()

        whole = client.retarget(picture, clip_folder, 25).pump(cut_now_and_then)
    assert got == list(range(48))
    assert whole.result["manifest"] == expected.result["manifest"]


@pytest.mark.slow
def test_a_slow_line_only_takes_longer(
    server: EmbeddedServer,
    clip_folder: Path,
    engine_module: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A frame's motion, 2.4 MB, takes longer than silence may last."""
    monkeypatch.setattr(conversation, "SILENT_SECONDS", 1.5)
    picture = np.full((768, 768, 3), engine_module.WELL, np.uint8)
    with proxy(server.address, 1e6) as (address, _), Client(address) as client:
        job = client.retarget(picture, clip_folder, 25)
        got: list[Frame | Motion] = []
        limit = time.monotonic() + 30
        while len(got) < 4:
            assert time.monotonic() < limit
            events = job.poll(0.01)
            assert not any(isinstance(event, Failed) for event in events)
            got += [event for event in events if isinstance(event, (Frame, Motion))]
            time.sleep(0.005)
    assert [event.index for event in got] == [0, 0, 1, 1]
    assert isinstance(got[3], Motion) and np.all(got[3].flow == 1 / 8)
