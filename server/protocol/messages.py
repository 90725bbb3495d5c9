"""The protocol's messages, one class per verb.

`fields` travel in the header's body; a `Payload` follows as a part of its own. Arrays carry shape
and dtype in the header.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, ClassVar

from numpy.typing import NDArray

from .failures import Code, ProtocolError
from .kinds import Bytes, Flag, Integer, Kind, Optional, Real, Table, Text, kinds_of
from .limits import CHUNK_BYTES, MAX_FRAMES, MAX_SIDE_PIXELS, MAX_WINDOW_FRAMES

JOB = Bytes(16)
DIGEST = Bytes(32)
SIZE = Integer(0, 1 << 40)
INDEX = Integer(0, MAX_FRAMES)
SIDE = Integer(0, MAX_SIDE_PIXELS)

Payload = bytes | memoryview


@dataclass(frozen=True)
class Message:
    """What all messages share; `VERB` names the class on the wire."""

    VERB: ClassVar[str] = ""

    @classmethod
    @cache
    def kinds(cls) -> dict[str, Kind]:
        """Return the kind of every header field by name."""
        return kinds_of(cls)

    def body(self) -> dict[str, Any]:
        """Return the header fields by name."""
        return {name: getattr(self, name) for name in self.kinds()}


@dataclass(frozen=True)
class Hello(Message):
    """Client to server: the first message of a connection."""

    VERB: ClassVar[str] = "HELLO"
    client: Annotated[str, Text(80)]


@dataclass(frozen=True)
class Welcome(Message):
    """Server to client: who it is, what it accepts, which models it runs (name to SHA-256)."""

    VERB: ClassVar[str] = "WELCOME"
    server: Annotated[str, Text(80)]
    ready: Annotated[bool, Flag()]
    chunk_bytes: Annotated[int, Integer(1, CHUNK_BYTES)]
    blob_bytes: Annotated[int, SIZE]
    models: Annotated[dict[str, Any], Table(16)]


@dataclass(frozen=True)
class Put(Message):
    """Client to server: a piece of content named by its SHA-256; an empty piece asks how much is
    there already."""

    VERB: ClassVar[str] = "PUT"
    digest: Annotated[bytes, DIGEST]
    total: Annotated[int, SIZE]
    offset: Annotated[int, SIZE]
    payload: Payload = b""


@dataclass(frozen=True)
class Stored(Message):
    """Server to client: how many leading bytes of the content are there."""

    VERB: ClassVar[str] = "STORED"
    digest: Annotated[bytes, DIGEST]
    received: Annotated[int, SIZE]
    total: Annotated[int, SIZE]


@dataclass(frozen=True)
class Submit(Message):
    """Client to server: do this job. `job` is drawn at random by the client and makes the message
    idempotent: the same key again is the same job."""

    VERB: ClassVar[str] = "SUBMIT"
    job: Annotated[bytes, JOB]
    kind: Annotated[str, Text(16, ("retarget", "solve"))]
    window: Annotated[int, Integer(1, MAX_WINDOW_FRAMES)]
    request: Annotated[dict[str, Any], Table(24)]


@dataclass(frozen=True)
class Accepted(Message):
    """Server to client: the job is queued or runs."""

    VERB: ClassVar[str] = "ACCEPTED"
    job: Annotated[bytes, JOB]
    window: Annotated[int, Integer(1, MAX_WINDOW_FRAMES)]


@dataclass(frozen=True)
class Credit(Message):
    """Client to server: all frames before `received` arrived and were taken; up to `window` more
    may be sent. Cumulative, so a lost or repeated one does no harm."""

    VERB: ClassVar[str] = "CREDIT"
    job: Annotated[bytes, JOB]
    received: Annotated[int, INDEX]
    window: Annotated[int, Integer(1, MAX_WINDOW_FRAMES)]


@dataclass(frozen=True)
class Resume(Message):
    """Client to server, on a new connection: go on with a job from frame `received`."""

    VERB: ClassVar[str] = "RESUME"
    job: Annotated[bytes, JOB]
    received: Annotated[int, INDEX]
    window: Annotated[int, Integer(1, MAX_WINDOW_FRAMES)]


@dataclass(frozen=True)
class ArrayMessage(Message):
    """A message with an array; `index` is the source frame. `checksum` is the CRC-32 of the array's
    bytes where it is known already."""

    DTYPE: ClassVar[str] = ""
    DIMENSIONS: ClassVar[tuple[int | None, ...]] = ()
    job: Annotated[bytes, JOB]
    index: Annotated[int, INDEX]
    array: NDArray[Any] = dataclasses.field(compare=False)
    checksum: int | None = dataclasses.field(default=None, compare=False)

    @classmethod
    def check_shape(cls, shape: tuple[int, ...]) -> None:
        """Raise ProtocolError for a shape that this message cannot have."""
        fits = len(shape) == len(cls.DIMENSIONS) and all(
            want in (None, got) and 1 <= got <= cls.longest_side()
            for got, want in zip(shape, cls.DIMENSIONS, strict=True)
        )
        if not fits:
            raise ProtocolError(f"A {cls.VERB} message cannot have the shape {shape}.")

    @classmethod
    def longest_side(cls) -> int:
        """Return the largest extent along any axis."""
        return MAX_SIDE_PIXELS


@dataclass(frozen=True)
class PatchMessage(ArrayMessage):
    """A message with a box of a picture, whose first row and column are `top` and `left`; around it
    is what the receiver knows (see `patches`). A large box comes in so many `bands` of rows, each
    a message of its own."""

    top: Annotated[int, SIDE] = 0
    left: Annotated[int, SIDE] = 0
    bands: Annotated[int, Integer(1, MAX_SIDE_PIXELS)] = 1


@dataclass(frozen=True)
class Frame(PatchMessage):
    """Server to client: a generated picture, uint8 sRGB (h, w, 3), on the neutral."""

    VERB: ClassVar[str] = "FRAME"
    DTYPE: ClassVar[str] = "uint8"
    DIMENSIONS: ClassVar[tuple[int | None, ...]] = (None, None, 3)


@dataclass(frozen=True)
class Edge(PatchMessage):
    """Server to client: an edge map, uint8 (h, w), on zeros."""

    VERB: ClassVar[str] = "EDGE"
    DTYPE: ClassVar[str] = "uint8"
    DIMENSIONS: ClassVar[tuple[int | None, ...]] = (None, None)


@dataclass(frozen=True)
class Motion(PatchMessage):
    """Server to client: forward flow from the neutral, float16 (h, w, 2), (dx, dy) in pixels, on
    zeros."""

    VERB: ClassVar[str] = "MOTION"
    DTYPE: ClassVar[str] = "float16"
    DIMENSIONS: ClassVar[tuple[int | None, ...]] = (None, None, 2)


@dataclass(frozen=True)
class Weights(ArrayMessage):
    """Server to client: solved shape key weights, float32 (T, S)."""

    VERB: ClassVar[str] = "WEIGHTS"
    DTYPE: ClassVar[str] = "float32"
    DIMENSIONS: ClassVar[tuple[int | None, ...]] = (None, None)


@dataclass(frozen=True)
class Progress(Message):
    """Server to client: how far a job is; `fraction` of the stage in [0, 1]."""

    VERB: ClassVar[str] = "PROGRESS"
    job: Annotated[bytes, JOB]
    stage: Annotated[str, Text(80)]
    fraction: Annotated[float, Real(0.0, 1.0)]


@dataclass(frozen=True)
class Cancel(Message):
    """Client to server: stop the job."""

    VERB: ClassVar[str] = "CANCEL"
    job: Annotated[bytes, JOB]


@dataclass(frozen=True)
class Cancelled(Message):
    """Server to client: the job is stopped; nothing more of it will come."""

    VERB: ClassVar[str] = "CANCELLED"
    job: Annotated[bytes, JOB]


@dataclass(frozen=True)
class Done(Message):
    """Server to client: all of the job was sent. `manifest` is the SHA-256 over what was sent (see
    `manifest`), the payload the result as JSON."""

    VERB: ClassVar[str] = "DONE"
    job: Annotated[bytes, JOB]
    frames: Annotated[int, INDEX]
    manifest: Annotated[bytes, DIGEST]
    payload: Payload = b""


@dataclass(frozen=True)
class Error(Message):
    """Server to client: a job (or, with job None, a message) failed."""

    VERB: ClassVar[str] = "ERROR"
    job: Annotated[bytes | None, Optional(JOB)]
    code: Annotated[str, Text(24)]
    what: Annotated[str, Text(600)]
    remedy: Annotated[str, Text(400)]
    retryable: Annotated[bool, Flag()]
    retry_after_seconds: Annotated[float, Real(0.0, 3600.0)]


@dataclass(frozen=True)
class Ping(Message):
    """Either way: are you there?"""

    VERB: ClassVar[str] = "PING"
    token: Annotated[int, Integer(0, 1 << 53)]


@dataclass(frozen=True)
class Pong(Message):
    """The answer to a Ping, with its token."""

    VERB: ClassVar[str] = "PONG"
    token: Annotated[int, Integer(0, 1 << 53)]


def error_message(
    job: bytes | None,
    code: Code,
    what: str,
    remedy: str,
    retryable: bool = False,
    retry_after_seconds: float = 0.0,
) -> Error:
    """Return an Error with its texts cut to what fits a header."""
    return Error(job, code, what[:600], remedy[:400], retryable, retry_after_seconds)
