"""The client's side of a job, and both sides together over a network that cuts and repeats."""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from microface.errors import InputError, RunError
from microface.server.blobs import BlobFolder
from microface.server.protocol import events as told
from microface.server.protocol import messages as m
from microface.server.protocol.content import BytesContent
from microface.server.protocol.desk import Desk
from microface.server.protocol.entries import Order, Send
from microface.server.protocol.failures import Code
from microface.server.protocol.internal import Grant, Start
from microface.server.protocol.jobs import Job, Stage
from microface.server.protocol.limits import ServerLimits
from microface.server.protocol.manifest import Manifest
from microface.server.protocol.requests import RetargetRequest
from microface.server.protocol.upload import Upload
from microface.server.protocol.wire import FROM_SERVER, decode, encode, summed

SIDE = 16


def new_job(seed: int = 0, window: int = 4) -> Job:
    neutral = np.random.default_rng(seed).integers(0, 255, (SIDE, SIDE, 3), np.uint8)

    def request(digests: Sequence[bytes]) -> RetargetRequest:
        return RetargetRequest(digests[0], SIDE, SIDE, bytes(32), "builtin", "x", "", 1.0)

    content = BytesContent(neutral.tobytes())
    return Job("retarget", [Upload(content)], request, window, neutral)


def arrays(job: bytes, index: int) -> tuple[m.ArrayMessage, ...]:
    """The frame that the simulated worker makes of an index."""
    picture = np.full((SIDE, SIDE, 3), index % 256, np.uint8)
    flow = np.full((SIDE, SIDE, 2), index / 8, np.float16)
    return (
        summed(m.Frame(job, index, picture)),
        summed(m.Edge(job, index, picture[..., 0])),
        summed(m.Motion(job, index, flow)),
    )


def manifest_of(frames: int) -> bytes:
    manifest = Manifest()
    for index in range(frames):
        for message in arrays(bytes(16), index):
            manifest.add(message)
    return manifest.digest()


def running(window: int = 4) -> Job:
    """A job that the server has accepted."""
    job = new_job(window=window)
    while job.stage is Stage.SENDING:
        message = job.due(0.0)
        if isinstance(message, m.Put):
            stored = message.offset + len(message.payload)
            job.take(m.Stored(message.digest, stored, message.total), 0.0)
    job.take(m.Accepted(job.key, window), 0.0)
    job.take_events()
    return job


def test_it_asks_before_it_sends_and_submits_when_all_is_there() -> None:
    job = new_job()
    assert job.due(0.0) is None  # hashing
    question = job.due(0.0)
    assert isinstance(question, m.Put) and question.payload == b""
    assert job.due(0.0) is None
    job.take(m.Stored(question.digest, 0, question.total), 0.0)
    piece = job.due(0.0)
    assert isinstance(piece, m.Put) and len(piece.payload) == question.total
    job.take(m.Stored(question.digest, question.total, question.total), 0.0)
    assert isinstance(job.due(0.0), m.Submit)


def test_credit_follows_what_was_taken_not_what_arrived() -> None:
    job = running()
    for index in range(3):
        for message in arrays(job.key, index):
            job.take(message, 0.0)
    assert job.due(0.0) is None
    assert len(job.take_events()) == 9
    assert job.due(0.0) == m.Credit(job.key, 3, 4)


def test_duplicates_are_absorbed() -> None:
    job = running()
    for _ in range(3):
        for index in range(2):
            for message in arrays(job.key, index):
                job.take(message, 0.0)
    assert len(job.take_events()) == 6
    job.take(arrays(job.key, 0)[0], 0.0)
    job.take(m.Done(job.key, 2, manifest_of(2), b'{"a": 1}'), 0.0)
    (done,) = job.take_events()
    assert isinstance(done, told.Done) and done.result["a"] == 1


