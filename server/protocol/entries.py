"""What the book of jobs holds and gives out: jobs, what is to be sent, where content is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from .messages import Message, Payload
from .requests import Request

Parts = Sequence[Payload]


class Blobs(Protocol):
    """Where content is kept."""

    def put(self, digest: bytes, total: int, offset: int, piece: Payload) -> int:
        """Take a piece and return how many leading bytes are there; ProtocolError on refusal."""
        ...

    def hold(self, digest: bytes) -> int | None:
        """Keep complete content from being dropped; return its size, None when it is not there."""
        ...

    def release(self, digest: bytes) -> None:
        """Undo one `hold`."""
        ...


@dataclass(frozen=True)
class Send:
    """Effect: send these parts to this visitor."""

    visitor: bytes
    parts: Parts


@dataclass(frozen=True)
class Order:
    """Effect: send this message to the worker."""

    message: Message


class State(Enum):
    """Where a job is."""

    QUEUED = "queued"
    RUNNING = "running"
    ENDED = "ended"  # done, failed or cancelled; `final` tells which


@dataclass
class Job:
    """One job: its request, its visitor and how far it is."""

    key: bytes
    kind: str
    table: dict[str, object]
    request: Request
    visitor: bytes | None
    window: int
    state: State = State.QUEUED
    received: int = 0
    granted: int = 0
    kept: dict[int, list[Parts]] = field(default_factory=dict)
    final: Parts | None = None
    orphaned_at: float | None = None
    ended_at: float | None = None

    @property
    def stalled(self) -> bool:
        """Whether it waits for its client to credit what was sent."""
        return len(self.kept) >= self.window

    @property
    def kept_bytes(self) -> int:
        """How many bytes of its frames are kept."""
        return sum(len(part) for frame in self.kept.values() for parts in frame for part in parts)
