"""Decode source clips in a process of its own, which can be killed and has its limits set.

A clip is somebody else's file; the libraries that decode it are large and written in C. The
process reads it, writes the pictures into a folder as one raw file and ends. Memory and processor
time are limited by the system where it can (POSIX), the time on the clock everywhere.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, MicrofaceError, RunError
from .children import end_child, end_with_parent, read_settings, start_child
from .clips.clip import Clip
from .clips.limits import Limits
from .protocol.content import read_bundle
from .protocol.failures import ProtocolError

if TYPE_CHECKING:
    from .clips.stream import ClipStream


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
    errors call it, `into` the folder for temporary files. `close` ends it and removes what
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
        self._folder = Path(tempfile.mkdtemp(prefix="microface-clip-", dir=into))
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
                "server.sandbox", settings, subprocess.DEVNULL, subprocess.DEVNULL
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

    def wait(self) -> None:
        """Wait until decoding has ended."""
        left = self._started + self.limits.seconds - time.monotonic()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(max(0.0, left))
        self.poll()

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


def decode_in_sandbox(
    path: Path | str, fps: Fraction | None, limits: SandboxLimits | None = None
) -> Clip:
    """Return the clip in a folder of pictures or a video file, its frames (T, H, W, 3) uint8.

    As `read_clip`, in a process of its own. Raises InputError for a clip that cannot be used.
    """
    decoding = Decoding(Path(path), fps, limits)
    try:
        decoding.wait()
        clip = decoding.clip()
        frames = [np.array(frame) for frame in clip.frames]
    finally:
        decoding.close()
    return Clip(frames, clip.times, clip.fps, clip.name, clip.sha256, clip.truth, clip.notes)


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


def child_main() -> None:
    """What the sandbox's process does."""
    settings = read_settings()
    end_with_parent(settings, lambda: os._exit(1), signal.SIGKILL, 0.0)
    limits = settings["limits"]
    _limit_this_process(limits["memory_bytes"], limits["processor_seconds"])
    # Before OpenCV is imported, or it does not count: a small file can hold a huge picture.
    os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"] = str(limits["clip"]["max_pixels"])
    folder = Path(settings["folder"])
    try:
        _write(_open(settings, folder), settings["name"], folder)
    except MicrofaceError as fault:
        told = {"what": _without(fault.what, folder), "remedy": _without(fault.remedy, folder)}
        _report(folder, {**told, "exit_status": fault.exit_status})
    except ProtocolError as fault:
        _report(folder, {"what": fault.what, "remedy": fault.remedy, "exit_status": 2})
    except MemoryError:
        _report(folder, {
            "what": f"{settings['name']} takes too much memory to decode.",
            "remedy": "Scale it down or cut it to the expression.",
            "exit_status": 2,
        })  # fmt: skip


def _open(settings: dict[str, Any], folder: Path) -> Clip | ClipStream:
    from .clips.stream import ClipStream

    kind, name = settings["kind"], settings["name"]
    fps = Fraction(settings["fps"]) if settings["fps"] else None
    path = Path(settings["path"])
    if kind == "builtin":
        from .clips.builtin import builtin_clip

        return builtin_clip(name)
    if kind == "bundle":
        named = folder / "named" / name
        named.mkdir(parents=True)
        with path.open("rb") as file:
            for entry, data in read_bundle(file, path.stat().st_size):
                (named / entry).write_bytes(data)
        path = named
    elif path.name != name:  # content is stored under its digest; errors should say its name
        named = folder / "named" / name
        named.parent.mkdir()
        try:
            named.symlink_to(path)
        except OSError:
            shutil.copyfile(path, named)
        path = named
    if kind == "picture":
        return _picture(path)
    return ClipStream(path, fps, Limits(**settings["limits"]["clip"]))


def _picture(path: Path) -> Clip:
    from .clips.images import read_picture

    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Clip([read_picture(path)], np.zeros(1), Fraction(1), path.name, digest)


def _write(clip: Clip | ClipStream, name: str, folder: Path) -> None:
    """Write a clip's frames as they come: a long one takes no more memory than a short one."""
    truth: Mapping[str, NDArray[np.float32]] = {}
    if isinstance(clip, Clip):
        pictures, expected, truth = iter(clip.frames), len(clip), clip.truth
    else:
        pictures, expected = iter(clip), clip.expected or 0
    shape: list[int] = []
    count = 0
    with (folder / "frames.raw").open("wb") as file:
        for frame in pictures:
            if not shape:
                shape = [*frame.shape]
                told = {"bytes": expected * frame.nbytes}
                (folder / "header.json").write_text(json.dumps(told), encoding="utf-8")
            file.write(np.ascontiguousarray(frame, dtype=np.uint8).data)
            count += 1
    if truth:
        np.save(folder / "truth.npy", np.stack(list(truth.values())), allow_pickle=False)
    times = [float(seconds) for seconds in clip.times]
    result = {
        "name": clip.name,
        "notes": list(clip.notes),
        "shape": [count, *shape],
        "fps": str(clip.fps),
        "sha256": clip.sha256,
        "times": times,
    }
    _report(folder, {**result, "truth": list(truth)})


def _report(folder: Path, told: dict[str, Any]) -> None:
    aside = folder / "report.aside"
    aside.write_text(json.dumps(told), encoding="utf-8")
    aside.replace(folder / "report.json")


def _without(text: str, folder: Path) -> str:
    return text.replace(f"{folder / 'named'}{os.sep}", "")


def _limit_this_process(memory_bytes: int, processor_seconds: int) -> None:
    if sys.platform == "win32":
        return
    import resource

    for what, most in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, processor_seconds),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        if hard != resource.RLIM_INFINITY:
            most = min(most, hard)
        with contextlib.suppress(ValueError, OSError):  # a system that knows no such limit
            resource.setrlimit(what, (most, hard))
