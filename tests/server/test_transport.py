"""The front against peers that do not play by the rules, over real sockets."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import zmq
from microface.server.client import Client, Frame
from microface.server.embedded import EmbeddedServer
from microface.server.protocol import messages as m
from microface.server.protocol.limits import MAX_REQUEST_PART_BYTES
from microface.server.protocol.wire import FROM_SERVER, decode, encode

Neutral = Callable[..., Any]
MEGABYTE = 1 << 20
CRASHES = 5


@pytest.fixture
def peer(server: EmbeddedServer) -> Iterator[zmq.Socket[bytes]]:
    """A bare socket, to say whatever one likes to the server."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    dealer = context.socket(zmq.DEALER)
    dealer.setsockopt(zmq.LINGER, 0)
    dealer.setsockopt(zmq.RCVHWM, 1)
    dealer.setsockopt(zmq.SNDHWM, 0)
    dealer.setsockopt(zmq.RCVBUF, 4096)
    dealer.connect(server.address)
    yield dealer
    context.destroy(linger=0)


def say(peer: zmq.Socket[bytes], message: m.Message) -> None:
    peer.send_multipart(encode(message))


def hear(peer: zmq.Socket[bytes], seconds: float = 5.0) -> m.Message | None:
    return decode(peer.recv_multipart(), FROM_SERVER) if peer.poll(int(seconds * 1000)) else None


def memory_of(server: EmbeddedServer) -> int:
    return int(psutil.Process(server.process_id).memory_info().rss)


def serves(server: EmbeddedServer, neutral: Neutral, clip_folder: Path) -> bool:
    """Whether the server still does a job."""
    with Client(server.address) as client:
        return len(client.retarget(neutral(), clip_folder, 25).pump().frames) == 12


def test_answers_to_a_peer_that_does_not_read_have_no_holes(peer: zmq.Socket[bytes]) -> None:
    # A ROUTER as it comes would drop what does not fit, and say nothing.
    say(peer, m.Hello("slow"))
    for number in range(3000):
        say(peer, m.Ping(number))
    time.sleep(0.3)
    assert isinstance(hear(peer), m.Welcome)
    expected = 0
    while (answer := hear(peer, 0.5)) is not None:
        if not isinstance(answer, m.Pong):
            break
        assert answer.token == expected
        expected += 1
    assert expected > 250


def test_rubbish_is_answered_and_survived(
    peer: zmq.Socket[bytes], server: EmbeddedServer, neutral: Neutral, clip_folder: Path
) -> None:
    source = random.Random(5)
    good = [bytes(part) for part in encode(m.Put(bytes(32), 4, 0, b"abcd"))]
    for _ in range(2000):
        parts = [source.randbytes(source.randint(0, 200)) for _ in range(source.randint(1, 5))]
        peer.send_multipart(source.choice([parts, good, [*good, b""], [b""], good[:1]]))
    answers = 0
    while (answer := hear(peer, 0.5)) is not None:
        assert isinstance(answer, m.Error)
        answers += 1
    assert 1 <= answers <= 40
    assert serves(server, neutral, clip_folder)


def shake_hands(server: EmbeddedServer) -> socket.socket:
    """Return a connection that speaks ZMTP 3.0 by hand; libzmq itself sends only whole messages."""
    host, _, port = server.address.removeprefix("tcp://").rpartition(":")
    talker = socket.create_connection((host, int(port)))
    talker.sendall(b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32))
    ready = b"\x05READY\x0bSocket-Type" + struct.pack(">I", 6) + b"DEALER"
    talker.sendall(b"\x04" + bytes([len(ready)]) + ready)
    return talker


def test_endless_parts_are_cut_off_and_memory_stays_bounded(
    server: EmbeddedServer, neutral: Neutral, clip_folder: Path
) -> None:
    before = highest = memory_of(server)
    part = b"\x03" + struct.pack(">Q", MEGABYTE) + bytes(MEGABYTE)  # more to come, each time
    sent = 0
    with shake_hands(server) as talker, contextlib.suppress(OSError):
        while sent < 1500:
            talker.sendall(part)
            sent += 1
            highest = max(highest, memory_of(server))
    assert sent < 1500  # it was cut off
    assert 200 * MEGABYTE < highest - before < 700 * MEGABYTE
    assert serves(server, neutral, clip_folder)
    assert memory_of(server) - before < 400 * MEGABYTE


