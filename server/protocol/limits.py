"""What either side of the protocol accepts at most."""

from __future__ import annotations

from dataclasses import dataclass

#: The protocol version that both sides must name in every header.
VERSION = 3

#: Longest message header, in bytes.
MAX_HEADER_BYTES = 4096

#: Largest piece of a file in one PUT, in bytes.
CHUNK_BYTES = 1 << 20

#: What travels in one piece, of a file that goes up or of a picture that comes down: no more than a
#: connection of 0.5 Mbit/s carries while silence still counts as alive.
PIECE_BYTES = CHUNK_BYTES // 4

#: Largest single part that a server accepts: a chunk and some room.
MAX_REQUEST_PART_BYTES = CHUNK_BYTES + 65536

#: Largest single part that a client accepts: the weights of the largest solve.
MAX_REPLY_PART_BYTES = 4096 * 4096 * 4

#: Shortest and longest side of a neutral, in pixels.
MIN_SIDE_PIXELS = 16
MAX_SIDE_PIXELS = 4096

#: Frames that may be on the way to a client that has not credited them.
DEFAULT_WINDOW_FRAMES = 8
MAX_WINDOW_FRAMES = 64

#: Highest frame index of a job.
MAX_FRAMES = 100_000

#: Strengths that make sense: a twentieth of the clip's motion to four times it.
STRENGTHS = (0.05, 4.0)


@dataclass(frozen=True)
class ServerLimits:
    """What one server holds at most; each bound keeps its memory, disk or time in hand."""

    blob_bytes: int = 1 << 30
    store_bytes: int = 4 << 30
    open_uploads: int = 32
    connections: int = 1024
    active_jobs: int = 4  # that make progress; those that wait for their client come on top
    running_jobs: int = 12
    queued_jobs: int = 32
    jobs_per_connection: int = 8
    window_bytes: int = 96 << 20
    kept_bytes: int = 2 << 30  # of frames that are not credited, once their jobs have ended
    retry_after_seconds: float = 1.0
    orphan_seconds: float = 30.0
    wanted_orphan_seconds: float = 3.0  # when its place is wanted by a job that waits
    remembered_jobs: int = 64
    remembered_seconds: float = 120.0
    violations: int = 16
