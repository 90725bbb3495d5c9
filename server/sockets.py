"""The server's two sockets: how they are opened, and at which addresses."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import zmq

from ..errors import InputError, RunError
from .protocol.limits import MAX_REPLY_PART_BYTES, MAX_REQUEST_PART_BYTES

#: Files and connections that the server needs open beside its clients'.
SPARE_DESCRIPTORS = 256


def allow_connections(count: int) -> None:
    """Let this process hold so many connections open, as far as the system's hard limit allows.

    The usual soft limit of 1024 descriptors is less than the clients that may come.
    """
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + SPARE_DESCRIPTORS
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):  # a system with a lower limit of its own
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def open_clients(context: zmq.Context[zmq.Socket[bytes]], bind: str) -> zmq.Socket[bytes]:
    """Return the socket that clients connect to; raises InputError where it cannot listen."""
    socket: zmq.Socket[bytes] | None = None
    try:
        socket = context.socket(zmq.ROUTER)
        for option, value in (
            (zmq.ROUTER_MANDATORY, 1),  # or messages to a full or absent peer vanish
            (zmq.LINGER, 0),
            (zmq.MAXMSGSIZE, MAX_REQUEST_PART_BYTES),
            (zmq.RCVHWM, 64),
            (zmq.SNDHWM, 256),
            (zmq.HANDSHAKE_IVL, 3000),
            (zmq.HEARTBEAT_IVL, 2000),
            (zmq.HEARTBEAT_TIMEOUT, 6000),
            (zmq.HEARTBEAT_TTL, 8000),
            (zmq.TCP_KEEPALIVE, 1),
        ):
            socket.setsockopt(option, value)
        # With a domain, peers of ZMTP 1 and 2 are refused; without, any bytes that are not a
        # greeting pass for ZMTP 1, and their connections stay open for ever.
        socket.setsockopt(zmq.ZAP_DOMAIN, b"microface")
        socket.bind(bind)
    except zmq.ZMQError as fault:
        if socket is not None:
            socket.close(linger=0)
        raise InputError(
            f"The server cannot listen at {bind} ({fault.strerror}).",
            "Give a --bind address with a port that is free.",
        ) from fault
    return socket


def open_workers(context: zmq.Context[zmq.Socket[bytes]], folder: Path) -> zmq.Socket[bytes]:
    """Return the socket that the worker connects to; raises RunError where there can be none.

    It lies in `folder`, which only this user can enter, where the system has such sockets.
    """
    path = f"{folder}/worker"
    private = sys.platform != "win32" and len(path) < 100
    try:
        socket = context.socket(zmq.ROUTER)
        socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.MAXMSGSIZE, MAX_REPLY_PART_BYTES)
        socket.bind(f"ipc://{path}" if private else "tcp://127.0.0.1:*")
    except zmq.ZMQError as fault:
        raise RunError(
            f"The server cannot talk to a worker ({fault.strerror}).",
            "See that the folder for temporary files can be written to.",
        ) from fault
    return socket


def check_loopback(bind: str) -> None:
    """Raise InputError for an address that other machines could reach, or that is none."""
    scheme, _, rest = bind.partition("://")
    host, _, port = rest.rpartition(":")
    if scheme != "tcp" or not (port == "*" or (port.isdecimal() and int(port) < 65536)):
        raise InputError(
            f"{bind} is not an address to listen at.", "Give one like tcp://127.0.0.1:5599."
        )
    parts = host.split(".")
    numeric = len(parts) == 4 and all(part.isdecimal() and int(part) < 256 for part in parts)
    if not (host == "localhost" or (numeric and parts[0] == "127")):
        raise InputError(
            f"The server listens on this machine alone, and {bind} is open to others.",
            "Bind it to tcp://127.0.0.1:PORT.",
        )


def endpoint(socket: zmq.Socket[bytes]) -> str:
    """Return the address that a socket is bound to, its port chosen."""
    return socket.getsockopt_string(zmq.LAST_ENDPOINT).rstrip("\0")
