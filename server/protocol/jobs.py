"""The client's side of one job as a state machine: messages in, messages and events out."""

from __future__ import annotations

import json
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import MicrofaceError, RunError
from . import events as told
from .failures import Code, ProtocolError, as_our_error
from .limits import DEFAULT_WINDOW_FRAMES
from .manifest import Manifest
from .messages import (
    Accepted,
    ArrayMessage,
    Cancel,
    Cancelled,
    Credit,
    Done,
    Edge,
    Error,
    Frame,
    Message,
    Motion,
    PatchMessage,
    Progress,
    Put,
    Resume,
    Stored,
    Submit,
    Weights,
)
from .patches import Gathering
from .requests import Request
from .upload import Upload

#: What belongs to one frame; the frame counts as received when all of it was taken.
PER_FRAME = frozenset({Frame.VERB, Edge.VERB, Motion.VERB})

#: How long a full server is asked again, and a cancel waits for its answer, in seconds.
BUSY_PATIENCE_SECONDS = 300.0
CANCEL_PATIENCE_SECONDS = 2.0


class Stage(Enum):
    """Where the job is, as the client sees it."""

    SENDING = "sending"
    SUBMITTED = "submitted"
    RUNNING = "running"
    ENDED = "ended"


class Job:
    """One job: sends its content, submits it, takes in what comes back, credits what was taken.

    `make_request` is called with the uploads' digests once they are known. `neutral` (H, W, 3) is
    what a retargeting's frames are patches of.
    """

    def __init__(
        self,
        kind: str,
        uploads: Sequence[Upload],
        make_request: Callable[[Sequence[bytes]], Request],
        window: int = DEFAULT_WINDOW_FRAMES,
        neutral: NDArray[np.uint8] | None = None,
    ) -> None:
        self.key = secrets.token_bytes(16)
        self.kind = kind
        self.stage = Stage.SENDING
        self.window = window
        self.received = 0
        self._uploads = uploads
        self._make_request = make_request
        self._neutral = neutral
        self._outgoing: deque[Message] = deque()
        self._events: deque[told.Event] = deque()
        self._arrived: set[tuple[int, str]] = set()
        self._taken: set[tuple[int, str]] = set()
        self._gathered: dict[tuple[int, str], Gathering] = {}
        self._manifest = Manifest()
        self._frames = 0
        self._submit_at = 0.0
        self._busy_since: float | None = None
        self._cancelled_at: float | None = None
        self._uploads_redone = 0

    @property
    def over(self) -> bool:
        """Whether the job has ended and its last event was taken."""
        return self.stage is Stage.ENDED and not self._events

    # What goes out

    def due(self, now: float) -> Message | None:
        """Return the next message to send, or None; does a bounded amount of work (one piece)."""
        if self._cancelled_at is not None and now - self._cancelled_at > CANCEL_PATIENCE_SECONDS:
            self._end(told.Cancelled())
        if self._outgoing:
            return self._outgoing.popleft()
        if self.stage is Stage.SENDING:
            try:
                return self._next_piece(now)
            except MicrofaceError as fault:
                self._end(told.Failed(fault))
        return None

    def _next_piece(self, now: float) -> Message | None:
        for upload in self._uploads:
            if upload.digest is None:
                upload.hash_step()
                return None
            piece = upload.next_piece()
            if piece is not None:
                return Put(upload.digest, upload.content.size, *piece)
            if not upload.done:
                return None
        if now < self._submit_at:
            return None
        request = self._make_request([upload.digest or b"" for upload in self._uploads])
        self.stage = Stage.SUBMITTED
        return Submit(self.key, self.kind, self.window, request.table())

    @property
    def preparing(self) -> bool:
        """Whether there is work to do that no message from the server has to come for."""
        if self._outgoing:
            return True
        return self.stage is Stage.SENDING and any(
            upload.digest is None for upload in self._uploads
        )

    def cancel(self, now: float) -> None:
        """Stop the job; `Cancelled` is the last event."""
        if self.stage is Stage.ENDED or self._cancelled_at is not None:
            return
        if self.stage is Stage.SENDING:
            self._end(told.Cancelled())
            return
        self._cancelled_at = now
        self._outgoing.append(Cancel(self.key))

    def reconnected(self) -> None:
        """Go on over a new connection."""
        if self._cancelled_at is not None:
            self._end(told.Cancelled())
        elif self.stage is Stage.SENDING:
            for upload in self._uploads:
                upload.ask_again()
        elif self.stage is Stage.SUBMITTED:
            self.stage = Stage.SENDING
            for upload in self._uploads:
                upload.ask_again()
        elif self.stage is Stage.RUNNING:
            self._outgoing.clear()
            self._outgoing.append(Resume(self.key, self.received, self.window))

    # What comes in

    def take(self, message: Message, now: float) -> None:
        """Take in a message that concerns this job."""
        if isinstance(message, Stored):
            self._stored(message)
        elif self.stage is Stage.ENDED:
            return
        elif isinstance(message, ArrayMessage):
            self._take_array(message)
        elif isinstance(message, Accepted):
            self.stage = Stage.RUNNING
            self._busy_since = None
        elif isinstance(message, Progress):
            self._events.append(told.Progress(message.stage, message.fraction))
        elif isinstance(message, Done):
            self._done(message)
        elif isinstance(message, Cancelled):
            if self._cancelled_at is not None:
                self._end(told.Cancelled())
            else:
                self.fail(RunError("The server dropped the job.", "Start it again."), True)
        elif isinstance(message, Error):
            self._refused(message, now)

    def _stored(self, message: Stored) -> None:
        if self.stage is not Stage.SENDING:
            return
        for upload in self._uploads:
            if upload.digest == message.digest:
                upload.stored(message.received)
                self._events.append(told.Progress("send", upload.fraction))

    def _take_array(self, message: ArrayMessage) -> None:
        mark = (message.index, message.VERB)
        if message.index < self.received or mark in self._arrived:
            return  # it came twice
        self._manifest.add(message)
        whole = self._whole(message) if isinstance(message, PatchMessage) else message.array
        if whole is None:
            return  # more of it is to come
        self._arrived.add(mark)
        self._gathered.pop(mark, None)
        if isinstance(message, Frame):
            self._frames += 1
            self._events.append(told.Frame(message.index, whole))
        elif isinstance(message, Edge):
            self._events.append(told.Edge(message.index, whole))
        elif isinstance(message, Motion):
            self._events.append(told.Motion(message.index, whole))
        elif isinstance(message, Weights):
            self._events.append(told.Weights(whole))

    def _whole(self, message: PatchMessage) -> NDArray[Any] | None:
        """Return the array that a message holds a part of, once all of its parts are there."""
        neutral = self._neutral
        if neutral is None:
            raise ProtocolError("Frames came for a job that has none.", "Try again.")
        height, width = neutral.shape[:2]
        ground = neutral if isinstance(message, Frame) else None
        gathering = self._gathered.setdefault(
            (message.index, message.VERB), Gathering((height, width), ground)
        )
        return gathering.add(message.array, message.top, message.left, message.bands)

    def _done(self, message: Done) -> None:
        if message.manifest != self._manifest.digest() or message.frames != self._frames:
            self.fail(RunError("What arrived is not what the server sent.", "Try again."), True)
            return
        try:
            result = json.loads(bytes(message.payload))
        except ValueError:
            self.fail(RunError("The server's result cannot be read.", "Try again."), True)
            return
        if self.received + 1 < message.frames:
            # Frames that still wait to be taken are credited no more: the server may forget them.
            self._outgoing.clear()
        self._outgoing.append(Credit(self.key, message.frames, self.window))
        self._end(told.Done({**result, "manifest": message.manifest.hex()}))

    def _refused(self, message: Error, now: float) -> None:
        patient = self._busy_since is None or now - self._busy_since < BUSY_PATIENCE_SECONDS
        if self._cancelled_at is not None:
            self._end(told.Cancelled())
        elif message.code == Code.BUSY and patient:
            self._busy_since = self._busy_since or now
            self._submit_at = now + max(0.1, message.retry_after_seconds)
            self.stage = Stage.SENDING
            self._events.append(told.Progress("wait for the server", 0.0))
        elif message.code == Code.MISSING_FILE and self._uploads_redone < 3:
            self._uploads_redone += 1
            self.stage = Stage.SENDING
            for upload in self._uploads:
                upload.ask_again()
        else:
            error = as_our_error(message.code, message.what, message.remedy)
            self.fail(error, message.retryable)

    def fail(self, error: MicrofaceError, retryable: bool = False) -> None:
        """End the job with an error."""
        if self.stage is not Stage.ENDED:
            self._end(told.Failed(error, retryable))

    def _end(self, last: told.Event) -> None:
        if self.stage is not Stage.ENDED:
            self.stage = Stage.ENDED
            self._events.append(last)

    # What the program takes

    def take_events(self) -> list[told.Event]:
        """Return what happened since the last call; frames taken are credited to the server."""
        taken = list(self._events)
        self._events.clear()
        for event in taken:
            if isinstance(event, (told.Frame, told.Edge, told.Motion)):
                self._taken.add((event.index, type(event).__name__.upper()))
        before = self.received
        while all((self.received, verb) in self._taken for verb in PER_FRAME):
            for verb in PER_FRAME:
                self._taken.discard((self.received, verb))
                self._arrived.discard((self.received, verb))
            self.received += 1
        if self.received > before and self.stage is Stage.RUNNING:
            self._outgoing.append(Credit(self.key, self.received, self.window))
        return taken
