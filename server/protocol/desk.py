"""The server's side of the conversation as a state machine: messages in, effects out. No sockets.

A `Desk` knows its visitors (connections), its `Book` their jobs. Calls return nothing; what is to
be done collects in the book's `effects`: parts to send to a visitor, orders for the worker. Frames
that the client has not credited are kept, so that it can resume on a new connection; the credit
window bounds them.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from .book import Book
from .entries import Blobs, Parts
from .failures import Code, ProtocolError
from .limits import CHUNK_BYTES, ServerLimits
from .messages import (
    Cancel,
    Credit,
    Hello,
    Message,
    Ping,
    Pong,
    Put,
    Resume,
    Stored,
    Submit,
    Welcome,
)
from .wire import FROM_CLIENT, decode


@dataclass
class Visitor:
    """One connection that has greeted."""

    heard_at: float
    violations: int = 0
    pinged_at: float = 0.0


class Desk:
    """The server's side of all conversations."""

    def __init__(self, limits: ServerLimits, blobs: Blobs, server: str) -> None:
        self.limits = limits
        self.blobs = blobs
        self.server = server
        self.models: dict[str, str] = {}
        self.visitors: OrderedDict[bytes, Visitor] = OrderedDict()
        self.strangers: OrderedDict[bytes, int] = OrderedDict()
        self.book = Book(limits, blobs)

    def worker_ready(self, models: dict[str, str]) -> None:
        """Take in that the worker is warm, and which models it runs."""
        self.models = models
        self.book.worker_ready()

    # What clients send

    def take(self, visitor: bytes, parts: Parts, now: float) -> None:
        """Take in a message from a client, whatever it is."""
        try:
            message = decode(parts, FROM_CLIENT)
            self._answer(visitor, message, now)
        except ProtocolError as fault:
            if self._tolerates(visitor):
                self.book.refuse(visitor, None, fault.code, fault.what, fault.remedy)

    def _tolerates(self, visitor: bytes) -> bool:
        """Whether a visitor that broke the rules still gets an answer."""
        known = self.visitors.get(visitor)
        if known is not None:
            known.violations += 1
            return known.violations <= self.limits.violations
        count = self.strangers.pop(visitor, 0) + 1
        self.strangers[visitor] = count
        while len(self.strangers) > self.limits.connections:
            self.strangers.popitem(last=False)
        return count <= self.limits.violations

    def _answer(self, visitor: bytes, message: Message, now: float) -> None:
        if isinstance(message, Hello):
            self._greet(visitor, now)
            return
        known = self.visitors.get(visitor)
        if known is None:
            if self._tolerates(visitor):
                self.book.refuse(
                    visitor, None, Code.NO_HELLO, "This connection has not said HELLO.",
                    "Greet the server first.",
                )  # fmt: skip
            return
        known.heard_at = now
        self.visitors.move_to_end(visitor)
        match message:
            case Ping():
                self.book.send(visitor, Pong(message.token))
            case Put():
                self._put(visitor, message)
            case Submit():
                self.book.submit(visitor, message)
            case Credit() | Resume():
                self.book.credit(visitor, message)
            case Cancel():
                self.book.cancel(visitor, message, now)
            case _:  # a Pong: that it came is all it says
                pass

    def _greet(self, visitor: bytes, now: float) -> None:
        if visitor not in self.visitors and len(self.visitors) >= self.limits.connections:
            # The one silent longest makes room, unless it waits for a job.
            busy = {job.visitor for job in self.book.jobs.values()}
            idle = next((name for name in self.visitors if name not in busy), None)
            if idle is None:
                self.book.refuse(
                    visitor, None, Code.BUSY, "The server has no room for another client.",
                    "Try again later.",
                )  # fmt: skip
                return
            del self.visitors[idle]
        self.strangers.pop(visitor, None)
        self.visitors.setdefault(visitor, Visitor(now)).heard_at = now
        limits = self.limits
        self.book.send(
            visitor,
            Welcome(self.server, self.book.ready, CHUNK_BYTES, limits.blob_bytes, self.models),
        )

    def _put(self, visitor: bytes, put: Put) -> None:
        received = self.blobs.put(put.digest, put.total, put.offset, put.payload)
        self.book.send(visitor, Stored(put.digest, received, put.total))

    # What time and the network do

    def gone(self, visitor: bytes, now: float) -> None:
        """Take in that a visitor cannot be reached any more; its jobs wait for it a while."""
        self.visitors.pop(visitor, None)
        self.book.gone(visitor, now)

    def all_gone(self, now: float) -> None:
        """Take in that every connection was cut."""
        for visitor in list(self.visitors):
            self.gone(visitor, now)
        self.strangers.clear()

    def tick(self, now: float) -> None:
        """Do what is due: see to the book, ask silent visitors with jobs whether they are there."""
        self.book.tick(now)
        for name in {job.visitor for job in self.book.jobs.values() if job.visitor is not None}:
            visitor = self.visitors.get(name)
            if visitor and now - max(visitor.heard_at, visitor.pinged_at) > 2.0:
                visitor.pinged_at = now
                self.book.send(name, Ping(0))
