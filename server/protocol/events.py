"""What a job tells the program that waits for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import MicrofaceError


@dataclass(frozen=True)
class Progress:
    """How far the job is: the stage's name and how much of it is done, 0 to 1."""

    stage: str
    fraction: float


@dataclass(frozen=True)
class Frame:
    """A generated picture, uint8 sRGB (H, W, 3)."""

    index: int
    image: NDArray[np.uint8]


@dataclass(frozen=True)
class Edge:
    """The edge map of a generated picture, uint8 (H, W)."""

    index: int
    map: NDArray[np.uint8]


@dataclass(frozen=True)
class Motion:
    """Where each of the neutral's pixels went, float16 (H, W, 2): (dx, dy) in pixels."""

    index: int
    flow: NDArray[np.float16]


@dataclass(frozen=True)
class Weights:
    """Solved shape key weights, float32 (T, S)."""

    weights: NDArray[np.float32]


@dataclass(frozen=True)
class Done:
    """All of it arrived, hash-equal to what was sent; the job's result."""

    result: dict[str, Any]


@dataclass(frozen=True)
class Failed:
    """The job failed; `retryable` says whether the same request may yet succeed."""

    error: MicrofaceError
    retryable: bool = False


@dataclass(frozen=True)
class Cancelled:
    """The job was cancelled and is over."""


Event = Progress | Frame | Edge | Motion | Weights | Done | Failed | Cancelled
