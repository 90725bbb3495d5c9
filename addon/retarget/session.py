"""One clip retargeted to one character: poll it from a timer, or pump it until it is done.

Both ways take the same events from the same job, and give the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import RunError
from ...server import client as transport
from ..generated import Generated
from .prepare import Prepared


@dataclass(frozen=True)
class Event:
    """Something happened: `stage` in words, `progress` 0..1, the newest `image` if there is one."""

    stage: str
    progress: float
    image: NDArray[np.uint8] | None = None


class Session:
    """A retarget job as the artist sees it."""

    def __init__(
        self,
        client: transport.Client,
        prepared: Prepared,
        asked: transport.Performance,
        label: str,
    ) -> None:
        self.prepared = prepared
        self.label = label
        self.stage = "Sending"
        self.progress = 0.0
        self._frames: dict[int, NDArray[np.uint8]] = {}
        self._edges: dict[int, NDArray[np.uint8]] = {}
        self._motion: dict[int, NDArray[np.float16]] = {}
        self._result: dict[str, Any] | None = None
        self._newest: NDArray[np.uint8] | None = None
        self._generated: Generated | None = None
        self._job = client.perform(prepared.neutral, asked)

    def poll(self, budget_seconds: float = 0.0) -> bool:
        """Take what has come, for at most the budget; return whether the job has ended.

        Raises the server's error as `InputError` or `RunError`.
        """
        for event in self._job.poll(budget_seconds):
            self._take(event)
        return self._result is not None

    def pump(self, on_event: Callable[[Event], None] | None = None) -> Generated:
        """Wait until the job has ended and return what it gave; an interrupt cancels the job."""

        def take(event: transport.Event) -> None:
            self._take(event)
            if on_event is not None:
                on_event(Event(self.stage, self.progress, self._newest))

        self._job.pump(take)
        return self.result()

    def cancel(self) -> None:
        """Tell the server to stop; no more events come."""
        self._job.cancel()

    @property
    def summary(self) -> str:
        """What a finished session holds, in a few words."""
        times, fps = _timeline(self._result or {})
        apex = (self._result or {}).get("apex", {}).get("seconds")
        ending = "" if apex is None else f", apex at {apex:.2f} s"
        return f"{self.label}: {len(times)} frames at {float(fps):g} a second{ending}"

    def result(self) -> Generated:
        """Return what was generated, once `poll` has returned True.

        Puts the frames together at the first call, which takes a moment: not for a timer.
        """
        if self._generated is None:
            self._generated = self._gathered()
        return self._generated

    def _gathered(self) -> Generated:
        result = self._result
        if result is None:
            raise RunError("The clip is not generated yet.", "Wait until it is done.")
        times, fps = _timeline(result)
        indices = range(len(times))
        missing = [
            index
            for index in indices
            if index not in self._frames or index not in self._edges or index not in self._motion
        ]
        if missing or len(times) == 0:
            raise RunError(
                f"The server left out {len(missing) or 'all'} frames.", "Generate the clip again."
            )
        return Generated(
            object_name=self.prepared.object_name,
            scene_frame=self.prepared.scene_frame,
            framing=self.prepared.framing,
            clip_name=self.label,
            fps=fps,
            neutral=self.prepared.neutral,
            frames=_together(self._frames, len(times)),
            edges=_together(self._edges, len(times)),
            motion=_together(self._motion, len(times)),
            times=times - times[0],
            result=result,
            view=self.prepared.view,
            fingerprint=self.prepared.fingerprint,
        )

    def _take(self, event: transport.Event) -> None:
        match event:
            case transport.Progress():
                self.stage, self.progress = str(event.stage), float(event.fraction)
            case transport.Frame():
                self._frames[event.index] = self._newest = event.image
            case transport.Edge():
                self._edges[event.index] = event.map
            case transport.Motion():
                self._motion[event.index] = event.flow
            case transport.Done():
                self._result = event.result
                self.progress = 1.0
            case transport.Failed():
                raise event.error
            case transport.Cancelled():
                raise RunError("The generation was cancelled.", "Press Generate to start again.")


def _timeline(result: dict[str, Any]) -> tuple[NDArray[np.float64], Fraction]:
    """Return when each frame that was made is shown (T,), seconds, and their rate: those of the
    clip where it was not retimed."""
    told = {**result.get("clip", {}), **result}
    return np.array(told.get("times", []), np.float64), Fraction(str(told.get("fps", 1)))


def _together(parts: dict[int, NDArray[Any]], count: int) -> NDArray[Any]:
    """Return the first `count` parts as one array, and let go of each as it is taken.

    Frames of 4096 pixels fill gigabytes: they are never held twice.
    """
    whole = np.empty((count, *parts[0].shape), parts[0].dtype)
    for index in range(count):
        whole[index] = parts.pop(index)
    parts.clear()
    return whole
