"""The client's side of a connection as a state machine: greeting, liveness, jobs. No sockets."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from ...errors import InputError, MicrofaceError, RunError
from .failures import Code, ProtocolError, as_our_error
from .jobs import Job
from .messages import Error, Hello, Message, Payload, Ping, Pong, Put, Stored, Welcome
from .wire import FROM_SERVER, decode

#: Without a sign of life for this long, while it is being asked, the server counts as gone.
SILENT_SECONDS = 5.0
PING_SECONDS = 1.0


@dataclass(frozen=True)
class ServerInfo:
    """What a server says of itself; `models` maps names to SHA-256."""

    server: str
    ready: bool
    blob_bytes: int
    models: Mapping[str, str]


class Conversation:
    """All that a client says to a server at `address` and hears from it.

    Whoever owns the socket sends `due` until it is None (`sent` after each), gives what comes in to
    `take`, and calls `look` each time it has done so.
    """

    def __init__(self, address: str, timeout_seconds: float, now: float) -> None:
        self.address = address
        self.timeout_seconds = timeout_seconds
        self.info: ServerInfo | None = None
        self.jobs: list[Job] = []
        self.fault: MicrofaceError | None = None
        self.greeted = False
        self._outbox: deque[Message] = deque([Hello("microface")])
        self._asked_at = self._heard_at = self._pinged_at = self._looked_at = now

    def begin(self, job: Job, now: float) -> None:
        """Take a job on."""
        self._heard_at = self._asked_at = now
        self.jobs.append(job)

    def due(self, now: float) -> Message | None:
        """Return the next message to send, or None; it stays due until `sent`."""
        if not self._outbox and self.greeted:
            for job in list(self.jobs):
                message = job.due(now)
                if message is not None:
                    self._outbox.append(message)
                    break
                if job.over:
                    self.jobs.remove(job)
        return self._outbox[0] if self._outbox else None

    def sent(self) -> None:
        """Take in that the message that was due is on its way."""
        self._outbox.popleft()

    @property
    def busy(self) -> bool:
        """Whether there is work that nothing has to come in for."""
        return self.greeted and any(job.preparing for job in self.jobs)

    def take(self, parts: list[Payload], now: float) -> None:
        """Take in what the server sent."""
        self._heard_at = now
        try:
            self._take(decode(parts, FROM_SERVER), now)
        except ProtocolError as fault:
            self._fail_all(as_our_error(fault.code, fault.what, fault.remedy))

    def _take(self, message: Message, now: float) -> None:
        if isinstance(message, Welcome):
            again = self.info is not None
            self.greeted = True
            self.info = ServerInfo(
                message.server, message.ready, message.blob_bytes, message.models
            )
            for job in self.jobs if again else ():
                job.reconnected()
        elif isinstance(message, Ping):
            self._outbox.append(Pong(message.token))
        elif isinstance(message, Error) and message.job is None:
            self._refused(message)
        elif isinstance(message, Stored):
            for job in self.jobs:
                job.take(message, now)
        else:
            key = getattr(message, "job", None)
            for job in [job for job in self.jobs if job.key == key]:
                job.take(message, now)

    def _refused(self, message: Error) -> None:
        if message.code != Code.NO_HELLO:
            self._fail_all(as_our_error(message.code, message.what, message.remedy))
        elif self.greeted:
            # The connection was cut and made anew, or the server was.
            self.greeted = False
            self._outbox = deque(m for m in self._outbox if not isinstance(m, Put))
            self._outbox.appendleft(Hello("microface"))

    def look(self, now: float) -> None:
        """Ask for a sign of life, and fail the jobs when there has been none for long."""
        if now - self._looked_at > PING_SECONDS:
            # Nobody looked for a while: what has come meanwhile waits to be read first.
            self._heard_at = max(self._heard_at, now - PING_SECONDS)
            self._asked_at = max(self._asked_at, now - PING_SECONDS)
        self._looked_at = now
        if not self.jobs:
            return
        if self.greeted and now - max(self._heard_at, self._pinged_at) > PING_SECONDS:
            self._pinged_at = now
            self._outbox.append(Ping(0))
        if self.silent(now):
            self._fail_all(self.silence())

    def silent(self, now: float) -> bool:
        """Whether the server owes an answer for too long."""
        if self.info is None:
            return now - self._asked_at > self.timeout_seconds
        return now - self._heard_at > SILENT_SECONDS

    def silence(self) -> MicrofaceError:
        """Return the error for a server that does not answer."""
        if self.info is not None:
            return RunError(
                f"The server at {self.address} stopped answering.",
                "See whether it still runs, and how fast the connection is, and try again.",
            )
        return InputError(
            f"No Microface server answers at {self.address}.",
            "Start one with `microface serve`, or leave out --server.",
        )

    def _fail_all(self, error: MicrofaceError) -> None:
        self.fault = error
        for job in self.jobs:
            job.fail(error, retryable=True)
