"""Content that clients sent, as files named by their SHA-256 in a folder of limited size."""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .protocol.failures import Code, ProtocolError
from .protocol.limits import ServerLimits
from .protocol.messages import Payload


@dataclass
class _Part:
    """Content that is still arriving."""

    total: int
    received: int = 0
    hash: Any = field(default_factory=hashlib.sha256)


class BlobFolder:
    """A folder of content; the least recently used is dropped when room is needed.

    Content arrives in order, in pieces, from any connection; a piece that is there already is
    absorbed. What does not hash to its name is thrown away.
    """

    def __init__(self, folder: Path, limits: ServerLimits) -> None:
        self.folder = folder
        self.limits = limits
        self._parts: OrderedDict[bytes, _Part] = OrderedDict()
        self._whole: OrderedDict[bytes, int] = OrderedDict()
        self._held: Counter[bytes] = Counter()

    def path(self, digest: bytes) -> Path:
        """Return where complete content lies."""
        return self.folder / digest.hex()

    def put(self, digest: bytes, total: int, offset: int, piece: Payload) -> int:
        """Take a piece and return how many leading bytes are there; ProtocolError on refusal."""
        if digest in self._whole:
            self._whole.move_to_end(digest)
            return self._whole[digest]
        part = self._parts.get(digest)
        if part is None:
            part = self._begin(digest, total)
        if part.total != total:
            raise ProtocolError("The same content was announced with two lengths.")
        self._parts.move_to_end(digest)
        if offset != part.received:
            return part.received
        if offset + len(piece) > total:
            raise ProtocolError("A piece reaches beyond the end of its content.")
        if piece:
            self._append(digest, part, piece)
        if part.received == total:
            self._finish(digest, part)
        return part.received

    def hold(self, digest: bytes) -> int | None:
        """Keep complete content from being dropped; return its size, None when it is not there."""
        if digest not in self._whole:
            return None
        self._held[digest] += 1
        self._whole.move_to_end(digest)
        return self._whole[digest]

    def release(self, digest: bytes) -> None:
        """Undo one `hold`."""
        self._held[digest] -= 1
        if self._held[digest] <= 0:
            del self._held[digest]

    def _begin(self, digest: bytes, total: int) -> _Part:
        if total > self.limits.blob_bytes:
            raise ProtocolError(
                f"A file of {total / 1e6:.0f} MB is over the server's limit of "
                f"{self.limits.blob_bytes / 1e6:.0f} MB.",
                "Cut the clip to the expression or scale it down.",
                Code.TOO_LARGE,
            )
        while len(self._parts) >= self.limits.open_uploads:
            self._forget(next(iter(self._parts)))
        self._make_room(total)
        part = _Part(total)
        self._parts[digest] = part
        with self._disk():
            self._part_path(digest).write_bytes(b"")
        return part

    def _append(self, digest: bytes, part: _Part, piece: Payload) -> None:
        try:
            with self._disk(), self._part_path(digest).open("ab") as file:
                file.write(piece)
        except ProtocolError:
            self._forget(digest)  # a part of the piece may be written
            raise
        part.hash.update(piece)
        part.received += len(piece)

    def _finish(self, digest: bytes, part: _Part) -> None:
        if part.hash.digest() != digest:
            self._forget(digest)
            raise ProtocolError(
                "Content does not match its name; it changed while it was sent.", "Send it again.",
                Code.INPUT,
            )  # fmt: skip
        with self._disk():
            self._part_path(digest).replace(self.path(digest))
        del self._parts[digest]
        self._whole[digest] = part.total

    def _make_room(self, total: int) -> None:
        used = sum(self._whole.values()) + sum(part.total for part in self._parts.values())
        for digest in [digest for digest in self._whole if digest not in self._held]:
            if used + total <= self.limits.store_bytes:
                return
            used -= self._whole.pop(digest)
            self.path(digest).unlink(missing_ok=True)
        while used + total > self.limits.store_bytes and self._parts:
            oldest = next(iter(self._parts))
            used -= self._parts[oldest].total
            self._forget(oldest)
        if used + total > self.limits.store_bytes:
            raise ProtocolError("The server's store is full.", "Try again later.", Code.BUSY)

    def _forget(self, digest: bytes) -> None:
        del self._parts[digest]
        self._part_path(digest).unlink(missing_ok=True)

    def _part_path(self, digest: bytes) -> Path:
        return self.folder / f"{digest.hex()}.part"

    @contextlib.contextmanager
    def _disk(self) -> Any:
        try:
            yield
        except OSError as fault:
            raise ProtocolError(
                f"The server cannot store the file ({fault.strerror}).",
                "Make room in its folder for temporary files, or try again later.",
                Code.BUSY,
            ) from fault