def test_an_array_counts_when_all_its_bands_are_there() -> None:
    job = running()
    picture, *others = arrays(job.key, 0)
    halves = [
        summed(m.Frame(job.key, 0, picture.array[top : top + 8], top=top, bands=2))
        for top in (0, 8)
    ]
    for message in (*others, halves[1], halves[1]):
        job.take(message, 0.0)
    assert not any(isinstance(event, told.Frame) for event in job.take_events())
    assert job.received == 0
    job.reconnected()
    for message in (*others, *halves):  # all of it once more, as the server sends it
        job.take(message, 0.0)
    (frame,) = job.take_events()
    assert isinstance(frame, told.Frame) and np.array_equal(frame.image, picture.array)
    assert job.received == 1


@pytest.mark.parametrize("lost", [0, 4, 8])
def test_what_is_not_whole_fails(lost: int) -> None:
    job = running()
    every = [message for index in range(3) for message in arrays(job.key, index)]
    for message in every[:lost] + every[lost + 1 :]:
        job.take(message, 0.0)
    job.take(m.Done(job.key, 3, manifest_of(3), b"{}"), 0.0)
    last = job.take_events()[-1]
    assert isinstance(last, told.Failed) and isinstance(last.error, RunError)


def test_a_full_server_is_asked_again_when_it_said() -> None:
    job = new_job()
    job._uploads = []
    job._make_request = lambda digests: RetargetRequest(
        bytes(32), SIDE, SIDE, bytes(32), "builtin", "x", "", 1.0
    )
    assert isinstance(job.due(0.0), m.Submit)
    job.take(m.error_message(job.key, Code.BUSY, "Full.", "Wait.", True, 2.0), 10.0)
    assert job.due(11.9) is None
    again = job.due(12.1)
    assert isinstance(again, m.Submit) and again.job == job.key


def test_errors_become_ours_by_their_code() -> None:
    for code, kind in ((Code.INPUT, InputError), (Code.ENGINE, RunError)):
        job = running()
        job.take(m.error_message(job.key, code, "It is wrong.", "Mend it."), 0.0)
        (failed,) = job.take_events()
        assert isinstance(failed, told.Failed) and type(failed.error) is kind
        assert str(failed.error) == "It is wrong. Mend it."


def test_a_cancel_ends_even_without_an_answer() -> None:
    job = running()
    job.cancel(5.0)
    assert job.due(5.0) == m.Cancel(job.key)
    assert not job.take_events()
    job.due(7.5)
    assert job.take_events() == [told.Cancelled()]
    fresh = new_job()
    fresh.cancel(0.0)
    assert fresh.take_events() == [told.Cancelled()] and fresh.due(0.0) is None


