"""The server's side of the conversation, without a socket."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from microface.server.blobs import BlobFolder
from microface.server.protocol import messages as m
from microface.server.protocol.desk import Desk
from microface.server.protocol.entries import Order, Send, State
from microface.server.protocol.failures import Code
from microface.server.protocol.internal import Grant, Start, Stop
from microface.server.protocol.limits import ServerLimits
from microface.server.protocol.requests import RetargetRequest
from microface.server.protocol.wire import FROM_SERVER, decode, encode

ANN, BEN = b"ann", b"ben"
JOB = b"j" * 16


class Talk:
    """A desk, and what came of what was said to it."""

    def __init__(self, folder: Path, limits: ServerLimits | None = None) -> None:
        self.desk = Desk(limits or ServerLimits(), BlobFolder(folder, ServerLimits()), "test")
        self.now = 0.0
        self.neutral = bytes(16 * 16 * 3)
        self.digest = hashlib.sha256(self.neutral).digest()
        self.desk.blobs.put(self.digest, len(self.neutral), 0, self.neutral)
        request = RetargetRequest(self.digest, 16, 16, bytes(32), "builtin", "x", "", 1.0)
        self.table = request.table()

    def say(self, visitor: bytes, message: m.Message) -> list[m.Message]:
        """Say something; return what the visitor is answered."""
        self.desk.take(visitor, [bytes(part) for part in encode(message)], self.now)
        return self.heard(visitor)

    def heard(self, visitor: bytes) -> list[m.Message]:
        """Return what is on its way to a visitor; other effects stay."""
        mine = [e for e in self.desk.book.effects if isinstance(e, Send) and e.visitor == visitor]
        for effect in mine:
            self.desk.book.effects.remove(effect)
        return [decode([bytes(p) for p in e.parts], FROM_SERVER) for e in mine]

    def orders(self) -> list[m.Message]:
        """Return what the worker is told."""
        mine = [effect for effect in self.desk.book.effects if isinstance(effect, Order)]
        for effect in mine:
            self.desk.book.effects.remove(effect)
        return [effect.message for effect in mine]

    def submit(self, visitor: bytes, job: bytes = JOB, window: int = 4) -> list[m.Message]:
        return self.say(visitor, m.Submit(job, "retarget", window, self.table))

    def frame(self, index: int, job: bytes = JOB) -> None:
        """The worker made a frame."""
        picture = np.full((16, 16, 3), index, np.uint8)
        self.desk.book.pass_array(job, index, encode(m.Frame(job, index, picture)))

    def done(self, frames: int, job: bytes = JOB) -> None:
        parts = encode(m.Done(job, frames, bytes(32), json.dumps({}).encode()))
        self.desk.book.pass_final(job, parts, self.now, False)


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    talk = Talk(tmp_path)
    talk.desk.worker_ready({"encode": "00"})
    for visitor in (ANN, BEN):
        (welcome,) = talk.say(visitor, m.Hello("test"))
        assert isinstance(welcome, m.Welcome) and welcome.models == {"encode": "00"}
    return talk


def only(messages: list[m.Message]) -> m.Message:
    assert len(messages) == 1, messages
    return messages[0]


def code_of(messages: list[m.Message]) -> str:
    message = only(messages)
    assert isinstance(message, m.Error)
    return message.code


def test_nothing_is_done_for_a_stranger(talk: Talk) -> None:
    for message in (m.Ping(1), m.Cancel(JOB), m.Put(bytes(32), 1, 0, b"a")):
        assert code_of(talk.say(b"new", message)) == Code.NO_HELLO
    assert code_of(talk.submit(b"new")) == Code.NO_HELLO
    assert not talk.desk.book.jobs and not talk.orders()


def test_a_peer_that_sends_rubbish_is_answered_a_few_times_only(talk: Talk) -> None:
    for visitor in (ANN, b"stranger"):
        answers = 0
        for _ in range(1000):
            talk.desk.take(visitor, [b"rubbish"], 0.0)
            answers += len(talk.heard(visitor))
        assert answers == talk.desk.limits.violations
    assert only(talk.say(BEN, m.Ping(5))) == m.Pong(5)


def test_strangers_and_visitors_are_counted_out(tmp_path: Path) -> None:
    talk = Talk(tmp_path, ServerLimits(connections=10))
    for number in range(1000):
        talk.desk.take(str(number).encode(), [b"rubbish"], 0.0)
        talk.say(f"visitor {number}".encode(), m.Hello("x"))
    assert len(talk.desk.strangers) <= 10 and len(talk.desk.visitors) <= 10


def test_a_job_starts_and_credit_moves_its_window(talk: Talk) -> None:
    assert only(talk.submit(ANN)) == m.Accepted(JOB, 4)
    assert only(talk.orders()) == Start(JOB, "retarget", talk.table, 4)
    for index in range(4):
        talk.frame(index)
    assert [message.index for message in talk.heard(ANN) if isinstance(message, m.Frame)] == [
        0, 1, 2, 3,
    ]  # fmt: skip
    talk.say(ANN, m.Credit(JOB, 2, 4))
    assert only(talk.orders()) == Grant(JOB, 6)
    assert sorted(talk.desk.book.jobs[JOB].kept) == [2, 3]
    for _ in range(100):  # said again, or about frames that were never sent, it grants nothing
        talk.say(ANN, m.Credit(JOB, 2, 4))
        talk.say(ANN, m.Credit(JOB, 1, 4))
    talk.say(ANN, m.Credit(JOB, 5000, 4))
    assert only(talk.orders()) == Grant(JOB, 8)


def test_the_same_submit_twice_is_one_job(talk: Talk) -> None:
    talk.submit(ANN)
    assert only(talk.submit(ANN)) == m.Accepted(JOB, 4)
    assert [type(order) for order in talk.orders()] == [Start]
    talk.frame(0)
    talk.done(1)
    talk.heard(ANN)
    again = talk.submit(ANN)
    assert [type(message) for message in again] == [m.Accepted, m.Frame, m.Done]
    assert not talk.orders()


def test_a_full_queue_says_when_to_come_back(tmp_path: Path) -> None:
    talk = Talk(tmp_path, ServerLimits(active_jobs=1, queued_jobs=2, jobs_per_connection=9))
    talk.desk.worker_ready({})
    talk.say(ANN, m.Hello("test"))
    for number in range(3):
        assert isinstance(only(talk.submit(ANN, bytes([number]) * 16)), m.Accepted)
    refused = only(talk.submit(ANN, b"4" * 16))
    assert isinstance(refused, m.Error) and refused.code == Code.BUSY
    assert refused.retryable and refused.retry_after_seconds > 0
    talk.done(0, bytes(16))
    assert [type(order) for order in talk.orders()] == [Start, Start]


def test_one_client_cannot_take_the_whole_queue(tmp_path: Path) -> None:
    talk = Talk(tmp_path, ServerLimits(jobs_per_connection=2))
    for visitor in (ANN, BEN):
        talk.say(visitor, m.Hello("test"))
    for number in range(2):
        talk.submit(ANN, bytes([number]) * 16)
    assert code_of(talk.submit(ANN, b"3" * 16)) == Code.BUSY
    assert isinstance(only(talk.submit(BEN, b"4" * 16)), m.Accepted)


def test_missing_content_is_named_and_nothing_is_held(talk: Talk) -> None:
    talk.table["clip_kind"], talk.table["clip"] = "video", "ab" * 32
    assert code_of(talk.submit(ANN)) == Code.MISSING_FILE
    assert not talk.desk.book.jobs


def test_cancel_is_acknowledged_at_once_and_nothing_follows(talk: Talk) -> None:
    talk.submit(ANN)
    talk.orders()
    assert only(talk.say(ANN, m.Cancel(JOB))) == m.Cancelled(JOB)
    assert only(talk.orders()) == Stop(JOB)
    talk.frame(0)
    talk.done(1)
    assert talk.heard(ANN) == []


def test_nobody_touches_another_ones_job(talk: Talk) -> None:
    talk.submit(ANN)
    talk.orders()
    for message in (m.Cancel(JOB), m.Credit(JOB, 0, 4)):
        assert code_of(talk.say(BEN, message)) == Code.UNKNOWN_JOB
    assert talk.desk.book.jobs[JOB].state is State.RUNNING


def test_a_client_that_comes_back_gets_what_it_had_not_credited(talk: Talk) -> None:
    talk.submit(ANN)
    for index in range(3):
        talk.frame(index)
    talk.say(ANN, m.Credit(JOB, 1, 4))
    talk.desk.gone(ANN, 1.0)
    talk.frame(3)
    talk.done(4)
    talk.say(b"ann again", m.Hello("test"))
    back = talk.say(b"ann again", m.Resume(JOB, 1, 4))
    assert [getattr(message, "index", "done") for message in back] == [1, 2, 3, "done"]


def test_a_job_that_nobody_comes_back_for_is_dropped(talk: Talk) -> None:
    talk.submit(ANN)
    talk.orders()
    talk.desk.gone(ANN, 0.0)
    talk.desk.tick(29.0)
    assert talk.desk.book.jobs and not talk.orders()
    talk.desk.tick(31.0)
    assert only(talk.orders()) == Stop(JOB)
    assert not talk.desk.book.jobs


def test_silent_visitors_with_jobs_are_asked(talk: Talk) -> None:
    talk.submit(ANN)
    talk.desk.tick(3.0)
    assert isinstance(only(talk.heard(ANN)), m.Ping)
    assert talk.heard(BEN) == []


def test_a_lost_worker_fails_what_ran_and_keeps_what_waits(tmp_path: Path) -> None:
    talk = Talk(tmp_path, ServerLimits(active_jobs=1))
    talk.desk.worker_ready({})
    talk.say(ANN, m.Hello("test"))
    talk.submit(ANN, b"1" * 16)
    talk.submit(ANN, b"2" * 16)
    talk.orders()
    talk.heard(ANN)
    talk.desk.book.worker_lost("It crashed.", 0.0)
    failed = only(talk.heard(ANN))
    assert isinstance(failed, m.Error) and failed.job == b"1" * 16
    assert failed.code == Code.WORKER_LOST and failed.retryable
    assert not talk.orders()
    talk.desk.worker_ready({})
    start = only(talk.orders())
    assert isinstance(start, Start) and start.job == b"2" * 16


def test_ended_jobs_are_forgotten_and_hold_nothing(tmp_path: Path) -> None:
    talk = Talk(tmp_path, ServerLimits(remembered_jobs=5, jobs_per_connection=999))
    talk.desk.worker_ready({})
    talk.say(ANN, m.Hello("test"))
    for number in range(200):
        key = number.to_bytes(16, "little")
        talk.submit(ANN, key)
        talk.frame(0, key)
        talk.done(1, key)
        talk.desk.tick(0.0)
    assert len(talk.desk.book.jobs) <= 5
    talk.desk.tick(60.0)
    assert talk.desk.book.kept_bytes() == 0
    talk.desk.tick(200.0)
    assert not talk.desk.book.jobs
    assert isinstance(talk.desk.blobs, BlobFolder) and not talk.desk.blobs._held


def test_frames_that_nobody_credits_are_bounded(tmp_path: Path) -> None:
    talk = Talk(tmp_path, ServerLimits(kept_bytes=4000, jobs_per_connection=999))
    talk.desk.worker_ready({})
    talk.say(ANN, m.Hello("test"))
    for number in range(20):
        key = number.to_bytes(16, "little")
        talk.submit(ANN, key)
        talk.frame(0, key)
        assert any(isinstance(told, m.Frame) for told in talk.heard(ANN))  # it is sent
        talk.done(1, key)
        assert talk.desk.book.kept_bytes() <= 4000
    last = talk.desk.book.jobs[key]
    assert last.kept and last.final is not None


def test_the_window_shrinks_with_the_picture(tmp_path: Path) -> None:
    talk = Talk(tmp_path, ServerLimits(window_bytes=16 * 16 * 8 * 3))
    talk.say(ANN, m.Hello("test"))
    assert only(talk.submit(ANN, window=8)) == m.Accepted(JOB, 3)


def test_a_stopping_server_takes_no_more(talk: Talk) -> None:
    talk.desk.book.stopping = True
    assert code_of(talk.submit(ANN)) == Code.STOPPING


def test_jobs_that_wait_for_their_client_make_room(tmp_path: Path) -> None:
    talk = Talk(tmp_path, ServerLimits(active_jobs=1, running_jobs=2))
    talk.desk.worker_ready({})
    talk.say(ANN, m.Hello("test"))
    for number in range(3):
        talk.submit(ANN, bytes([number]) * 16, window=2)
    assert len(talk.orders()) == 1
    talk.frame(0, bytes(16))
    assert not talk.orders()
    talk.frame(1, bytes(16))  # now the window is full
    assert len(talk.orders()) == 1
    talk.frame(0, b"\1" * 16)
    talk.frame(1, b"\1" * 16)
    assert not talk.orders()  # no more than two run, however they stand


def test_clients_that_crashed_make_room_soon_when_it_is_wanted(tmp_path: Path) -> None:
    talk = Talk(tmp_path, ServerLimits(active_jobs=1))
    talk.desk.worker_ready({})
    for visitor in (ANN, BEN):
        talk.say(visitor, m.Hello("test"))
    talk.submit(ANN, b"1" * 16)
    talk.submit(BEN, b"2" * 16)
    talk.orders()
    talk.desk.gone(ANN, 0.0)
    talk.desk.tick(2.0)
    assert not talk.orders()
    talk.desk.tick(4.0)
    assert [type(order) for order in talk.orders()] == [Stop, Start]
