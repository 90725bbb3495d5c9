"""Keeps one worker process running: starts it, watches it, ends it, starts it anew."""

from __future__ import annotations

import logging
import secrets
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ..errors import MicrofaceError, RunError
from .children import end_child, start_child

log = logging.getLogger("microface.server")

#: The engine that ships.
ENGINE = "server.retarget_engine:make_engine"

LAST_WORDS_SECONDS = 0.15


@dataclass(frozen=True)
class WorkerSettings:
    """How to start the worker, and how long it may be silent or busy with one step."""

    engine: str = ENGINE
    weights: str | None = None
    threads: int = 0
    silent_seconds: float = 5.0
    step_seconds: float = 120.0
    warm_seconds: float = 180.0
    failed_starts: int = 3


class Supervisor:
    """One worker at a time. `check` finds out what became of it, from beats and exit status."""

    def __init__(self, settings: WorkerSettings, address: str, folder: Path) -> None:
        self.settings = settings
        self.address = address
        self.folder = folder
        self.token = b""
        self.ready = False
        self.failure: MicrofaceError | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._heard_at = 0.0
        self._started_at = 0.0
        self._start_at = 0.0
        self._failed_starts = 0
        self._busy_seconds = 0.0
        self._exited_at: float | None = None

    def start(self, now: float) -> None:
        """Start a worker, unless it is too early to try again."""
        if self._child is not None or now < self._start_at:
            return
        self.token = secrets.token_bytes(32)
        self.ready = False
        try:
            self._child = self._start_child()
        except RunError as fault:  # the system may have room again a little later
            self._lost(str(fault), now)
            return
        self._exited_at = None
        self._started_at = self._heard_at = now
        self._busy_seconds = 0.0
        log.info("worker %d starts", self._child.pid)

    def _start_child(self) -> subprocess.Popen[bytes]:
        settings = self.settings
        return start_child(
            "server.worker",
            {
                "address": self.address,
                "token": self.token.hex(),
                "folder": str(self.folder),
                "engine": settings.engine,
                "weights": settings.weights,
                "threads": settings.threads,
            },
            stdout=sys.stderr,
            stderr=None,
        )

    def is_worker(self, name: bytes) -> bool:
        """Whether a message came from the present worker; only it knows the token."""
        return secrets.compare_digest(name[:32], self.token)

    def heard(self, now: float) -> None:
        """Take in that the worker sent something."""
        self._heard_at = now

    def beat(self, busy_seconds: float, now: float) -> None:
        """Take in that the worker is alive and how long its present step has taken."""
        self._heard_at = now
        self._busy_seconds = busy_seconds

    def warmed(self) -> None:
        """Take in that the worker is ready."""
        self.ready = True
        self._failed_starts = 0
        self.failure = None

    def check(self, now: float) -> str | None:
        """Return what is wrong with the worker, having ended it, or None."""
        if self._child is None:
            return None
        settings = self.settings
        status = self._child.poll()
        why = None
        if status is not None:
            # Its last words may still be on their way, and say more than its exit status.
            self._exited_at = self._exited_at or now
            if now - self._exited_at < LAST_WORDS_SECONDS:
                return None
            why = f"The server's worker process ended unexpectedly (status {status})."
        elif self.ready and now - self._heard_at > settings.silent_seconds:
            why = "The server's worker process stopped answering and was ended."
        elif self.ready and self._busy_seconds > settings.step_seconds:
            why = "The server's worker process was stuck and was ended."
        elif not self.ready and now - self._started_at > settings.warm_seconds:
            why = "The server's worker process did not get ready and was ended."
        if why is not None:
            self._lost(why, now)
        return why

    def stop(self) -> None:
        """End the worker."""
        if self._child is not None:
            self._child.kill()
            end_child(self._child, 0)
            self._child = None
        self.ready = False

    def _lost(self, why: str, now: float) -> None:
        log.error("%s", why)
        if not self.ready:
            self._failed_starts += 1
            if self._failed_starts >= self.settings.failed_starts and self.failure is None:
                self.failure = RunError(why, "See the lines above for the reason.")
        self.stop()
        self._start_at = now + min(32.0, 0.1 * 4.0**self._failed_starts)
