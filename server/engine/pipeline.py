"""Put a source clip's expression on a character's neutral picture."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ..clips.clip import Clip
from ..clips.crop import NETWORK_PIXELS, take_crop
from ..clips.face import FaceBox, find_face
from ..clips.measure import start_of
from ..clips.steady import CELLS, Steadied
from .canvas import Canvas
from .doubts import Doubts, shrunk
from .in_order import batches, in_order
from .regions import Gains, gain_field
from .runtime import Animation, Runtime
from .smooth import smoothed
from .timing import find_phases, motion_profile
from .unfold import unfolded

#: Strengths that make sense: a twentieth of the source's motion to four times it.
STRENGTHS = (0.05, 4.0)
#: A clip whose typical motion stays below this, in pixels of the crop, shows no expression.
LEAST_MOTION_PIXELS = 0.05


@dataclass(frozen=True)
class Generated:
    """One frame of the character.

    `image` (H, W, 3) uint8 is of the neutral's size; `edge` (H, W) uint8 is the edge map of what
    moves; `flow` (H, W, 2) float16 says where each pixel of the neutral goes, as (dx, dy) in its
    pixels; `confidence` 0..1 is the share of the motion that is not doubted.
    """

    index: int
    image: NDArray[np.uint8]
    edge: NDArray[np.uint8]
    flow: NDArray[np.float16]
    confidence: float


class Cancelled(Exception):  # noqa: N818 - not an error: somebody wanted it
    """Raised out of the iteration when `cancelled` said so."""


@dataclass
class Timings:
    """Seconds spent by stage, those of threads side by side added up."""

    stages: dict[str, float] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time spent inside towards a stage."""
        start = time.perf_counter()
        try:
            yield
        finally:
            seconds = time.perf_counter() - start
            with self._lock:
                self.stages[name] = self.stages.get(name, 0.0) + seconds


