"""The worker process: runs the engine, a frame at a time, for all the jobs it was given.

It talks to the front alone. Jobs take turns, frame by frame, each as far as its client's credit
goes, so that a slow reader holds up nobody else. A thread of its own tells the front twice a
second that the process is alive and how long the present step has taken.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import zmq

from ..errors import InputError, MicrofaceError, RunError
from ..threads import limit_threads
from .children import end_with_parent, read_settings
from .protocol.failures import Code, ProtocolError
from .protocol.internal import TO_WORKER, Beat, Grant, Ready, Start, Stop
from .protocol.messages import Message, Progress, error_message
from .protocol.wire import decode, encode
from .work import Arrays, Engine, Step, Wait, load_engine, steps_of

log = logging.getLogger("microface.worker")

BEAT_SECONDS = 0.5

#: How often the engine's calls in between look for messages, in seconds.
LOOK_SECONDS = 0.02


class DroppedError(MicrofaceError):
    """The job was dropped while a step of it ran."""


@dataclass
class Task:
    """A job that is being worked on."""

    key: bytes
    limit: int
    steps: Iterator[Step] = field(default_factory=lambda: iter(()))
    sent: int = 0
    cancelled: bool = False

    @property
    def may_go_on(self) -> bool:
        """Whether the client's credit covers the next frame."""
        return self.cancelled or self.sent < self.limit


class Worker:
    """The loop of the worker process."""

    def __init__(self, link: zmq.Socket[bytes], engine: Engine, folder: Path) -> None:
        self.link = link
        self.engine = engine
        self.folder = folder
        self.tasks: dict[bytes, Task] = {}
        self.turns: deque[bytes] = deque()
        self.stopping = threading.Event()
        self.step_began: float | None = None
        self._looked = 0.0

    def run(self) -> None:
        """Work until told to stop."""
        idle = False
        while not self.stopping.is_set():
            runnable = [key for key in self.turns if self.tasks[key].may_go_on]
            wait = 0 if runnable and not idle else 10 if runnable else 100
            self._look(wait)
            if not runnable or runnable[0] not in self.tasks:
                idle = False
                continue
            self.turns.remove(runnable[0])
            self.turns.append(runnable[0])
            idle = self._step(self.tasks[runnable[0]])

    def send(self, message: Message) -> None:
        """Send a message to the front."""
        self.link.send_multipart(encode(message), copy=False)

    def _step(self, task: Task) -> bool:
        """Do a task's next step; return whether there was nothing to do."""
        self.step_began = time.monotonic()
        try:
            if task.cancelled:
                raise DroppedError("The job was cancelled.", "")
            step = next(task.steps)
        except StopIteration:
            self._drop(task)
        except DroppedError:
            self._drop(task)
        except (MicrofaceError, ProtocolError) as fault:
            code = Code.ENGINE
            if isinstance(fault, InputError) or getattr(fault, "code", None) is Code.INPUT:
                code = Code.INPUT
            self.send(error_message(task.key, code, fault.what, fault.remedy))
            self._drop(task)
        except Exception as fault:
            log.exception("a job failed")
            what = f"The engine failed: {type(fault).__name__}: {fault}."
            remedy = "Try another clip or picture; the server's log has the details."
            self.send(error_message(task.key, Code.ENGINE, what, remedy))
            self._drop(task)
        else:
            return self._deliver(task, step)
        finally:
            self.step_began = None
        return False

    def _deliver(self, task: Task, step: Step) -> bool:
        if isinstance(step, Wait):
            return True
        if isinstance(step, Arrays):
            for message in step.messages:
                self.send(message)
            task.sent += 1
        else:
            self.send(step)
        return False

    def _drop(self, task: Task) -> None:
        close = getattr(task.steps, "close", None)
        if close is not None:
            close()
        self.tasks.pop(task.key, None)
        if task.key in self.turns:
            self.turns.remove(task.key)

    def _look(self, wait_milliseconds: int) -> None:
        self._looked = time.monotonic()
        if not self.link.poll(wait_milliseconds):
            return
        while self.link.poll(0):
            self._take(decode(self.link.recv_multipart(), TO_WORKER))

    def _take(self, message: Message) -> None:
        if isinstance(message, Start):
            self._start(message)
        elif isinstance(message, Grant) and message.job in self.tasks:
            task = self.tasks[message.job]
            task.limit = max(task.limit, message.limit)
        elif isinstance(message, Stop) and message.job in self.tasks:
            self.tasks[message.job].cancelled = True

    def _start(self, start: Start) -> None:
        task = Task(start.job, start.limit)
        told_at = 0.0

        def cancelled() -> bool:
            # Called by the engine between its own steps: a good moment to hear of a cancel.
            now = time.monotonic()
            if now - self._looked > LOOK_SECONDS:
                self._look(0)
            return task.cancelled or self.stopping.is_set()

        def tell(stage: str, fraction: float) -> None:
            nonlocal told_at
            if cancelled():
                raise DroppedError("The job was cancelled.", "")
            now = time.monotonic()
            if now - told_at > 0.05 or fraction >= 1:
                told_at = now
                self.send(Progress(task.key, stage[:80], min(1.0, max(0.0, float(fraction)))))

        try:
            task.steps = steps_of(
                start.job, start.kind, start.request, self.folder, self.engine, tell, cancelled
            )
        except ProtocolError as fault:
            self.send(error_message(start.job, fault.code, fault.what, fault.remedy))
            return
        self.tasks[task.key] = task
        self.turns.append(task.key)

    def beat(self, address: str, name: bytes) -> None:
        """Tell the front that this process is alive, until it stops; runs in its own thread."""
        with _dealer(address, name) as link:
            while not self.stopping.wait(BEAT_SECONDS):
                began = self.step_began
                busy = time.monotonic() - began if began is not None else 0.0
                link.send_multipart(encode(Beat(max(0.0, busy))))


