"""Look a clip over: where its face is, how each region of it moves, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..engine.pipeline import LEAST_MOTION_PIXELS
from ..engine.runtime import Runtime
from ..engine.timing import Phases, find_phases, motion_profile
from .clip import Clip
from .crop import NETWORK_PIXELS
from .face import find_face
from .steady import CELLS, Steadier
from .template import template

Floats = NDArray[np.float64]

#: Regions of a face in face units about the keypoints' mean, y down: (top, bottom, inner, outer),
#: the last two as distances from the middle line.
_REGIONS: dict[str, tuple[float, float, float, float]] = {
    "brow": (-1.7, -0.75, 0.0, 1.5),
    "eye": (-0.75, -0.3, 0.25, 1.4),
    "nose": (-0.3, 0.65, 0.0, 0.45),
    "cheek": (-0.3, 0.65, 0.45, 1.4),
    "mouth": (0.65, 1.35, 0.0, 0.9),
    "chin": (1.35, 2.0, 0.0, 0.8),
}
#: A face of fewer pixels a side has micro-expressions of less than a tenth of a pixel.
_SMALL_FACE_PIXELS = 120
#: A micro-expression may last 1/15 s: at fewer frames a second it has less than four.
_SLOW_FPS = 60
_DARK, _BRIGHT, _CLIPPED_SHARE = 40.0, 215.0, 0.02
#: Levels by which the picture's mean jumps from frame to frame where the light flickers.
_FLICKER_LEVELS = 1.0
_UNSURE = 0.75
#: Motion at the first or last frame, as a share of the peak.
_AT_REST = 0.25


@dataclass(frozen=True)
class Inspection:
    """What a clip shows.

    `regions` are by name (`brow left`, ... of the subject) how far (T,) the skin there moves along
    its typical motion, and `whole` (T,) the same of the face, both in pixels of a face crop 256
    pixels wide, the head's own motion taken out. `face_pixels` is the face's side in the clip's own
    pixels, `confidence` (T,) 0..1 how well the motion was understood. `warnings` are a sentence
    each.
    """

    phases: Phases
    whole: Floats
    regions: dict[str, Floats]
    confidence: Floats
    face_pixels: float
    warnings: tuple[str, ...]


def inspect_clip(
    clip: Clip, runtime: Runtime, tell: Callable[[float], None] | None = None
) -> Inspection:
    """Return what a clip shows; `tell` hears how far this is, 0..1.

    The first frame is the neutral. Raises InputError where it shows no face.
    """
    face = find_face(clip.frames[0], runtime.encode, f"the clip {clip.name}")
    steadier = Steadier(clip.frames[0], face.crop)
    flows = np.zeros((len(clip), CELLS, CELLS, 2), np.float32)
    confidence = np.zeros(len(clip))
    levels = np.zeros(len(clip))
    for index, frame in enumerate(clip.frames):
        steadied = steadier.steady(frame)
        flows[index] = steadied.flow
        confidence[index] = steadied.confidence
        levels[index] = float(steadied.frame.mean())
        if tell is not None:
            tell((index + 1) / len(clip))
    whole = motion_profile(flows)
    phases = find_phases(whole, clip.times, LEAST_MOTION_PIXELS)
    regions = {name: motion_profile(flows[:, cells]) for name, cells in region_cells().items()}
    face_pixels = float(face.crop.side)
    first = np.asarray(steadier.neutral)
    warnings = [
        *clip.notes,
        *_about_pictures(clip, face_pixels, first, levels),
        *_about_motion(phases, whole, confidence),
    ]
    return Inspection(phases, whole, regions, confidence, face_pixels, tuple(warnings))


def region_cells() -> dict[str, NDArray[np.bool_]]:
    """Return which cells (64, 64) of a face crop each region takes, by its name and side."""
    maps = template(CELLS)
    found = {}
    for name, (top, bottom, inner, outer) in _REGIONS.items():
        for side, sign in (("left", 1), ("right", -1)):
            across = sign * maps.x
            cells = (maps.y >= top) & (maps.y < bottom) & (across >= inner) & (across < outer)
            found[f"{name} {side}"] = np.asarray(cells & (maps.face > 0.5))
    return found


def _about_pictures(
    clip: Clip, face_pixels: float, first: NDArray[np.uint8], levels: Floats
) -> list[str]:
    warnings = []
    if clip.fps < _SLOW_FPS:
        warnings.append(
            f"{float(clip.fps):g} frames a second: the shortest micro-expressions have less than "
            f"{int(float(clip.fps) / 15) + 1} frames"
        )
    if face_pixels < _SMALL_FACE_PIXELS:
        warnings.append(f"the face is only {face_pixels:.0f} pixels wide")
    middle = first[
        NETWORK_PIXELS // 4 : -NETWORK_PIXELS // 4, NETWORK_PIXELS // 4 : -NETWORK_PIXELS // 4
    ]
    level = float(middle.mean())
    if level < _DARK:
        warnings.append(f"the face is dark (mean level {level:.0f} of 255)")
    elif level > _BRIGHT or float((middle >= 254).all(-1).mean()) > _CLIPPED_SHARE:
        warnings.append("parts of the face are burnt out")
    jumps = np.abs(np.diff(levels, 2)) / 2 if len(levels) > 2 else np.zeros(1)
    if float(np.median(jumps)) > _FLICKER_LEVELS:
        warnings.append(f"the light flickers by {np.median(jumps):.1f} levels from frame to frame")
    return warnings


def _about_motion(phases: Phases, whole: Floats, confidence: Floats) -> list[str]:
    warnings = []
    if float(confidence.min()) < _UNSURE:
        worst = int(confidence.argmin())
        warnings.append(
            f"the motion is not understood everywhere: {confidence[worst]:.0%} at frame {worst}"
        )
    if phases.apex is None:
        return [*warnings, "nothing moves that could be an expression"]
    peak = float(whole.max())
    if float(whole[min(2, len(whole) - 1)]) > _AT_REST * peak:
        warnings.append("the expression has begun in the first frames; the neutral is not neutral")
    if float(whole[-1]) > _AT_REST * peak:
        warnings.append("the clip ends before the expression does")
    return warnings
