"""The client: submits jobs to a server and takes in what comes back.

Used alike by the add-on, the command line and farm jobs. A client belongs to the thread that made
it. `poll` never waits; `pump` waits until the job is over. Both give the same bits.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import zmq
from numpy.typing import NDArray

from ..errors import InputError, MicrofaceError, RunError
from .protocol.content import BytesContent, Upload, bundle_arrays, clip_content
from .protocol.events import (
    Cancelled,
    Done,
    Edge,
    Event,
    Failed,
    Frame,
    Motion,
    Progress,
    Weights,
)
from .protocol.failures import Code, ProtocolError, as_our_error
from .protocol.jobs import Job, silent_server
from .protocol.limits import DEFAULT_WINDOW_FRAMES, MAX_REPLY_PART_BYTES, MAX_SIDE_PIXELS
from .protocol.messages import Error, Hello, Message, Payload, Ping, Pong, Put, Stored, Welcome
from .protocol.requests import BUILTIN, RetargetRequest, SolveRequest, parse_fps
from .protocol.wire import FROM_SERVER, decode, encode

__all__ = [
    "Cancelled",
    "Client",
    "Done",
    "Edge",
    "Event",
    "Failed",
    "Frame",
    "Motion",
    "Progress",
    "RetargetJob",
    "RetargetResult",
    "ServerInfo",
    "SolveJob",
    "SolveResult",
    "Weights",
]

#: Without a sign of life for this long, while it is being asked, the server counts as gone.
SILENT_SECONDS = 5.0
PING_SECONDS = 1.0

OnEvent = Callable[[Event], None]


@dataclass(frozen=True)
class ServerInfo:
    """What a server says of itself; `models` maps names to SHA-256."""

    server: str
    ready: bool
    blob_bytes: int
    models: Mapping[str, str]


@dataclass
class RetargetResult:
    """All that a retarget job brought: T pictures, edge maps, motions, and the result's table."""

    frames: list[NDArray[np.uint8]] = field(default_factory=list)
    edges: list[NDArray[np.uint8]] = field(default_factory=list)
    motion: list[NDArray[np.float16]] = field(default_factory=list)
    result: dict[str, Any] = field(default_factory=dict)


@dataclass
class SolveResult:
    """Solved weights (T, S) float32 and the result's table."""

    weights: NDArray[np.float32]
    result: dict[str, Any]


