"""One hash over everything a job sent, made by both sides and compared at the end."""

from __future__ import annotations

import hashlib

from .messages import ArrayMessage, PatchMessage


class Manifest:
    """Collects (verb, index, length, CRC-32) of each array, or band of one; the order of arrival
    does not matter, and what arrives twice counts once."""

    def __init__(self) -> None:
        self._entries: dict[tuple[int, str, int], tuple[int, int]] = {}

    def add(self, message: ArrayMessage) -> None:
        """Take one array in, its checksum known."""
        if message.checksum is None:
            raise ValueError("the array's checksum is not known")
        top = message.top if isinstance(message, PatchMessage) else 0
        entry = message.array.nbytes, message.checksum
        self._entries[message.index, message.VERB, top] = entry

    def digest(self) -> bytes:
        """Return the SHA-256 over all entries in order of index, verb and first row."""
        total = hashlib.sha256()
        for (index, verb, _top), (length, checksum) in sorted(self._entries.items()):
            total.update(f"{index} {verb} {length} {checksum:08x}\n".encode())
        return total.digest()
