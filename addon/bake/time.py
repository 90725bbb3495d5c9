"""From seconds of a source clip to frames of a scene, and which keys a curve needs."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError

#: A curve may differ from the solved weights by this much (weight units).
TOLERANCE = 0.002


#: A rate this near (relative) to a broadcast rate is meant to be it: 23.976 is 24000/1001.
BROADCAST_SLACK = Fraction(1, 50_000)


@dataclass(frozen=True)
class TimeBase:
    """Where a clip lies on a scene's timeline.

    `fps` of the scene as a ratio, `start_frame` the scene frame of the clip's time 0. `stretch`
    is Blender's time remapping (Old over New): at scene frame f, curves are read at f x stretch.
    """

    fps: Fraction
    start_frame: float = 1.0
    stretch: Fraction = Fraction(1)

    def frames(self, seconds: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return the scene frames, with fractions, of times since the clip's start (T,)."""
        return np.asarray(self.start_frame + np.asarray(seconds, np.float64) * float(self.fps))

    def seconds(self, frames: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return times since the clip's start of scene frames (N,)."""
        return np.asarray((np.asarray(frames, np.float64) - self.start_frame) / float(self.fps))

    def curve_frames(self, frames: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return where on a curve scene frames (N,) are read."""
        return np.asarray(np.asarray(frames, np.float64) * float(self.stretch))

    def whole_frames(self, seconds: NDArray[np.floating[Any]]) -> NDArray[np.int64]:
        """Return every whole scene frame from the clip's start to its end."""
        return whole_between(self.frames(np.array([seconds[0], seconds[-1]])))


def whole_between(frames: NDArray[np.floating[Any]]) -> NDArray[np.int64]:
    """Return every whole frame from the first of `frames` (N,) until the last is reached."""
    first, last = float(frames[0]), float(frames[-1])
    return np.arange(int(np.ceil(first - 1e-6)), int(np.ceil(last - 1e-6)) + 1)


def scene_fps(scene: Any) -> Fraction:
    """Return a scene's frame rate as an exact ratio, 24000/1001 for 23.976.

    Blender keeps the rate as a whole number over a 32-bit base: 24 over 1.001, or over 1.001001
    where somebody typed 23.976. Both are meant as 24000/1001.
    """
    base = Fraction(float(scene.render.fps_base)).limit_denominator(2_000_000)
    simple = base.limit_denominator(2000)
    if abs(simple - base) < base / 10_000_000:
        base = simple
    fps = Fraction(int(scene.render.fps)) / base
    broadcast = Fraction(round(fps * Fraction(1001, 1000)) * 1000, 1001)
    return broadcast if abs(broadcast - fps) < fps * BROADCAST_SLACK else fps


def scene_time(scene: Any, start_frame: float = 1.0) -> TimeBase:
    """Return the time base of a clip that begins at a scene's `start_frame`."""
    render = scene.render
    stretch = Fraction(int(render.frame_map_old), int(render.frame_map_new))
    return TimeBase(scene_fps(scene), float(start_frame), stretch)


def parse_fps(text: str) -> Fraction:
    """Return a frame rate given as a number or a ratio (`24000/1001`); raise `InputError`."""
    try:
        fps = Fraction(text.strip())
    except (ValueError, ZeroDivisionError) as error:
        raise InputError(
            f"'{text}' is no frame rate.", "Give a number or a ratio such as 24000/1001."
        ) from error
    if not 1 <= fps <= 100_000:
        raise InputError(
            f"A frame rate of {text} makes no sense.", "Give the frames a second of the clip."
        )
    return fps


def onset_apex_offset(weights: NDArray[np.floating[Any]]) -> tuple[int, int, int]:
    """Return the frame indices at which the expression begins, peaks and has gone.

    `weights` (T,S). The apex is where the summed squares peak; onset and offset are the last
    frame before and the first frame after it at which less than 5 % of the peak amplitude is
    left (the ends of the clip if none).
    """
    amplitude = np.sqrt((np.asarray(weights, np.float64) ** 2).sum(axis=1))
    apex = int(amplitude.argmax())
    quiet = amplitude <= 0.05 * amplitude[apex]
    before = np.flatnonzero(quiet[:apex])
    after = np.flatnonzero(quiet[apex + 1 :])
    onset = int(before[-1]) if len(before) else 0
    offset = int(apex + 1 + after[0]) if len(after) else len(amplitude) - 1
    return onset, apex, offset


def thin(
    times: NDArray[np.floating[Any]],
    values: NDArray[np.floating[Any]],
    keep: tuple[int, ...] = (),
    tolerance: float = TOLERANCE,
) -> NDArray[np.int64]:
    """Return the indices of the keys that straight lines between them need.

    Ramer-Douglas-Peucker on the error in value: no sample of `values` (T,) at `times` (T,) is
    further than `tolerance` from the line. The ends and `keep` are always kept.
    """
    last = len(values) - 1
    kept = sorted({0, last, *(index for index in keep if 0 <= index <= last)})
    chosen = set(kept)
    spans = list(itertools.pairwise(kept))
    while spans:
        first, final = spans.pop()
        if final - first < 2:
            continue
        inner = slice(first + 1, final)
        share = (times[inner] - times[first]) / (times[final] - times[first])
        line = values[first] + share * (values[final] - values[first])
        error = np.abs(values[inner] - line)
        worst = int(error.argmax())
        if error[worst] > tolerance:
            middle = first + 1 + worst
            chosen.add(middle)
            spans += [(first, middle), (middle, final)]
    return np.array(sorted(chosen), np.int64)
