"""The server's front: a ROUTER socket for clients, one for the worker, and a poll loop between.

The conversation itself is the `Desk`'s (no sockets there). The front moves parts, watches the
worker and its own memory, and ends cleanly. Nothing in it blocks.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import zmq

from ..errors import InputError, RunError
from .blobs import BlobFolder
from .folders import CLIPS, new_folder
from .memory import Memory, give_memory_back
from .protocol.desk import Desk
from .protocol.entries import Order, Parts, Send
from .protocol.failures import Code, ProtocolError, as_our_error
from .protocol.internal import FROM_WORKER, Beat, Ready
from .protocol.limits import ServerLimits
from .protocol.messages import ArrayMessage, Error, Progress
from .protocol.wire import decode, encode, job_of, read_header
from .sockets import (
    allow_connections,
    check_loopback,
    endpoint,
    open_clients,
    open_workers,
)
from .stopping import Stop
from .supervisor import Supervisor, WorkerSettings

log = logging.getLogger("microface.server")

#: Messages taken from one socket before the other gets its turn.
TURN_MESSAGES = 64

#: Messages that may wait for one client that does not read; then it counts as gone. All that its
#: jobs' windows allow are fewer, in bands of the largest pictures.
WAITING_MESSAGES = 1 << 14


@dataclass(frozen=True)
class FrontSettings:
    """Where the server listens and what it takes. It keeps its files in `folder` and removes that
    at the end; without one it makes its own."""

    bind: str = "tcp://127.0.0.1:*"
    folder: Path | None = None
    worker: WorkerSettings = field(default_factory=WorkerSettings)
    limits: ServerLimits = field(default_factory=ServerLimits)
    spare_memory_bytes: int = 256 << 20
    drain_seconds: float = 5.0


class Front:
    """The server in this process; `run` serves until `stop` is set."""

    def __init__(self, settings: FrontSettings, stop: Stop, server: str) -> None:
        check_loopback(settings.bind)
        self.settings = settings
        self.stop = stop
        self.folder = settings.folder or new_folder()
        (self.folder / CLIPS).mkdir()
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.waiting: dict[bytes, deque[Parts]] = {}
        self._memory = Memory()
        allow_connections(settings.limits.connections)
        try:
            self.clients = open_clients(self.context, settings.bind)
            self.address = endpoint(self.clients)
            self.workers = open_workers(self.context, self.folder)
        except BaseException:
            self.close()
            raise
        self.desk = Desk(settings.limits, BlobFolder(self.folder, settings.limits), server)
        worker_address = endpoint(self.workers)
        self.supervisor = Supervisor(settings.worker, worker_address, self.folder)
        self._ticked_at = 0.0
        self._memory_mark = self._memory.resident_bytes()

    def run(self, on_ready: Callable[[str], None] = lambda address: None) -> None:
        """Serve; `on_ready` is called with the address once the worker is warm.

        Raises what kept the worker from starting, as its own kind of error.
        """
        told = False
        try:
            while not self.stop.is_set():
                self._turn()
                if self.supervisor.failure is not None:
                    raise self.supervisor.failure
                if self.desk.book.ready and not told:
                    told = True
                    on_ready(self.address)
            self._drain()
        finally:
            self.close()

    def close(self) -> None:
        """End the worker, close the sockets, remove the folder."""
        if hasattr(self, "supervisor"):
            self.supervisor.stop()
        self._memory.close()
        self.context.destroy(linger=0)
        shutil.rmtree(self.folder, ignore_errors=True)

    # One turn of the loop

    def _turn(self) -> None:
        now = time.monotonic()
        self.supervisor.start(now)
        poller = zmq.Poller()
        poller.register(self.clients, zmq.POLLIN)
        poller.register(self.workers, zmq.POLLIN)
        ready = dict(poller.poll(10 if self.waiting else 50))
        if self.workers in ready:
            self._take_from_worker()
        if self.clients in ready:
            self._take_from_clients()
        now = time.monotonic()
        why = self.supervisor.check(now)
        if why is not None:
            self.desk.book.worker_lost(why, now)
            shutil.rmtree(self.folder / CLIPS, ignore_errors=True)
            (self.folder / CLIPS).mkdir(exist_ok=True)
        if now - self._ticked_at > 0.1:
            self._ticked_at = now
            self.desk.tick(now)
            self._guard_memory(now)
        for visitor in list(self.waiting):
            self._send_waiting(visitor)
        self._carry_out()

    def _take_from_clients(self) -> None:
        for _ in range(TURN_MESSAGES):
            try:
                visitor, *parts = self.clients.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            self.desk.take(visitor, parts, time.monotonic())
            self._carry_out()

    def _take_from_worker(self) -> None:
        for _ in range(TURN_MESSAGES):
            try:
                name, *frames = self.workers.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            if not self.supervisor.is_worker(name.bytes):
                continue
            parts: Parts = [frames[0].bytes, *(frame.buffer for frame in frames[1:])]
            try:
                self._take_worker_message(parts)
            except ProtocolError as fault:
                log.error("the worker sent a message that cannot be read: %s", fault.what)
            self._carry_out()

    def _take_worker_message(self, parts: Parts) -> None:
        now = time.monotonic()
        header, message_class = read_header(parts, FROM_WORKER)
        job = job_of(header)
        self.supervisor.heard(now)
        if issubclass(message_class, ArrayMessage) and job is not None:
            # Passed on as it is: the worker made the checksum, the client looks at it.
            self.desk.book.pass_array(job, header["b"]["index"], parts)
            return
        message = decode(parts, FROM_WORKER)
        if isinstance(message, Beat):
            self.supervisor.beat(message.busy_seconds, now)
        elif isinstance(message, Ready):
            self.supervisor.warmed()
            self.desk.worker_ready(message.models)
            log.info("ready at %s", self.address)
        elif isinstance(message, Progress):
            self.desk.book.pass_progress(message)
        elif job is not None:
            self.desk.book.pass_final(job, parts, now, isinstance(message, Error))
        elif isinstance(message, Error):
            self.supervisor.failure = as_our_error(message.code, message.what, message.remedy)

    # Effects

    def _carry_out(self) -> None:
        effects = self.desk.book.effects
        while effects:
            effect = effects.popleft()
            if isinstance(effect, Order):
                self._order(effect)
            else:
                self._send(effect)

    def _order(self, order: Order) -> None:
        with contextlib.suppress(zmq.ZMQError):  # a worker that is gone is found by `check`
            self.workers.send_multipart(
                [self.supervisor.token, *encode(order.message)], zmq.NOBLOCK
            )

    def _send(self, send: Send) -> None:
        waiting = self.waiting.get(send.visitor)
        if waiting is None:
            if not self._try(send.visitor, send.parts):
                self.waiting[send.visitor] = deque([send.parts])
        elif len(waiting) < WAITING_MESSAGES:
            waiting.append(send.parts)
        else:
            self._gone(send.visitor)

    def _send_waiting(self, visitor: bytes) -> None:
        waiting = self.waiting.get(visitor)
        while waiting and self._try(visitor, waiting[0]):
            if visitor not in self.waiting:
                return
            waiting.popleft()
        if not waiting:
            self.waiting.pop(visitor, None)

    def _try(self, visitor: bytes, parts: Parts) -> bool:
        """Send, if it can be done now; a visitor that is not there counts as gone."""
        try:
            self.clients.send_multipart([visitor, *parts], zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return False
        except zmq.ZMQError as fault:
            if fault.errno != zmq.EHOSTUNREACH:
                raise
            self._gone(visitor)
        return True

    def _gone(self, visitor: bytes) -> None:
        self.waiting.pop(visitor, None)
        self.desk.gone(visitor, time.monotonic())

    # Memory, end

    def _guard_memory(self, now: float) -> None:
        """Cut all connections when memory grows beyond what the desk accounts for.

        libzmq collects a message's parts without limit until the last has come, and does not tell
        from whom. Clients that mean well come back and resume.
        """
        resident = self._memory.resident_bytes()
        allowed = self._memory_mark + self.settings.spare_memory_bytes + self.desk.book.kept_bytes()
        if resident <= allowed:
            return
        log.warning(
            "memory grew to %d MB beyond the work at hand; all connections are cut",
            resident >> 20,
        )
        self.clients.close(linger=0)
        self.waiting.clear()
        self.desk.all_gone(now)
        for _ in range(100):  # the port is free once the closed socket's thread let go of it
            with contextlib.suppress(InputError):
                self.clients = open_clients(self.context, self.address)
                break
            time.sleep(0.02)
        else:
            raise RunError(
                f"The server lost its place at {self.address} to another process.",
                "Start it again.",
            )
        give_memory_back()
        grown = self._memory.resident_bytes() - self.desk.book.kept_bytes()
        self._memory_mark = max(self._memory_mark, grown)

    def _drain(self) -> None:
        """Let running jobs finish for a while, take no new ones."""
        self.desk.book.stopping = True
        until = time.monotonic() + self.settings.drain_seconds
        while self.desk.book.working() and time.monotonic() < until:
            self._turn()
        for key in self.desk.book.working():
            self.desk.book.fail(
                key, Code.STOPPING, "The server was stopped.", "Try again when it is back.",
                time.monotonic(),
            )  # fmt: skip
        self._carry_out()
        if self.desk.visitors:
            time.sleep(0.05)  # what was just sent is on its way