class Retargeting:
    """A retargeting in progress: iterate over it for the frames, then ask for its summary."""

    def __init__(
        self,
        neutral: NDArray[np.uint8],
        clip: Clip,
        strength: float,
        runtime: Runtime,
        *,
        progress: Callable[[int, int], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
        neutral_frame: int | None = None,
        gains: Gains | None = None,
    ) -> None:
        """Find both faces and encode both neutrals.

        `neutral` (H, W, 3) uint8 is the character's; `neutral_frame` is a frame of the
        source at rest, from which all motion is measured (None: it is found); `gains` by region
        and side of the face (see `regions`) multiply the strength there. `progress` is told
        (frames done, frames in all). Raises InputError where there is no face, or the strength is
        out of `STRENGTHS`.
        """
        if not STRENGTHS[0] <= strength <= STRENGTHS[1]:
            raise InputError(
                f"A strength of {strength:g}.", f"Give {STRENGTHS[0]:g} to {STRENGTHS[1]:g}."
            )
        if neutral.ndim != 3 or neutral.shape[2] != 3 or neutral.dtype != np.uint8:
            raise ValueError(f"the neutral is {neutral.shape} {neutral.dtype}")
        if neutral_frame is not None and not 0 <= neutral_frame < len(clip):
            raise InputError(
                f"The clip {clip.name} has no frame {neutral_frame}.",
                f"Give 0 to {len(clip) - 1}.",
            )
        self.clip = clip
        self.strength = strength
        self.runtime = runtime
        self._progress = progress
        self._cancelled = cancelled
        self._timings = Timings()
        self._doubts = Doubts()
        self._flows = np.zeros((len(clip), CELLS, CELLS, 2), np.float16)
        with self._timings.stage("align"):
            self.face: FaceBox = find_face(
                neutral, runtime.encode, "the character's picture", upright=False
            )
            start = start_of(
                clip.frames,
                clip.times,
                runtime.encode,
                f"the clip {clip.name}",
                onset=neutral_frame,
            )
            self.source_face, self._steadier = start.face, start.steadier
            self._neutral_frame = start.neutral.frame
        self._canvas = Canvas(neutral, self.face.crop)
        with self._timings.stage("motion"):
            picture = take_crop(neutral, self.face.crop)
            character = runtime.encode(picture)
            source = runtime.encode(self._steadier.neutral)
            self._scene = runtime.prepare(source, character, picture)
        self._gains = dict(gains or {})
        self._gain = None
        if self._gains:
            self._gain = gain_field(character["chart"][0], self._gains, NETWORK_PIXELS)

    def __len__(self) -> int:
        return len(self.clip)

    def __iter__(self) -> Iterator[Generated]:
        """Yield the frames in order; raises Cancelled between frames when asked to stop.

        The motion is smoothed over time, so a frame comes when a few after it are understood. While
        frames are painted, the network works on the next, as many at once as the runtime likes, and
        those after them are steadied.
        """
        moves = smoothed(self._animations(), self.clip.times, self._neutral_frame)
        for index, (flow, (animation, steadiness)) in enumerate(moves):
            with self._timings.stage("generate"):
                mask, doubt = animation.residual_mask, animation.doubt
                if self._gain is not None:
                    flow = flow * self._gain[..., None]
                    mask = np.clip(mask * self._gain, 0, 1)
                    doubt = doubt * shrunk(self._gain, len(doubt))
                flow = unfolded(flow)
                made = Generated(
                    index,
                    self._canvas.paint(flow, animation.residual, mask),
                    self._canvas.edge_map(animation.edges),
                    self._canvas.forward(flow),
                    self._doubts.add(flow, doubt, steadiness),
                )
            if self._progress is not None:
                self._progress(index + 1, len(self.clip))
            yield made

    def _animations(self) -> Iterator[tuple[NDArray[np.float32], tuple[Animation, float]]]:
        """Yield each frame's flow on the crop, with all that the network says of it, and how sure
        the steadying is."""
        steadied = in_order(self._steady, self.clip.frames, 1)
        animated = in_order(
            self._animate, batches(steadied, self.runtime.batch), self.runtime.workers
        )
        index = 0
        with closing(steadied), closing(animated):
            while index < len(self.clip):
                if self._cancelled is not None and self._cancelled():
                    raise Cancelled
                for frame, animation in next(animated):
                    self._flows[index] = frame.flow
                    index += 1
                    yield animation.flow, (animation, frame.confidence)

    def _steady(self, frame: NDArray[np.uint8]) -> Steadied:
        with self._timings.stage("align"):
            return self._steadier.steady(frame)

    def _animate(self, steadied: Sequence[Steadied]) -> list[tuple[Steadied, Animation]]:
        frames, flows = [each.frame for each in steadied], [each.flow for each in steadied]
        with self._timings.stage("motion"):
            made = self.runtime.animate(self._scene, frames, flows, self.strength)
        return list(zip(steadied, made, strict=True))

    def summary(self) -> dict[str, Any]:
        """Return what is known once all frames are made, ready for JSON."""
        profile = motion_profile(self._flows)
        phases = find_phases(profile, self.clip.times, LEAST_MOTION_PIXELS)
        return {
            "frames": len(self.clip),
            "fps": f"{self.clip.fps.numerator}/{self.clip.fps.denominator}",
            "times": [round(float(t), 6) for t in self.clip.times],
            "strength": self.strength,
            "gains": {f"{region}.{side}": gain for (region, side), gain in self._gains.items()},
            "neutral_frame": self._neutral_frame,
            "onset": asdict(phases.onset) if phases.onset else None,
            "apex": asdict(phases.apex) if phases.apex else None,
            "offset": asdict(phases.offset) if phases.offset else None,
            "profile": [round(float(v), 4) for v in phases.profile],
            "peak_motion_pixels": round(float(profile.max()), 4),
            **self._doubts.summary(),
            "clip": {"name": self.clip.name, "sha256": self.clip.sha256},
            "model": dict(self.runtime.hashes),
            "faces": {
                "character": _crop_table(self.face),
                "source": _crop_table(self.source_face),
            },
            "seconds": {name: round(value, 4) for name, value in self._timings.stages.items()},
        }


def retarget(
    neutral: NDArray[np.uint8],
    clip: Clip,
    strength: float,
    runtime: Runtime,
    *,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    neutral_frame: int | None = None,
    gains: Gains | None = None,
) -> Retargeting:
    """Return the retargeting of a clip onto a neutral: an iterable of `Generated`, see there."""
    return Retargeting(
        neutral,
        clip,
        strength,
        runtime,
        progress=progress,
        cancelled=cancelled,
        neutral_frame=neutral_frame,
        gains=gains,
    )


def _crop_table(face: FaceBox) -> dict[str, float]:
    x, y = face.crop.centre
    return {
        "x": round(x, 2),
        "y": round(y, 2),
        "side": round(face.crop.side, 2),
        "roll": round(face.crop.roll, 4),
        "confidence": round(face.confidence, 4),
    }
