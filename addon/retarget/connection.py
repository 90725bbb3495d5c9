"""A client of a server: one that is given, or an embedded one that is ours to stop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ...server.client import Client
from ...server.embedded import EmbeddedServer
from .online import allow


@contextmanager
def connect(server: str | Client | None) -> Iterator[Client]:
    """Give a client for an address, for a client that is open already, or for an embedded server.

    What was opened or started here is closed and stopped at the end.
    """
    if isinstance(server, Client):
        yield server
        return
    if server:
        allow(server)
        with Client(server) as client:
            yield client
        return
    with EmbeddedServer() as embedded, Client(embedded.address) as client:
        yield client


class Link:
    """A connection that is made without waiting, for a window that must stay alive.

    `poll` until it gives a client. An embedded server keeps running between a generation and its
    bakes; `close` ends it.
    """

    def __init__(self, server: str) -> None:
        self.server = server
        self._embedded: EmbeddedServer | None = None
        self._client: Client | None = None

    def poll(self) -> Client | None:
        """Return the client, or None while the embedded server starts. Raises as `connect`."""
        if self._client is not None:
            return self._client
        if self.server:
            allow(self.server)
            self._client = Client(self.server)
            return self._client
        if self._embedded is None:
            self._embedded = EmbeddedServer()
            self._embedded.begin()
        address = self._embedded.poll()
        if address is not None:
            self._client = Client(address)
        return self._client

    def wait(self) -> Client:
        """Return the client, waiting for the embedded server if it must."""
        client = self.poll()
        if client is None:
            assert self._embedded is not None
            client = self._client = Client(self._embedded.start())
        return client

    def close(self) -> None:
        """Close the client and stop the embedded server; may be called twice."""
        client, self._client = self._client, None
        embedded, self._embedded = self._embedded, None
        if client is not None:
            client.close()
        if embedded is not None:
            embedded.stop()
