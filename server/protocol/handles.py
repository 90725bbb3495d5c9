"""Jobs as the program holds them: polled from a timer, or pumped until they are over."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ...errors import RunError
from .events import Cancelled, Done, Edge, Event, Failed, Frame, Motion, Weights
from .jobs import Job

OnEvent = Callable[[Event], None]


class Line(Protocol):
    """The connection that a job's messages go over."""

    def turn(self, budget_seconds: float) -> bool:
        """Send and take in until the budget is spent or nothing is left; return whether it is."""
        ...

    def flush(self) -> None:
        """Send what can be sent at once."""
        ...

    def wait(self, work_is_left: bool) -> None:
        """Wait a moment for something to come in, unless work is left."""
        ...


@dataclass
class RetargetResult:
    """All that a retarget job brought: T pictures, edge maps, motions, and the result's table."""

    frames: list[NDArray[np.uint8]] = field(default_factory=list)
    edges: list[NDArray[np.uint8]] = field(default_factory=list)
    motion: list[NDArray[np.float16]] = field(default_factory=list)
    result: dict[str, Any] = field(default_factory=dict)


@dataclass
class SolveResult:
    """Solved weights (T, S) float32 and the result's table."""

    weights: NDArray[np.float32]
    result: dict[str, Any]


class _Running:
    """What all jobs have in common at the client."""

    def __init__(self, line: Line, job: Job) -> None:
        self._line = line
        self._job = job

    @property
    def over(self) -> bool:
        """Whether the job has ended and its last event was taken."""
        return self._job.over

    def poll(self, budget_seconds: float = 0.0) -> list[Event]:
        """Return what happened, working for `budget_seconds` at most and one message at least.

        Never waits for the server. Made for timers: one message takes about a millisecond.
        """
        if self.over:
            return []
        self._line.turn(budget_seconds)
        events = self._job.take_events()
        if self._job.over:
            self._line.flush()
        return events

    def cancel(self) -> None:
        """Stop the job; the event `Cancelled` follows within a moment."""
        self._job.cancel(time.monotonic())
        self._line.turn(0.0)

    def follow(self, on_event: OnEvent) -> None:
        """Wait until the job is over and tell what happens; keeps nothing, so that memory does not
        grow with the clip. Raises the job's error; what `on_event` raises cancels the job."""
        try:
            while not self.over:
                work_is_left = self._line.turn(0.02)
                for event in self._job.take_events():
                    on_event(event)
                    if isinstance(event, Failed):
                        raise event.error
                    if isinstance(event, Cancelled):
                        raise RunError("The job was cancelled.", "Start it again.")
                self._line.wait(work_is_left)
            self._line.flush()
        except BaseException:
            self.cancel()
            raise


class RetargetJob(_Running):
    """A retarget job that runs on the server."""

    def pump(self, on_event: OnEvent | None = None) -> RetargetResult:
        """Wait for all of it and return it; raises InputError or RunError when it fails."""
        whole = RetargetResult()

        def keep(event: Event) -> None:
            if isinstance(event, Frame):
                whole.frames.append(event.image)
            elif isinstance(event, Edge):
                whole.edges.append(event.map)
            elif isinstance(event, Motion):
                whole.motion.append(event.flow)
            elif isinstance(event, Done):
                whole.result = event.result

        self.follow(_both(keep, on_event))
        return whole


class SolveJob(_Running):
    """A solve job that runs on the server."""

    def pump(self, on_event: OnEvent | None = None) -> SolveResult:
        """Wait for the weights and return them; raises InputError or RunError when it fails."""
        whole = SolveResult(np.zeros((0, 0), np.float32), {})

        def keep(event: Event) -> None:
            if isinstance(event, Weights):
                whole.weights = event.weights
            elif isinstance(event, Done):
                whole.result = event.result

        self.follow(_both(keep, on_event))
        return whole


def _both(keep: OnEvent, also: OnEvent | None) -> OnEvent:
    """Return what tells an event to `keep`, and `also` to whoever else listens."""

    def told(event: Event) -> None:
        keep(event)
        if also is not None:
            also(event)

    return told