class Client:
    """A connection to a server at `address` (`tcp://host:port`).

    `timeout_seconds` is how long the first answer may take. Raises InputError for an address that
    is none.
    """

    def __init__(
        self, address: str, *, timeout_seconds: float = 5.0, window: int = DEFAULT_WINDOW_FRAMES
    ) -> None:
        self.address = address
        self.timeout_seconds = timeout_seconds
        self.window = window
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        for option, value in (
            (zmq.LINGER, 0),
            (zmq.MAXMSGSIZE, MAX_REPLY_PART_BYTES),
            (zmq.SNDHWM, 64),
            (zmq.RCVHWM, 256),
            (zmq.RECONNECT_IVL, 100),
            (zmq.RECONNECT_IVL_MAX, 2000),
            (zmq.HEARTBEAT_IVL, 2000),
            (zmq.HEARTBEAT_TIMEOUT, 6000),
            (zmq.HEARTBEAT_TTL, 8000),
        ):
            self._socket.setsockopt(option, value)
        self._info: ServerInfo | None = None
        self._greeted = False
        self._jobs: list[Job] = []
        self._outbox: deque[Message] = deque([Hello("microface")])
        now = time.monotonic()
        self._asked_at = now  # since when an answer is owed
        self._heard_at = now
        self._pinged_at = now
        self._turned_at = now
        try:
            self._socket.connect(address)
        except zmq.ZMQError as fault:
            self.close()
            raise InputError(
                f"{address} is not the address of a server.", "Give one like tcp://127.0.0.1:5599."
            ) from fault

    def hello(self) -> ServerInfo:
        """Return what the server says of itself; raises InputError when none answers in time."""
        while self._info is None:
            self._wait(self._turn(0.01))
            self._raise_when_silent()
        return self._info

    def retarget(
        self,
        neutral: NDArray[np.uint8],
        clip: Path | str,
        fps: Fraction | float | str | None = None,
        strength: float = 1.0,
    ) -> RetargetJob:
        """Put a clip's expression on a neutral picture, uint8 sRGB (H, W, 3).

        `clip` is a folder of pictures (then `fps` is needed), a video, or `builtin:NAME`. Returns
        at once. Raises InputError for what can be seen to be wrong from here.
        """
        picture = _checked_neutral(neutral)
        rate = _checked_fps(fps)
        if not np.isfinite(strength) or not 0 <= strength <= 4:
            raise InputError(f"A strength of {strength:g}.", "Give 0 to 4; 1 is as in the clip.")
        height, width = picture.shape[:2]
        uploads = [Upload(BytesContent(picture.tobytes()))]
        if str(clip).startswith(BUILTIN):
            kind, name = "builtin", str(clip).removeprefix(BUILTIN)
        else:
            path = Path(clip)
            content, kind = clip_content(path)
            if kind == "frames" and not rate:
                raise InputError(
                    f"The pictures in {path} do not say how fast they were taken.",
                    "Give --fps, for example --fps 200.",
                )
            name = _plain(path.name or path.resolve().name)
            uploads.append(Upload(content))

        def request(digests: Any) -> RetargetRequest:
            clip_digest = digests[1] if len(digests) > 1 else bytes(32)
            return RetargetRequest(
                digests[0], height, width, clip_digest, kind, name, rate, float(strength)
            )

        job = Job("retarget", uploads, request, self.window)
        return RetargetJob(self, self._begin(job))

    def solve(self, **arrays: NDArray[Any]) -> SolveJob:
        """Solve shape key weights on the server; the arguments are those of the engine's solve, as
        arrays (texts as arrays of text). Returns at once."""
        bundle = bundle_arrays({name: np.asarray(array) for name, array in arrays.items()})
        job = Job(
            "solve",
            [Upload(BytesContent(bundle))],
            lambda digests: SolveRequest(digests[0]),
            self.window,
        )
        return SolveJob(self, self._begin(job))

    def close(self) -> None:
        """Drop the connection; jobs that run are cancelled."""
        if self._context.closed:
            return
        for job in self._jobs:
            job.cancel(time.monotonic())
        if self._greeted:
            self._flush()
            self._socket.close(linger=200)
        self._context.destroy(linger=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # One turn: send what is due, take what has come

    def _begin(self, job: Job) -> Job:
        self._heard_at = self._asked_at = time.monotonic()
        self._jobs.append(job)
        return job

    def _flush(self) -> None:
        """Send what can be sent at once."""
        while self._send_one(time.monotonic()):
            pass

    def _turn(self, budget_seconds: float) -> bool:
        """Work until the budget is spent or nothing is left to do; return whether work is left."""
        now = time.monotonic()
        if now - self._turned_at > PING_SECONDS:
            # Nobody looked for a while: what has come meanwhile waits to be read first.
            self._heard_at = max(self._heard_at, now - PING_SECONDS)
            self._asked_at = max(self._asked_at, now - PING_SECONDS)
        until = now + budget_seconds
        while True:
            worked = self._send_one(now) | self._take_one(now)
            now = self._turned_at = time.monotonic()
            if not worked or now >= until:
                break
        self._watch(now)
        return worked

    def _wait(self, work_is_left: bool) -> None:
        if not work_is_left:
            self._socket.poll(20)

    def _send_one(self, now: float) -> bool:
        if not self._outbox and self._greeted:
            for job in list(self._jobs):
                message = job.due(now)
                if message is not None:
                    self._outbox.append(message)
                    break
                if job.over:
                    self._jobs.remove(job)
        if not self._outbox:
            return any(job.preparing for job in self._jobs) and self._greeted
        try:
            self._socket.send_multipart(encode(self._outbox[0]), zmq.NOBLOCK)
        except zmq.Again:
            return False
        self._outbox.popleft()
        return True

    def _take_one(self, now: float) -> bool:
        try:
            frames = self._socket.recv_multipart(zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return False
        self._heard_at = now
        try:
            parts: list[Payload] = [frames[0].bytes]
            parts += [memoryview(frame.buffer) for frame in frames[1:]]
            self._take(decode(parts, FROM_SERVER), now)
        except ProtocolError as fault:
            self._fail_all(as_our_error(fault.code, fault.what, fault.remedy))
        return True

    def _take(self, message: Message, now: float) -> None:
        if isinstance(message, Welcome):
            again = self._info is not None
            self._greeted = True
            self._info = ServerInfo(
                message.server, message.ready, message.blob_bytes, message.models
            )
            for job in self._jobs if again else ():
                job.reconnected()
        elif isinstance(message, Ping):
            self._outbox.append(Pong(message.token))
        elif isinstance(message, Error) and message.job is None:
            self._refused(message)
        elif isinstance(message, Stored):
            for job in self._jobs:
                job.take(message, now)
        else:
            key = getattr(message, "job", None)
            for job in [job for job in self._jobs if job.key == key]:
                job.take(message, now)

    def _refused(self, message: Error) -> None:
        if message.code == Code.NO_HELLO:
            if self._greeted:
                self._greeted = False
                self._outbox = deque(m for m in self._outbox if not isinstance(m, Put))
                self._outbox.appendleft(Hello("microface"))
        else:
            self._fail_all(as_our_error(message.code, message.what, message.remedy))

    def _watch(self, now: float) -> None:
        """Ask for a sign of life, and fail the jobs when there has been none for long."""
        if not self._jobs:
            return
        if self._greeted and now - max(self._heard_at, self._pinged_at) > PING_SECONDS:
            self._pinged_at = now
            self._outbox.append(Ping(0))
        if self._silent(now):
            self._fail_all(silent_server(self.address, self._info is not None))

    def _silent(self, now: float) -> bool:
        if self._info is None:
            return now - self._asked_at > self.timeout_seconds
        return now - self._heard_at > SILENT_SECONDS

    def _raise_when_silent(self) -> None:
        if self._silent(time.monotonic()):
            raise silent_server(self.address, self._info is not None)

    def _fail_all(self, error: MicrofaceError) -> None:
        for job in self._jobs:
            job.fail(error, retryable=True)


class _Running:
    """What all jobs have in common at the client."""

    def __init__(self, client: Client, job: Job) -> None:
        self._client = client
        self._job = job

    @property
    def over(self) -> bool:
        """Whether the job has ended and its last event was taken."""
        return self._job.over

    def poll(self, budget_seconds: float = 0.0) -> list[Event]:
        """Return what happened, working for `budget_seconds` at most and one message at least.

        Never waits for the server. Made for timers: one message takes about a millisecond.
        """
        if self.over:
            return []
        self._client._turn(budget_seconds)
        events = self._job.take_events()
        if self._job.over:
            self._client._flush()
        return events

    def cancel(self) -> None:
        """Stop the job; the event `Cancelled` follows within a moment."""
        self._job.cancel(time.monotonic())
        self._client._turn(0.0)

    def _pump(self, on_event: OnEvent) -> None:
        """Wait until the job is over; raises its error."""
        try:
            while not self.over:
                work_is_left = self._client._turn(0.02)
                for event in self._job.take_events():
                    on_event(event)
                    if isinstance(event, Failed):
                        raise event.error
                    if isinstance(event, Cancelled):
                        raise RunError("The job was cancelled.", "Start it again.")
                self._client._wait(work_is_left)
            self._client._flush()
        except BaseException:
            self.cancel()
            raise


class RetargetJob(_Running):
    """A retarget job that runs on the server."""

    def pump(self, on_event: OnEvent | None = None) -> RetargetResult:
        """Wait for all of it and return it; raises InputError or RunError when it fails."""
        whole = RetargetResult()

        def keep(event: Event) -> None:
            if isinstance(event, Frame):
                whole.frames.append(event.image)
            elif isinstance(event, Edge):
                whole.edges.append(event.map)
            elif isinstance(event, Motion):
                whole.motion.append(event.flow)
            elif isinstance(event, Done):
                whole.result = event.result
            if on_event is not None:
                on_event(event)

        self._pump(keep)
        return whole


class SolveJob(_Running):
    """A solve job that runs on the server."""

    def pump(self, on_event: OnEvent | None = None) -> SolveResult:
        """Wait for the weights and return them; raises InputError or RunError when it fails."""
        whole = SolveResult(np.zeros((0, 0), np.float32), {})

        def keep(event: Event) -> None:
            if isinstance(event, Weights):
                whole.weights = event.weights
            elif isinstance(event, Done):
                whole.result = event.result
            if on_event is not None:
                on_event(event)

        self._pump(keep)
        return whole


def _checked_neutral(neutral: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if neutral.dtype != np.uint8 or neutral.ndim != 3 or neutral.shape[2] != 3:
        raise InputError(
            f"The neutral is {neutral.dtype} {neutral.shape}, not an RGB picture of 8 bits.",
            "Give uint8 (height, width, 3).",
        )
    if not 16 <= min(neutral.shape[:2]) <= max(neutral.shape[:2]) <= MAX_SIDE_PIXELS:
        raise InputError(
            f"The neutral is {neutral.shape[1]} x {neutral.shape[0]} pixels.",
            f"Give one of at most {MAX_SIDE_PIXELS} pixels a side.",
        )
    return neutral


def _checked_fps(fps: Fraction | float | str | None) -> str:
    if fps is None:
        return ""
    text = str(fps)
    try:
        return str(parse_fps(text))
    except ProtocolError as fault:
        raise InputError(
            f"{text} is not a frame rate.", "Give a number or a ratio like 24000/1001."
        ) from fault


def _plain(name: str) -> str:
    """Return a clip's name with what no file name may hold replaced."""
    letters = ["_" if letter in '/\\:*?"<>|' or ord(letter) < 32 else letter for letter in name]
    return "".join(letters).lstrip(".")[-100:] or "clip"
