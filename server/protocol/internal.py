"""Messages between the front and its worker process; results pass through in the clients' form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from .kinds import Integer, Real, Table, Text
from .limits import MAX_FRAMES, MAX_WINDOW_FRAMES
from .messages import JOB, Done, Edge, Error, Frame, Message, Motion, Progress, Weights
from .wire import Verbs

GRANT = Integer(0, MAX_FRAMES + MAX_WINDOW_FRAMES)


@dataclass(frozen=True)
class Start(Message):
    """Front to worker: do this job, sending frames below `limit` for now."""

    VERB: ClassVar[str] = "START"
    job: Annotated[bytes, JOB]
    kind: Annotated[str, Text(16, ("retarget", "solve"))]
    request: Annotated[dict[str, Any], Table(24)]
    limit: Annotated[int, GRANT]


@dataclass(frozen=True)
class Grant(Message):
    """Front to worker: frames below `limit` may be sent."""

    VERB: ClassVar[str] = "GRANT"
    job: Annotated[bytes, JOB]
    limit: Annotated[int, GRANT]


@dataclass(frozen=True)
class Stop(Message):
    """Front to worker: drop the job."""

    VERB: ClassVar[str] = "STOP"
    job: Annotated[bytes, JOB]


@dataclass(frozen=True)
class Ready(Message):
    """Worker to front: models are loaded and warm; `models` maps their names to SHA-256."""

    VERB: ClassVar[str] = "READY"
    models: Annotated[dict[str, Any], Table(16)]


@dataclass(frozen=True)
class Beat(Message):
    """Worker to front, twice a second from a thread of its own: the process is alive;
    `busy_seconds` is how long the present step of work has taken."""

    VERB: ClassVar[str] = "BEAT"
    busy_seconds: Annotated[float, Real(0.0, 1e9)]


#: What the worker takes from the front, and the front from the worker.
TO_WORKER: Verbs = {message.VERB: message for message in (Start, Grant, Stop)}
FROM_WORKER: Verbs = {
    message.VERB: message
    for message in (Ready, Beat, Frame, Edge, Motion, Weights, Progress, Done, Error)
}
