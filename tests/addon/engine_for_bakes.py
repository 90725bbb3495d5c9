"""A quick engine for the add-on's tests: it lifts one corner of the picture, without a network."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from microface.server.engine.solve import solve_weights
from numpy.typing import NDArray

#: At this strength the worker process dies in the middle of the stream.
DEADLY = 4.0


@dataclass(frozen=True)
class Lifted:
    index: int
    image: NDArray[np.uint8]
    edge: NDArray[np.uint8]
    flow: NDArray[np.float16]


class LiftingEngine:
    """Moves what lies right below the middle of the picture up, by up to 3 % of its width."""

    def __init__(self, weights: str | None, threads: int) -> None:
        self.threads = threads

    def warm(self) -> Mapping[str, str]:
        return {"lifting": "0" * 64}

    def retarget(
        self,
        material: Any,
        request: Any,
        tell: Callable[[str, float], None],
        cancelled: Callable[[], bool],
    ) -> Generator[Lifted, None, dict[str, Any]]:
        neutral, clip, strength = material.neutral, material.clip, request.strength
        size = neutral.shape[0]
        rows, columns = np.mgrid[:size, :size] / size
        bump = np.exp(-(((columns - 0.64) / 0.1) ** 2) - ((rows - 0.68) / 0.09) ** 2)
        bump[bump < 0.01] = 0
        for index in range(len(clip)):
            tell("generate", index / len(clip))
            if strength == DEADLY and index == 3:
                os.kill(os.getpid(), signal.SIGKILL)
            amount = strength * np.sin(np.pi * index / (len(clip) - 1)) ** 2
            flow = np.zeros((size, size, 2), np.float16)
            flow[..., 1] = -0.03 * size * amount * bump
            darker = neutral * (1 - 0.3 * amount * bump[..., None])
            image = np.rint(darker).astype(np.uint8)
            yield Lifted(index, image, (255 * bump * amount).astype(np.uint8), flow)
        result = {"frames": len(clip), "seconds": {"generate": 0.0}, "asked": request.table()}
        if request.timing == "factor=2":
            result |= {"times": [2 * seconds for seconds in clip.times], "fps": str(clip.fps / 2)}
        return result

    def solve(
        self,
        arrays: Mapping[str, NDArray[Any]],
        tell: Callable[[str, float], None],
        cancelled: Callable[[], bool],
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        result = solve_weights(**{**arrays, "names": arrays["names"].tolist()})
        return result.weights, {"residual_pixels": result.residual_pixels.tolist()}
