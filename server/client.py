"""The client: submits jobs to a server and takes in what comes back.

Used alike by the add-on, the command line and farm jobs. A client belongs to the thread that made
it. `poll` never waits; `pump` waits until the job is over. Both give the same bits.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import zmq
from numpy.typing import NDArray

from ..errors import InputError
from .protocol.content import BytesContent, bundle_arrays
from .protocol.conversation import Conversation, ServerInfo
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
from .protocol.handles import RetargetJob, RetargetResult, SolveJob, SolveResult
from .protocol.jobs import Job
from .protocol.limits import (
    DEFAULT_WINDOW_FRAMES,
    MAX_REPLY_PART_BYTES,
    MAX_SIDE_PIXELS,
    MIN_SIDE_PIXELS,
)
from .protocol.performance import Fps, Performance
from .protocol.requests import RetargetRequest, SolveRequest
from .protocol.upload import Upload
from .protocol.wire import encode

__all__ = [
    "Cancelled",
    "Client",
    "Done",
    "Edge",
    "Event",
    "Failed",
    "Frame",
    "Motion",
    "Performance",
    "Progress",
    "RetargetJob",
    "RetargetResult",
    "ServerInfo",
    "SolveJob",
    "SolveResult",
    "Weights",
]


class Client:
    """A connection to a server at `address` (`tcp://host:port`).

    `timeout_seconds` is how long the first answer may take. Raises InputError for an address that
    is none.
    """

    def __init__(
        self, address: str, *, timeout_seconds: float = 5.0, window: int = DEFAULT_WINDOW_FRAMES
    ) -> None:
        self.address = address
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
        self._talk = Conversation(address, timeout_seconds, time.monotonic())
        try:
            self._socket.connect(address)
        except zmq.ZMQError as fault:
            self.close()
            raise InputError(
                f"{address} is not the address of a server.", "Give one like tcp://127.0.0.1:5599."
            ) from fault

    def hello(self) -> ServerInfo:
        """Return what the server says of itself.

        Raises InputError when none answers in time, or one that cannot be understood.
        """
        while self._talk.info is None:
            self.wait(self.turn(0.01))
            if self._talk.fault is not None:
                raise self._talk.fault
            if self._talk.silent(time.monotonic()):
                raise self._talk.silence()
        return self._talk.info

    def retarget(
        self,
        neutral: NDArray[np.uint8],
        clip: Path | str,
        fps: Fps = None,
        strength: float = 1.0,
        gains: str = "",
    ) -> RetargetJob:
        """Put a clip's expression on a neutral picture: `perform` with what is asked for most."""
        return self.perform(neutral, Performance(clip, fps, strength, gains))

    def perform(self, neutral: NDArray[np.uint8], asked: Performance) -> RetargetJob:
        """Let a neutral picture, uint8 sRGB (H, W, 3), perform what is asked.

        Returns at once. Raises InputError for what can be seen to be wrong from here.
        """
        picture = _checked_neutral(neutral)
        asked.check()
        height, width = picture.shape[:2]
        sources = asked.sources()
        contents = [BytesContent(picture.tobytes()), *(one.content for one in sources.values())]

        def request(digests: Sequence[bytes]) -> RetargetRequest:
            known = iter(digests)
            return RetargetRequest(
                neutral=next(known),
                height=height,
                width=width,
                strength=float(asked.strength),
                gains=asked.gains,
                **asked.fields(),
                **{
                    name: value
                    for what, one in sources.items()
                    for name, value in one.fields(what, known).items()
                },
            )

        uploads = [Upload(content) for content in contents if content is not None]
        job = Job("retarget", uploads, request, self.window, picture)
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
        for job in self._talk.jobs:
            job.cancel(time.monotonic())
        if self._talk.greeted:
            self.flush()
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
        self._talk.begin(job, time.monotonic())
        return job

    def flush(self) -> None:
        """Send what can be sent at once."""
        while self._send_one(time.monotonic()):
            pass

    def turn(self, budget_seconds: float) -> bool:
        """Work until the budget is spent or nothing is left to do; return whether work is left."""
        until = time.monotonic() + budget_seconds
        while True:
            now = time.monotonic()
            worked = self._send_one(now) | self._take_one(now)
            self._talk.look(now)
            if not worked or time.monotonic() >= until:
                return worked

    def wait(self, work_is_left: bool) -> None:
        """Wait a moment for something to come in, unless work is left."""
        if not work_is_left:
            self._socket.poll(20)

    def _send_one(self, now: float) -> bool:
        message = self._talk.due(now)
        if message is None:
            return self._talk.busy
        try:
            self._socket.send_multipart(encode(message), zmq.NOBLOCK)
        except zmq.Again:
            return False
        self._talk.sent()
        return True

    def _take_one(self, now: float) -> bool:
        try:
            frames = self._socket.recv_multipart(zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return False
        self._talk.take([frames[0].bytes, *(memoryview(f.buffer) for f in frames[1:])], now)
        return True


def _checked_neutral(neutral: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if neutral.dtype != np.uint8 or neutral.ndim != 3 or neutral.shape[2] != 3:
        raise InputError(
            f"The neutral is {neutral.dtype} {neutral.shape}, not an RGB picture of 8 bits.",
            "Give uint8 (height, width, 3).",
        )
    height, width = neutral.shape[:2]
    if not MIN_SIDE_PIXELS <= min(height, width) <= max(height, width) <= MAX_SIDE_PIXELS:
        raise InputError(
            f"The neutral is {width} x {height} pixels.",
            f"Give one of {MIN_SIDE_PIXELS} to {MAX_SIDE_PIXELS} pixels a side.",
        )
    return neutral
