"""What the decode sandbox's process does: reads one clip within its limits, writes its pictures.

The parent is `sandbox`. It finds `report.json`, the clip's table or what was wrong, and beside it
`frames.raw`, the pictures one after the other, and `truth.npy`, the curves of a built-in clip.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import MicrofaceError, RunError
from .children import end_with_parent, read_settings
from .clips.clip import Clip
from .clips.limits import Limits
from .protocol.content import read_bundle
from .protocol.failures import ProtocolError

if TYPE_CHECKING:
    from .clips.stream import ClipStream


def child_main() -> None:
    """Decode the clip that the settings name."""
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
    except OSError as fault:
        (folder / "frames.raw").unlink(missing_ok=True)  # or the report has no room either
        _report(folder, {
            "what": f"{settings['name']} cannot be decoded here ({fault.strerror or fault}).",
            "remedy": "See that the folder for temporary files (TMPDIR) has room.",
            "exit_status": RunError.exit_status,
        })  # fmt: skip
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