def child_main() -> None:
    """What the worker's process does."""
    settings = read_settings()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the front decides when to stop
    end_with_parent(settings, lambda: os._exit(1), signal.SIGKILL, 0.0)
    limit_threads(settings["threads"])
    token = bytes.fromhex(settings["token"])
    link = _dealer(settings["address"], token)
    try:
        engine = load_engine(settings["engine"])(settings["weights"], settings["threads"])
        worker = Worker(link, engine, Path(settings["folder"]))
        threading.Thread(
            target=worker.beat, args=(settings["address"], token + b"/beat"), daemon=True
        ).start()
        models = dict(engine.warm())
    except MicrofaceError as fault:
        code = Code.INPUT if isinstance(fault, InputError) else Code.ENGINE
        _give_up(link, code, fault)
    except ImportError as fault:
        remedy = "Install what it needs: pip install 'microface[server]'."
        _give_up(link, Code.ENGINE, RunError(f"The engine cannot start: {fault}.", remedy))
    except Exception as fault:
        log.exception("the engine cannot start")
        what = f"The engine cannot start: {type(fault).__name__}: {fault}."
        _give_up(link, Code.ENGINE, RunError(what, "Look at the server's log."))
    else:
        worker.send(Ready(models))
        worker.run()


def _give_up(link: zmq.Socket[bytes], code: Code, fault: MicrofaceError) -> None:
    log.error("%s", fault)
    link.send_multipart(encode(error_message(None, code, fault.what, fault.remedy)))
    link.context.destroy(linger=2000)  # waits until the message is out
    os._exit(1)


def _dealer(address: str, name: bytes) -> zmq.Socket[bytes]:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    link = context.socket(zmq.DEALER)
    link.setsockopt(zmq.IDENTITY, name)
    link.setsockopt(zmq.LINGER, 0)
    link.connect(address)
    return link
