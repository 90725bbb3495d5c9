"""Small libraries for tests, and clips of noise to fill them with."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from microface.server.clips.library.library import ClipLibrary
from microface.server.clips.read import read_clip
from microface.server.clips.records import ActionUnit, ClipRecord


def quick(path: Path, fps: Fraction | None) -> contextlib.AbstractContextManager[object]:
    """Reads in this process; what the sandbox gives is tested elsewhere."""
    return contextlib.nullcontext(read_clip(path, fps))


def folder_of(path: Path, seed: int, count: int = 9) -> tuple[Path, ...]:
    """Write so many pictures of noise; return them."""
    path.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    files = []
    for index in range(count):
        file = path / f"img{index + 1}.png"
        cv2.imwrite(str(file), rng.integers(0, 255, (48, 64, 3), np.uint8))
        files.append(file)
    return tuple(files)


def record(tmp_path: Path, seed: int = 0, **more: object) -> ClipRecord:
    """A clip of noise and its annotation; `more` says otherwise."""
    path = tmp_path / f"source{seed}"
    frames = tuple(sorted(path.iterdir())) if path.exists() else folder_of(path, seed)
    values: dict[str, object] = {
        "subject": "s1", "clip": f"c{seed}", "path": path, "frames": frames, "fps": Fraction(100),
        "onset": 1, "apex": 4, "offset": 7, "units": (ActionUnit(12, "left"), ActionUnit(4)),
        "emotion": "happiness", "valence": "positive", "data_set": "CASME II",
    }  # fmt: skip
    return ClipRecord(**(values | more))  # type: ignore[arg-type]


def open_library(folder: Path) -> ClipLibrary:
    """A library, made where there is none."""
    return ClipLibrary(folder, create=True, decode=quick)  # type: ignore[arg-type]
