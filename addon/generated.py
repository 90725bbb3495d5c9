"""What came back from the server for one character and one clip."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .character.fingerprint import Fingerprint
from .character.framing import Framing


@dataclass(frozen=True)
class Generated:
    """A clip's expression on a character's neutral picture; all arrays in the clip's frames.

    `object_name` of the character and `scene_frame` at which its neutral was rendered from
    `framing`; `clip_name` for naming outputs. `neutral` (R,R,3), `frames` (T,R,R,3) and `edges`
    (T,R,R) uint8; `motion` (T,R,R,2) float16, where each pixel of the neutral moves to, as
    (dx, dy) in pixels; `times` (T,) float64 seconds from the clip's start at rate `fps`; `result`
    as the server reports it (timings, onset, apex, offset, hashes). `view` names the side that the
    face is seen from, `others` are the same clip on the same character seen from other sides.
    `fingerprint` tells whether the character was edited since; None where that is not known.
    """

    object_name: str
    scene_frame: float
    framing: Framing
    clip_name: str
    fps: Fraction
    neutral: NDArray[np.uint8]
    frames: NDArray[np.uint8]
    edges: NDArray[np.uint8]
    motion: NDArray[np.float16]
    times: NDArray[np.float64]
    result: dict[str, Any] = field(default_factory=dict)
    view: str = "front"
    others: tuple[Generated, ...] = ()
    fingerprint: Fingerprint | None = None

    @property
    def views(self) -> tuple[Generated, ...]:
        """This view and the others."""
        return (self, *self.others)
