"""Carry a source clip's expression onto the character's crop, frame by frame."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ..clips.choose import face_place
from ..clips.clip import Clip
from ..clips.describe import Described, describe
from ..clips.eyelids import eyes_seen
from ..clips.measure import start_of
from ..clips.pose import PARAMETERS
from ..clips.steady import Steadied
from ..clips.upright import CELLS
from ..protocol.faces import FaceChoice
from .fields import Fields
from .in_order import batches, in_order
from .runtime import Animation, Encoding, Runtime
from .smooth import smoothed
from .timing import Floats, Phases, motion_profile, phases_of

#: A clip whose typical motion stays below this, in pixels of the crop, shows no expression.
LEAST_MOTION_PIXELS = 0.05


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


@dataclass(frozen=True)
class Target:
    """The character that a clip is carried to: its crop `picture` (256, 256, 3) uint8, encoded, and
    the strength."""

    picture: NDArray[np.uint8]
    encoding: Encoding
    strength: float


class Carrier:
    """One source clip on its way to the character: iterate over it for the fields of each frame."""

    def __init__(
        self,
        clip: Clip,
        target: Target,
        runtime: Runtime,
        timings: Timings,
        cancelled: Callable[[], bool] | None = None,
        *,
        neutral_frame: int | None = None,
        rest: Clip | None = None,
        face: FaceChoice | None = None,
    ) -> None:
        """Find the clip's face and its neutral, and encode it.

        `neutral_frame` is a frame at rest, `rest` another clip (or picture) of the same person at
        rest; with neither, the neutral is found. `face` is the one of several that is meant, the
        largest if None. Raises InputError where there is no face.
        """
        if neutral_frame is not None and not 0 <= neutral_frame < len(clip):
            raise InputError(
                f"The clip {clip.name} has no frame {neutral_frame}.",
                f"Give 0 to {len(clip) - 1}.",
            )
        self.clip = clip
        self._strength = target.strength
        self._runtime = runtime
        self._timings = timings
        self._cancelled = cancelled
        #: The motion of each frame (T, 64, 64, 2), pixels of the source's crop, once it is carried.
        self.flows = np.zeros((len(clip), CELLS, CELLS, 2), np.float16)
        self._trust = np.zeros((len(clip), CELLS, CELLS), np.float16)
        self._poses = np.zeros((len(clip), PARAMETERS))
        with timings.stage("align"):
            start = start_of(
                clip.frames,
                clip.times,
                runtime.encode,
                f"the clip {clip.name}",
                onset=neutral_frame,
                near=face_place(clip, face or FaceChoice(), runtime.encode, neutral_frame),
                rest=rest,
            )
        self.face, self._steadier = start.face, start.steadier
        #: The frame that all is measured from; None where the neutral is of another clip.
        self.neutral_frame = None if start.neutral.apart else start.neutral.frame
        with timings.stage("motion"):
            source = runtime.encode(self._steadier.neutral)
            self._scene = runtime.prepare(source, target.encoding, target.picture)

    #: Frames that are understood before the first is made: each comes as it is.
    ahead = 0

    def __len__(self) -> int:
        return len(self.clip)

    def __iter__(self) -> Iterator[Fields]:
        """Yield each frame's fields, in order; raises Cancelled in between when asked to stop.

        The motion is smoothed over time, so a frame comes when a few after it are understood. While
        it is put to use, the network works on the next, as many at once as the runtime likes, and
        those after them are steadied.
        """
        rest = -1 if self.neutral_frame is None else self.neutral_frame
        moves = smoothed(self._animations(), self.clip.times, rest)
        for flow, (animation, steadiness) in moves:
            yield Fields.of(flow, animation, steadiness)

    @property
    def times(self) -> Floats:
        """When the frames are shown (T,), seconds."""
        return self.clip.times

    @property
    def fps(self) -> Fraction:
        """The nominal frame rate."""
        return self.clip.fps

    @property
    def profile(self) -> Floats:
        """How far (T,) each frame moves, pixels of the source's crop; once all are carried."""
        return motion_profile(self.flows)

    @cached_property
    def phases(self) -> Phases:
        """When the expression starts, peaks and ends; once all frames are carried."""
        seen = eyes_seen(self.clip.frames, self.face.crop, self._poses)
        poses, trust = self._poses, self._trust
        return phases_of(self.flows, self.times, poses, trust, seen, LEAST_MOTION_PIXELS)

    @cached_property
    def units(self) -> list[Described]:
        """The action units that the clip shows; once all frames are carried."""
        with self._timings.stage("describe"):
            return describe(self.flows, self.times, self._trust, self._poses, self.face.within)

    def stop_if_cancelled(self) -> None:
        """Raise Cancelled when asked to stop."""
        if self._cancelled is not None and self._cancelled():
            raise Cancelled

    def _animations(self) -> Iterator[tuple[NDArray[np.float32], tuple[Animation, float]]]:
        """Yield each frame's flow on the crop, with all that the network says of it, and how sure
        the steadying is."""
        steadied = in_order(self._steady, self.clip.frames, 1)
        animated = in_order(
            self._animate, batches(steadied, self._runtime.batch), self._runtime.workers
        )
        index = 0
        with closing(steadied), closing(animated):
            while index < len(self.clip):
                self.stop_if_cancelled()
                for frame, animation in next(animated):
                    self.flows[index], self._trust[index] = frame.flow, frame.trust
                    self._poses[index] = frame.pose
                    index += 1
                    yield animation.flow, (animation, frame.confidence)

    def _steady(self, frame: NDArray[np.uint8]) -> Steadied:
        with self._timings.stage("align"):
            return self._steadier.steady(frame)

    def _animate(self, steadied: Sequence[Steadied]) -> list[tuple[Steadied, Animation]]:
        frames, flows = [each.frame for each in steadied], [each.flow for each in steadied]
        with self._timings.stage("motion"):
            made = self._runtime.animate(self._scene, frames, flows, self._strength)
        return list(zip(steadied, made, strict=True))
