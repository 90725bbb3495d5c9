"""A server that belongs to this process: started on loopback, gone when this process is."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import threading
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ..errors import InputError, MicrofaceError, RunError
from .children import end_child, end_with_parent, read_settings, start_child
from .folders import new_folder


class EmbeddedServer:
    """A server in a child process, on a port of this machine that is free.

    `weights` is a folder with other weights than those that ship, `threads` the number of threads
    the engine may use (0: as many as it likes). Use it as a context, or call `start` and `stop`.
    When this process dies, however it dies, the server ends by itself.
    """

    def __init__(
        self,
        weights: Path | str | None = None,
        threads: int = 0,
        *,
        engine: str | None = None,
        start_seconds: float = 200.0,
    ) -> None:
        self._settings: dict[str, Any] = {
            "weights": str(weights) if weights is not None else None,
            "threads": threads,
            "engine": engine,
        }
        self._start_seconds = start_seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        self._said: dict[str, Any] | None = None
        self.address = ""

    def start(self) -> str:
        """Start the server and return its address once it is ready.

        Raises InputError or RunError when it cannot start (weights that are not there, missing
        packages, no answer in time).
        """
        try:
            self.begin()
            self._reader.join(self._start_seconds)
            return self._outcome()
        except BaseException:  # an interrupt too: nothing else would stop what was begun
            self.stop()
            raise

    def begin(self) -> None:
        """Start the server without waiting for it; `poll` tells when it is ready."""
        if self._child is not None:
            return
        if not Path(__file__).with_name("worker.py").exists():
            raise InputError(
                "This build of Microface carries no server of its own.",
                "Name the address of a server (see `microface serve`), or install the full build.",
            )
        self._folder = new_folder()
        settings = {**self._settings, "folder": str(self._folder)}
        with self._log.open("wb") as log:
            self._child = start_child("server.embedded", settings, subprocess.PIPE, log)
        # The pipe is read by a thread, because Windows cannot wait on one with a time limit.
        self._reader = threading.Thread(target=self._read, args=(self._child,), daemon=True)
        self._reader.start()

    def poll(self) -> str | None:
        """Return the address when the server is ready, None while it starts; never blocks.

        Raises as `start` does.
        """
        if self._child is None or self._reader.is_alive():
            return None
        try:
            return self._outcome()
        except MicrofaceError:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server and everything it started; do nothing when it does not run."""
        child, self._child = self._child, None
        if child is not None:
            if child.stdin is not None:
                child.stdin.close()
            try:
                child.wait(8.0)
            except subprocess.TimeoutExpired:
                child.kill()
            self._reader.join()
            end_child(child, 2.0)
        folder, self._folder = self._folder, None
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        self._said = None
        self.address = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def process_id(self) -> int | None:
        """The server's process id while it runs."""
        return self._child.pid if self._child is not None else None

    @property
    def _log(self) -> Path:
        assert self._folder is not None
        return self._folder / "server.log"

    def _read(self, child: subprocess.Popen[bytes]) -> None:
        assert child.stdout is not None
        line = child.stdout.readline()
        if line:
            self._said = json.loads(line)

    def _outcome(self) -> str:
        said = self._said
        if said is None:
            lines = self._log.read_text(encoding="utf-8", errors="replace").split("\n")
            last = next((line for line in reversed(lines) if line.strip()), "it said nothing")
            raise RunError(
                f"The embedded server did not start: {last.strip()}.",
                "Start `microface serve` in a terminal to see more.",
            )
        if "what" in said:
            error = InputError if said["exit_status"] == InputError.exit_status else RunError
            raise error(said["what"], said["remedy"])
        self.address = str(said["address"])
        return self.address


def child_main() -> None:
    """What the embedded server's process does."""
    settings = read_settings()
    # What a library prints must not pass for what this process has to tell its parent.
    parent = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    from .front import Front, FrontSettings
    from .stopping import Stop
    from .supervisor import WorkerSettings

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    stop = Stop()
    signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    end_with_parent(settings, stop.set)
    worker = asdict(WorkerSettings())
    worker |= {key: settings[key] for key in ("weights", "threads")}
    if settings["engine"]:
        worker["engine"] = settings["engine"]
    try:
        front = Front(
            FrontSettings(
                folder=Path(settings["folder"]),
                worker=WorkerSettings(**worker),
                drain_seconds=0.0,
            ),
            stop,
            "embedded",
        )
        front.run(lambda address: print(json.dumps({"address": address}), file=parent, flush=True))
    except MicrofaceError as error:
        told = {"what": error.what, "remedy": error.remedy, "exit_status": error.exit_status}
        print(json.dumps(told), file=parent, flush=True)
