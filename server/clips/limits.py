"""What a clip may cost, and the count that holds it to that while it is read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from .images import MAX_PICTURE_PIXELS


@dataclass(frozen=True)
class Limits:
    """What a clip may cost; anything beyond is refused with one line."""

    max_frames: int = 2000
    max_seconds: float = 60.0
    max_file_bytes: int = 1_000_000_000
    max_pixels: int = MAX_PICTURE_PIXELS
    max_decoded_bytes: int = 1_500_000_000
    min_side_pixels: int = 48


#: For what looks at recordings rather than at clips cut to an expression.
LONG = Limits(
    max_frames=20_000,
    max_seconds=1800.0,
    max_file_bytes=8_000_000_000,
    max_decoded_bytes=12_000_000_000,
)


class Budget:
    """Counts what a clip costs while it is read, and refuses the frame that is too much."""

    def __init__(self, name: str, fps: Fraction, limits: Limits) -> None:
        self.name = name
        self.limits = limits
        self.max_frames = min(limits.max_frames, math.ceil(limits.max_seconds * fps))
        self.frames = 0
        self.size: tuple[int, int] | None = None

    def expect(self, frames: int | None) -> None:
        """Refuse a clip by what it declares, before anything is decoded."""
        if frames is not None and frames > self.max_frames:
            raise self._too_many(f"more than {self.max_frames} frames ({frames})")

    def take(self, frame: NDArray[np.uint8], what: str) -> None:
        """Count one frame; raises InputError where it breaks a limit or differs in size."""
        height, width = frame.shape[:2]
        if self.size is None:
            self.size = (width, height)
            if min(self.size) < self.limits.min_side_pixels:
                raise InputError(
                    f"The frames of {self.name} are only {width} x {height} pixels.",
                    f"Give frames of at least {self.limits.min_side_pixels} pixels a side.",
                )
        elif self.size != (width, height):
            raise InputError(
                f"In {self.name} {what} is {width} x {height} pixels, "
                f"the first frame {self.size[0]} x {self.size[1]}.",
                "Give frames of one size.",
            )
        self.frames += 1
        if self.frames > self.max_frames:
            raise self._too_many(f"more than {self.max_frames} frames")
        if self.frames * frame.nbytes > self.limits.max_decoded_bytes:
            raise InputError(
                f"{self.name} takes more than {self.limits.max_decoded_bytes / 1e9:.1f} GB.",
                "Cut it to the expression or scale it down.",
            )

    def close(self) -> None:
        """Refuse a clip in which nothing can move."""
        if self.frames < 2:
            raise InputError(
                f"{self.name} has {'one frame' if self.frames else 'no frames'}.",
                "Give at least two: a neutral and what follows it.",
            )

    def _too_many(self, how: str) -> InputError:
        return InputError(
            f"{self.name} has {how}.",
            "Cut it to the expression; a micro-expression lasts half a second.",
        )
