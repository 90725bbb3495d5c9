"""Child processes that never outlive their parent.

A child gets its settings as one line of JSON on its standard input, which then stays open: its end
tells the child that the parent is gone or wants it to stop. On Linux the kernel is asked to send a
signal as well, and everywhere the child looks whether its parent is still the same.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from ..errors import RunError

_PR_SET_PDEATHSIG = 1


def start_child(
    module: str, settings: dict[str, Any], stdout: int | IO[Any], stderr: int | IO[Any] | None
) -> subprocess.Popen[bytes]:
    """Start `module` (dotted, below the package) as a child; its `child_main` is called.

    Raises RunError when no process can be started.
    """
    # Only a thread that lasts as long as its process may be the parent for the kernel's signal:
    # it is sent when the thread that started the child ends.
    lasting = threading.current_thread() is threading.main_thread()
    settings = {**settings, "parent": os.getpid(), "kernel_signal": lasting}
    paths = [str(Path(path).absolute()) for path in sys.path if path]
    command = [python(), "-I", str(Path(__file__).with_name("bootstrap.py")), module]
    try:
        child = subprocess.Popen(
            [*command, json.dumps(paths)], stdin=subprocess.PIPE, stdout=stdout, stderr=stderr
        )
    except OSError as fault:
        raise RunError(
            f"No process can be started with {command[0]} ({fault.strerror}).",
            "See that the system has room for another process.",
        ) from fault
    assert child.stdin is not None
    with contextlib.suppress(OSError):  # a child that is dead already shows by its exit status
        child.stdin.write(json.dumps(settings).encode() + b"\n")
        child.stdin.flush()
    return child


def python() -> str:
    """Return this Python's executable, also where `sys.executable` is the program it lives in."""
    if Path(sys.executable).name.lower().startswith("python"):
        return sys.executable
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    for name in (f"bin/python{version}", "bin/python3", "python.exe", "bin/python.exe"):
        candidate = Path(sys.prefix) / name
        if candidate.exists():
            return str(candidate)
    raise RunError(
        f"No Python was found beside {sys.prefix}.", "Start `microface serve` and name its address."
    )


def read_settings() -> dict[str, Any]:
    """Return the settings that the parent sent; the first thing a child does."""
    line = sys.stdin.buffer.readline()
    if not line:
        sys.exit(1)
    settings: dict[str, Any] = json.loads(line)
    return settings


def end_with_parent(
    settings: dict[str, Any],
    on_end: Callable[[], None],
    kernel_signal: signal.Signals = signal.SIGTERM,
    grace_seconds: float = 3.0,
) -> None:
    """Call `on_end` from a thread when the parent is gone or closes this process's input.

    A process that is still there `grace_seconds` later is ended at once.
    """
    if settings["kernel_signal"] and sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(kernel_signal), 0, 0, 0)
    ended = threading.Event()

    def wait_for_input_to_end() -> None:
        while os.read(0, 4096):
            pass
        ended.set()

    def watch() -> None:
        while not ended.wait(0.25) and os.getppid() == settings["parent"]:
            pass
        # In a thread of its own, because the end must come even where this never returns.
        threading.Thread(target=on_end, daemon=True).start()
        time.sleep(grace_seconds)
        os._exit(1)

    threading.Thread(target=wait_for_input_to_end, daemon=True).start()
    threading.Thread(target=watch, daemon=True).start()


def end_child(child: subprocess.Popen[bytes], grace_seconds: float) -> None:
    """End a child: close its input, then kill it when it is still there after the grace."""
    for stream in (child.stdin, child.stdout):
        if stream is not None:
            with contextlib.suppress(OSError):
                stream.close()
    try:
        child.wait(grace_seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