class Simulation:
    """Clients, a desk and a worker, with a network from a seed that cuts, repeats and delays."""

    def __init__(self, folder: Path, seed: int, jobs: int, faults: bool) -> None:
        self.source = random.Random(seed)
        self.faults = faults
        self.desk = Desk(
            ServerLimits(jobs_per_connection=99, queued_jobs=6, connections=99),
            BlobFolder(folder, ServerLimits()),
            "simulated",
        )
        self.now = 0.0
        self.jobs = {f"client {number}": new_job(number) for number in range(jobs)}
        self.frames = {name: self.source.randint(1, 30) for name in self.jobs}
        self.life = dict.fromkeys(self.jobs, 0)
        self.up: dict[str, deque[list[bytes]]] = {name: deque() for name in self.jobs}
        self.down: dict[str, deque[list[bytes]]] = {name: deque() for name in self.jobs}
        self.greeted: dict[str, bool] = dict.fromkeys(self.jobs, False)
        self.work: dict[bytes, list[int]] = {}  # job: frames sent, limit, frames in all
        self.started: list[bytes] = []
        self.results: dict[str, list[told.Event]] = {name: [] for name in self.jobs}
        for name in self.jobs:
            self.connect(name)
        self.desk.worker_ready({})

    def visitor(self, name: str) -> bytes:
        return f"{name}/{self.life[name]}".encode()

    def connect(self, name: str) -> None:
        self.up[name] = deque([[bytes(part) for part in encode(m.Hello("x"))]])
        self.down[name] = deque()
        self.greeted[name] = False

    def cut(self, name: str) -> None:
        """The connection breaks: what was on its way is lost; the client dials again."""
        self.desk.gone(self.visitor(name), self.now)
        self.life[name] += 1
        self.connect(name)

    def step(self) -> None:
        """Let one client, the worker and the network do something."""
        self.now += 0.001
        name = self.source.choice(list(self.jobs))
        job = self.jobs[name]
        if self.faults and self.source.random() < 0.01:
            self.cut(name)
        if self.greeted[name]:
            message = job.due(self.now)
            if message is not None:
                self.up[name].append([bytes(part) for part in encode(message)])
        if self.up[name] and self.source.random() < 0.7:
            parts = self.up[name].popleft()
            for _ in range(2 if self.faults and self.source.random() < 0.05 else 1):
                self.desk.take(self.visitor(name), parts, self.now)
        if self.down[name] and self.source.random() < 0.7:
            parts = self.down[name].popleft()
            for _ in range(2 if self.faults and self.source.random() < 0.05 else 1):
                self.receive(name, decode(parts, FROM_SERVER))
        if self.source.random() < 0.5:
            self.results[name] += job.take_events()
        self.make_a_frame()
        self.desk.tick(self.now)
        self.carry_out()

    def receive(self, name: str, message: m.Message) -> None:
        job = self.jobs[name]
        if isinstance(message, m.Welcome):
            if not self.greeted[name] and self.life[name]:
                job.reconnected()
            self.greeted[name] = True
        elif not isinstance(message, (m.Ping, m.Pong)):
            job.take(message, self.now)

    def make_a_frame(self) -> None:
        open_work = [key for key, (sent, limit, _) in self.work.items() if sent < limit]
        if not open_work:
            return
        key = self.source.choice(open_work)
        sent, _, frames = self.work[key]
        if sent < frames:
            for message in arrays(key, sent):
                self.desk.book.pass_array(key, sent, [bytes(part) for part in encode(message)])
            self.work[key][0] += 1
        else:
            del self.work[key]
            done = m.Done(key, frames, manifest_of(frames), json.dumps({"n": frames}).encode())
            self.desk.book.pass_final(key, [bytes(part) for part in encode(done)], self.now, False)

    def carry_out(self) -> None:
        while self.desk.book.effects:
            effect = self.desk.book.effects.popleft()
            if isinstance(effect, Send):
                name = effect.visitor.decode().partition("/")[0]
                if effect.visitor == self.visitor(name):
                    self.down[name].append([bytes(part) for part in effect.parts])
            elif isinstance(effect, Order) and isinstance(effect.message, Start):
                key = effect.message.job
                name = next(name for name, job in self.jobs.items() if job.key == key)
                self.work[key] = [0, effect.message.limit, self.frames[name]]
                self.started.append(key)
            elif isinstance(effect, Order) and isinstance(effect.message, Grant):
                self.work.get(effect.message.job, [0, 0, 0])[1] = effect.message.limit

    def check_window(self) -> None:
        for job in self.desk.book.jobs.values():
            assert len(job.kept) <= job.window


@pytest.mark.parametrize("faults", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_every_job_completes_once_and_hash_equal(tmp_path: Path, seed: int, faults: bool) -> None:
    simulation = Simulation(tmp_path, seed, jobs=12, faults=faults)
    for step in range(60_000):
        simulation.step()
        if step % 50 == 0:
            simulation.check_window()
            if all(job.over for job in simulation.jobs.values()):
                break
    for name, events in simulation.results.items():
        frames = simulation.frames[name]
        assert isinstance(events[-1], told.Done), (name, events[-1])
        assert events[-1].result["n"] == frames
        got = [event.index for event in events if isinstance(event, told.Frame)]
        assert got == list(range(frames))
        motion = [event.index for event in events if isinstance(event, told.Motion)]
        assert motion == list(range(frames))
    assert len(simulation.started) == len(set(simulation.started)) == 12
    if faults:
        assert sum(simulation.life.values()) > 10