def test_a_part_that_is_too_large_ends_its_connection_only(
    peer: zmq.Socket[bytes], server: EmbeddedServer, neutral: Neutral, clip_folder: Path
) -> None:
    with Client(server.address) as client:
        client.hello()
        peer.send_multipart([b"x" * (MAX_REQUEST_PART_BYTES + 1)])
        assert hear(peer, 0.3) is None
        assert len(client.retarget(neutral(), clip_folder, 25).pump().frames) == 12


def test_rubbish_and_idle_connections_leave_the_service_alone(
    server: EmbeddedServer, neutral: Neutral, clip_folder: Path
) -> None:
    host, _, port = server.address.removeprefix("tcp://").rpartition(":")
    source = random.Random(6)
    process = psutil.Process(server.process_id)
    before = process.num_fds()
    peers = [socket.create_connection((host, int(port))) for _ in range(150)]
    for talker in peers[:100]:
        with contextlib.suppress(OSError):
            talker.sendall(source.randbytes(2000))
    assert serves(server, neutral, clip_folder)
    until = time.monotonic() + 8
    while process.num_fds() > before + 10 and time.monotonic() < until:
        time.sleep(0.1)  # the rest, which never shook hands, is let go after a moment
    assert process.num_fds() <= before + 10
    for talker in peers:
        talker.close()


def test_a_slow_reader_costs_a_window_and_holds_up_nobody(
    server: EmbeddedServer, neutral: Neutral, clip_folder: Path
) -> None:
    side, window = 512, 8
    per_frame = side * side * 8
    with Client(server.address, window=window) as slow:
        job = slow.retarget(neutral(repeats=5, side=side), clip_folder, 25)
        while not any(isinstance(event, Frame) for event in job.poll(0.0)):
            time.sleep(0.002)
        before = memory_of(server)
        begun = time.monotonic()
        assert serves(server, neutral, clip_folder)  # while the slow one does not read
        assert time.monotonic() - begun < 10
        assert memory_of(server) - before < window * per_frame + 30 * MEGABYTE
        assert len(job.pump().frames) >= 59  # and what was withheld is there


def test_more_credit_than_frames_sent_is_not_believed(
    peer: zmq.Socket[bytes], server: EmbeddedServer, neutral: Neutral, clip_folder: Path
) -> None:
    say(peer, m.Hello("liar"))
    assert isinstance(hear(peer), m.Welcome)
    say(peer, m.Credit(b"x" * 16, 100_000, 64))
    answer = hear(peer)
    assert isinstance(answer, m.Error) and answer.code == "unknown-job"
    assert serves(server, neutral, clip_folder)


def test_clients_that_crash_leave_nothing_behind(
    server: EmbeddedServer, neutral: Neutral, clip_folder: Path
) -> None:
    process = psutil.Process(server.process_id)
    worker = next(child for child in process.children() if "server.worker" in child.cmdline())
    assert serves(server, neutral, clip_folder)
    before = process.num_fds(), worker.num_fds(), len(process.children(recursive=True))
    for _ in range(CRASHES):
        crashing = Client(server.address)
        job = crashing.retarget(neutral(repeats=200), clip_folder, 25)
        while not any(isinstance(event, Frame) for event in job.poll(0.0)):
            time.sleep(0.002)
        crashing._context.destroy(linger=0)  # without a word
    assert serves(server, neutral, clip_folder)
    with Client(server.address) as client:  # their places are given to whoever waits
        jobs = [client.retarget(neutral(), clip_folder, 25) for _ in range(3)]
        for job in jobs:
            job.pump()
    until = time.monotonic() + 10
    while _grown(before, _held(process, worker)) and time.monotonic() < until:
        time.sleep(0.1)
    assert not _grown(before, _held(process, worker))


def _held(front: psutil.Process, worker: psutil.Process) -> tuple[int, int, int]:
    """Descriptors of the front and the worker, and how many processes there are.

    A job whose client is gone keeps its clip, a descriptor, while the client may come back.
    """
    return front.num_fds(), worker.num_fds() - CRASHES, len(front.children(recursive=True))


def _grown(before: tuple[int, ...], now: tuple[int, ...]) -> bool:
    return any(new > old for old, new in zip(before, now, strict=True))
