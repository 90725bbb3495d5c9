"""What a source clip is once it has been read: pictures at known times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Clip:
    """A source clip in memory.

    `frames` are T pictures (H, W, 3) uint8 RGB, all of one size. `times` (T,) float64 are seconds
    from the clip's first frame, rising. `fps` is the nominal frame rate. `sha256` is the digest of
    the encoded content, or of the pixels for a clip made on the spot. `truth` holds, for a
    synthetic clip only, the weight (T,) of each shape key that was rendered. `notes` tell, a
    sentence each, what reading had to assume.
    """

    frames: Sequence[NDArray[np.uint8]]
    times: NDArray[np.float64]
    fps: Fraction
    name: str
    sha256: str
    truth: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of its pictures in pixels."""
        height, width = self.frames[0].shape[:2]
        return width, height

    @property
    def seconds(self) -> float:
        """Time from the first frame to the last."""
        return float(self.times[-1] - self.times[0])
