"""Long work in a second Blender, so that the window stays alive.

Blender renders, and reads and writes a character's state, on its main thread alone. So a copy of
the open file is saved to a temporary folder, and this same Blender is started without a window to
work on it. The window polls for the outcome. Where there is no window (or no Blender program, as
in the `bpy` module) work is done on the spot.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import bpy

from ...errors import InputError, RunError
from ...server.folders import new_folder
from ..quiet import reason
from .parcel import read_json, write_json

#: The module that the second Blender runs.
WORKER = f"{__package__}.aside_worker"
#: What Blender says when it ends, whatever the reason.
_FAREWELL = ("Blender quit", "Error: script failed")
JOB, PROGRESS, OUTCOME, COPY = "job.json", "progress.json", "outcome.json", "copy.blend"


@dataclass
class Aside:
    """Work under way in a second Blender.

    `then` is called with the job's folder once it is done; `stage` is what it is called in the
    panel; `draft` a folder elsewhere that goes away with the job.
    """

    stage: str
    folder: Path
    process: subprocess.Popen[bytes]
    log: IO[bytes]
    then: Callable[[Path, dict[str, Any]], None]
    draft: Path | None = None
    progress: float = 0.0
    ended: bool = field(default=False)

    def poll(self) -> dict[str, Any] | None:
        """Return the outcome once there is one, else None; raises the other side's error."""
        status = self.process.poll()
        told = self.folder / PROGRESS
        if told.exists():
            self.progress = float(read_json(told)["share"])
        if status is None:
            return None
        outcome = self.folder / OUTCOME
        if not outcome.exists():
            raise RunError(
                f"The second Blender ended without an outcome (status {status}): {self._last()}",
                "Try again; a file that crashes Blender in a render does so here too.",
            )
        found: dict[str, Any] = read_json(outcome)
        if "what" in found:
            error = InputError if found["status"] == 2 else RunError
            raise error(found["what"], found["remedy"])
        return found

    def close(self) -> None:
        """End the second Blender if it still runs, and remove what it worked on."""
        if self.ended:
            return
        self.ended = True
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.log.close()
        for folder in (self.folder, self.draft):
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)

    def _last(self) -> str:
        text = (self.folder / "log.txt").read_text(encoding="utf-8", errors="replace")
        lines = (line.strip() for line in reversed(text.split("\n")))
        return next((line for line in lines if line and not line.startswith(_FAREWELL)), "nothing")


def can_work_aside() -> bool:
    """Return whether a second Blender can be used: there is a window, and a file can be copied.

    Pictures painted in Blender and not saved yet would be missing in the copy.
    """
    if bpy.app.background or not bpy.app.binary_path:
        return False
    return not any(image.is_dirty and not image.packed_file for image in bpy.data.images)


def start_aside(
    kind: str,
    stage: str,
    settings: dict[str, Any],
    then: Callable[[Path, dict[str, Any]], None],
    pack: Callable[[Path], None] = lambda folder: None,
    draft: Path | None = None,
) -> Aside:
    """Start a job of the worker in a second Blender, on a copy of the open file.

    `pack` writes what else the job needs into its folder; `draft` is removed at its end. Raises
    `RunError` where the copy cannot be written or no process started.
    """
    folder = new_folder("microface-aside-")
    try:
        pack(folder)
        write_json(folder / JOB, {"kind": kind, **settings})
        bpy.ops.wm.save_as_mainfile(
            filepath=str(folder / COPY), check_existing=False, copy=True, relative_remap=True
        )
        log = (folder / "log.txt").open("wb")
        process = subprocess.Popen(
            _command(folder),
            stdin=subprocess.PIPE,  # its end tells the other side that this one is gone
            stdout=log,
            stderr=log,
            env={**os.environ, "MICROFACE_ASIDE": str(folder)},
        )
    except (OSError, RuntimeError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise RunError(
            f"The work could not be handed to a second Blender ({reason(error)}).",
            "Check the space of the temporary folder.",
        ) from error
    return Aside(stage, folder, process, log, then, draft)


def _command(folder: Path) -> list[str]:
    scripts = "--disable-autoexec" if bpy.app.autoexec_fail else "--enable-autoexec"
    paths = [path for path in sys.path if path]
    expression = (
        "import sys, importlib; "
        f"sys.path += [one for one in {paths!r} if one not in sys.path]; "
        f"importlib.import_module({WORKER!r}).main()"
    )
    return [
        bpy.app.binary_path,
        "--background",
        "--offline-mode",
        "-noaudio",
        scripts,
        str(folder / COPY),
        "--python-exit-code",
        "1",
        "--python-expr",
        expression,
    ]
