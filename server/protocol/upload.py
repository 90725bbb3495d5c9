"""The client's side of sending one content, named by its SHA-256, as a state machine."""

from __future__ import annotations

import hashlib

from .content import Content
from .limits import PIECE_BYTES


class Upload:
    """Sends one content: hashes it, asks what the server has, sends the rest.

    Each call does a bounded amount of work (one piece), so that a caller with a time budget can
    stop in between.
    """

    #: Pieces on the way at most.
    IN_FLIGHT = 16

    def __init__(self, content: Content, digest: bytes | None = None) -> None:
        self.content = content
        self.digest = digest
        self._hash = hashlib.sha256()
        self._hashed = 0
        self._asked = False
        self.acknowledged: int | None = None
        self._sent = 0

    @property
    def done(self) -> bool:
        """Whether all of it is on the server."""
        return self.acknowledged == self.content.size

    @property
    def fraction(self) -> float:
        """How much of it is on the server, 0 to 1."""
        if self.content.size == 0:
            return 1.0
        return (self.acknowledged or 0) / self.content.size

    def hash_step(self) -> None:
        """Hash one piece."""
        piece = self.content.read(self._hashed, PIECE_BYTES)
        self._hash.update(piece)
        self._hashed += len(piece)
        if self._hashed >= self.content.size:
            self.digest = self._hash.digest()

    def next_piece(self) -> tuple[int, bytes] | None:
        """Return the next (offset, bytes) to PUT, or None when there is nothing to do now."""
        if self.done:
            return None
        if not self._asked:
            self._asked = True
            return 0, b""
        if self.acknowledged is None or self._sent >= self.content.size:
            return None
        if self._sent - self.acknowledged >= self.IN_FLIGHT * PIECE_BYTES:
            return None
        piece = self.content.read(self._sent, PIECE_BYTES)
        offset = self._sent
        self._sent += len(piece)
        return offset, piece

    def stored(self, received: int) -> None:
        """Take in that the server has the first `received` bytes."""
        if self.acknowledged is None or received >= self._sent:
            self._sent = received
        self.acknowledged = max(received, self.acknowledged or 0)

    def ask_again(self) -> None:
        """Start over with the question, on a new connection."""
        self._asked = False
        self.acknowledged = None
        self._sent = 0
