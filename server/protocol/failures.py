"""The typed errors of the protocol and the errors of ours that they become at the client."""

from __future__ import annotations

from enum import StrEnum

from ...errors import InputError, MicrofaceError, RunError


class Code(StrEnum):
    """What kind of error an ERROR message tells of."""

    INPUT = "input"  # the request or its files cannot be used as they are
    ENGINE = "engine"  # the work itself failed
    PROTOCOL = "protocol"  # a message broke the rules
    VERSION = "version"  # the other side speaks another version
    TOO_LARGE = "too-large"
    BUSY = "busy"  # the queue is full; try again after `retry_after_seconds`
    NO_HELLO = "no-hello"  # this connection is not known (any more); greet again
    UNKNOWN_JOB = "unknown-job"
    MISSING_FILE = "missing-file"  # a request names content that is not on the server
    WORKER_LOST = "worker-lost"  # the worker process crashed, hung or was killed
    STOPPING = "stopping"  # the server is shutting down
    SILENT = "silent"  # found by the client itself: the server does not answer


#: Codes that say the sender should change its input.
INPUT_CODES = frozenset({Code.INPUT, Code.TOO_LARGE, Code.VERSION})

#: Codes after which the same request may well succeed.
RETRYABLE_CODES = frozenset(
    {Code.BUSY, Code.NO_HELLO, Code.MISSING_FILE, Code.WORKER_LOST, Code.STOPPING, Code.SILENT}
)


class ProtocolError(Exception):
    """A message that breaks the rules; `code` says which kind, `what` and `remedy` how."""

    def __init__(
        self,
        what: str,
        remedy: str = "Use the same version on both sides.",
        code: Code = Code.PROTOCOL,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy
        self.code = code


def as_our_error(code: str, what: str, remedy: str) -> MicrofaceError:
    """Return the error that people see for an ERROR message's content."""
    if code in INPUT_CODES:
        return InputError(what, remedy)
    return RunError(what, remedy)
