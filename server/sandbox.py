"""Decode source clips in a process of its own, which can be killed and has its limits set.

A clip is somebody else's file; the libraries that decode it are large and written in C. The
process (`decoder`) reads it, writes the pictures into a folder as one raw file and ends. Memory and
processor time are limited by the system where it can (POSIX), the time on the clock everywhere.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError, MicrofaceError, RunError
from .children import end_child, start_child
from .clips.clip import Clip
from .clips.limits import Limits
from .folders import new_folder

#: How the folder is called that a clip is decoded into.
CLIP_PREFIX = "microface-clip-"


@dataclass(frozen=True)
class SandboxLimits:
    """What decoding one clip may take."""

    clip: Limits = field(default_factory=Limits)
    memory_bytes: int = 6 << 30
    processor_seconds: int = 120
    seconds: float = 120.0


class Decoding:
    """A clip that is being decoded; `poll` until it is done, then take `clip`.

    `kind` is "video" (a file), "frames" (a folder), "bundle" (a folder as it travels), "builtin"
    (the clip of that name, made on the spot) or "picture" (a clip of one frame). `name` is what
    errors call it, `into` the folder to write below. `close` ends it and removes what
    it wrote.
    """

    def __init__(
        self,
        path: Path,
        fps: Fraction | None,
        limits: SandboxLimits | None = None,
        *,
        kind: str | None = None,
        name: str | None = None,
        into: Path | None = None,
    ) -> None:
        self.name = name or path.name
        self.limits = limits or SandboxLimits()
        if into is None:
            self._folder = new_folder(CLIP_PREFIX)
        else:
            self._folder = Path(tempfile.mkdtemp(prefix=CLIP_PREFIX, dir=into))
        settings = {
            "path": str(path.absolute()),
            "kind": kind or ("frames" if path.is_dir() else "video"),
            "name": self.name,
            "fps": str(fps) if fps is not None else None,
            "folder": str(self._folder),
            "limits": asdict(self.limits),
        }
        self._started = time.monotonic()
        try:
            self._child = start_child(
                "server.decoder", settings, subprocess.DEVNULL, subprocess.DEVNULL
            )
        except RunError:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    def poll(self) -> bool:
        """Whether decoding has ended, well or not; ends it when its time is up."""
        if self._child.poll() is not None:
            end_child(self._child, 0)
            return True
        if time.monotonic() - self._started > self.limits.seconds:
            end_child(self._child, 0)
            return True
        return False

    def clip(self) -> Clip:
        """Return the clip, its pictures mapped from the file they were written to.

        The file lives until `close`. Raises what decoding raised, or InputError where its process
        was stopped for taking too much.
        """
        report = self._folder / "report.json"
        if not report.exists():
            raise self._stopped()
        told: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        if "what" in told:
            error = InputError if told["exit_status"] == InputError.exit_status else RunError
            raise error(told["what"], told["remedy"])
        shape = tuple(told["shape"])
        frames = list(np.memmap(self._folder / "frames.raw", np.uint8, "r", shape=shape))
        truth = {}
        if told["truth"]:
            curves = np.load(self._folder / "truth.npy", allow_pickle=False)
            truth = dict(zip(told["truth"], curves, strict=True))
        times = np.asarray(told["times"], dtype=np.float64)
        return Clip(
            frames,
            times,
            Fraction(told["fps"]),
            told["name"],
            told["sha256"],
            truth,
            tuple(told["notes"]),
        )

    def progress(self) -> float | None:
        """Return how much is decoded, 0..1, or None while that is not known."""
        try:
            told = json.loads((self._folder / "header.json").read_text(encoding="utf-8"))
            written = (self._folder / "frames.raw").stat().st_size
        except (OSError, ValueError):  # not begun, or being written at this moment
            return None
        return min(1.0, written / told["bytes"]) if told["bytes"] else None

    def close(self) -> None:
        """End the process and remove what it wrote."""
        if self._child.poll() is None:
            self._child.kill()
        end_child(self._child, 0)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _stopped(self) -> MicrofaceError:
        status = self._child.returncode
        late = time.monotonic() - self._started > self.limits.seconds
        if late or status == -getattr(signal, "SIGXCPU", 0):
            why = "takes too long to decode"
        else:
            why = f"cannot be decoded; the decoder ended with status {status}"
        return InputError(f"{self.name} {why}.", "Give a shorter clip, or convert it to MP4.")


@contextlib.contextmanager
def decoded(
    path: Path,
    fps: Fraction | None,
    limits: SandboxLimits | None = None,
    tell: Callable[[float], None] | None = None,
) -> Iterator[Clip]:
    """Give a clip whose frames stay on the disk, and are removed in the end.

    For clips that are too long for the memory. `tell` hears how much is decoded, 0..1. Raises
    InputError for a clip that cannot be used.
    """
    decoding = Decoding(path, fps, limits)
    try:
        while not decoding.poll():
            if tell is not None and (share := decoding.progress()) is not None:
                tell(share)
            time.sleep(0.02)
        yield decoding.clip()
    finally:
        decoding.close()
