"""An engine for tests: quick, exact, and told by the neutral's first pixel how to misbehave."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from microface.errors import InputError
from numpy.typing import NDArray

#: neutral[0, 0, 0]: what happens at frame 3.
WELL, CRASH, HANG, SLOW, REFUSE, RAISE, FREEZE = range(7)


@dataclass(frozen=True)
class Made:
    index: int
    image: NDArray[np.uint8]
    edge: NDArray[np.uint8]
    flow: NDArray[np.float16]


def made(neutral: NDArray[np.uint8], source: NDArray[np.uint8], index: int) -> Made:
    """The frame that the engine makes, so that tests can make it as well."""
    image = neutral + np.uint8(index) + source[0, 0]
    height, width = neutral.shape[:2]
    flow = np.full((height, width, 2), index / 8, dtype=np.float16)
    return Made(index, image, image[..., 0].copy(), flow)


class TestEngine:
    """Makes neutral + index; neutral[0, 0, 1] repeats the clip that many times."""

    def __init__(self, weights: str | None, threads: int) -> None:
        if weights == "missing":
            raise InputError("There are no weights in missing.", "Give a folder that has some.")
        self.threads = threads

    def warm(self) -> Mapping[str, str]:
        return {"test": "0" * 64}

    def retarget(
        self,
        material: Any,
        request: Any,
        tell: Callable[[str, float], None],
        cancelled: Callable[[], bool],
    ) -> Generator[Made, None, dict[str, Any]]:
        neutral, clip = material.neutral, material.clip
        mode, repeats = int(neutral[0, 0, 0]), max(1, int(neutral[0, 0, 1]))
        frames = len(clip) * repeats
        for index in range(frames):
            tell("generate", index / frames)
            if index == 3:
                misbehave(mode)
            if mode == SLOW:
                time.sleep(0.05)
            yield made(neutral, clip.frames[index % len(clip)], index)
        return {"frames": frames, "asked": request.table(), "seconds": {"generate": 0.0}}

    def solve(
        self,
        arrays: Mapping[str, NDArray[Any]],
        tell: Callable[[str, float], None],
        cancelled: Callable[[], bool],
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        return arrays["motion"].astype(np.float32) * 2, {"names": arrays["names"].tolist()}


def misbehave(mode: int) -> None:
    if mode == CRASH:
        os.kill(os.getpid(), signal.SIGKILL)
    if mode == FREEZE:
        os.kill(os.getpid(), signal.SIGSTOP)
    if mode == HANG:
        while True:
            time.sleep(0.1)
    if mode == REFUSE:
        raise InputError("There is no face in the clip.", "Give a clip that shows one.")
    if mode == RAISE:
        raise ValueError("a bug")
