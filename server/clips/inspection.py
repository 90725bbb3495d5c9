"""Look a clip over: where its face is, how each region of it moves, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..engine.runtime import Runtime
from ..engine.timing import Moment, moments_of
from . import clean
from .choose import told_of_others
from .clip import Clip
from .crop import NETWORK_PIXELS, Crop, take_crop
from .describe import Described, describe
from .describe_emotion import Hint, emotion_hints
from .describe_rest import held_in_neutral
from .measure import Measured, measure
from .sampling import Reals
from .spot import EXPRESSIONS, Spotted, spot_in, strongest
from .spot_curves import TURNED_DEGREES, curves_of, region_cells
from .template import template
from .unit_names import unit_name
from .upright import CELLS

Floats = NDArray[np.float64]

#: A face of fewer pixels a side has micro-expressions of less than a tenth of a pixel.
_SMALL_FACE_PIXELS = 120
#: A micro-expression may last 1/15 s: at fewer frames a second it has less than four.
_SLOW_FPS = 60
_DARK, _BRIGHT, _CLIPPED_SHARE = 40.0, 215.0, 0.02
#: Frames that a warning names, at most.
_NAMED_FRAMES = 8
_UNSURE = 0.75
#: Eyes of which less than this share of what is usual is seen in the neutral are closed there.
_CLOSED = 0.6
#: A face of which more than this share lies outside the picture is cut off.
_OUTSIDE = 0.05
#: Motion at the first or last frame, as a share of the peak.
_AT_REST = 0.25


@dataclass(frozen=True)
class Inspection:
    """What a clip shows.

    `spotted` is all that the face does, in order of onset; `onset`, `apex` and `offset` are those
    of its strongest expression, None without one. `described` are the action units, the surest
    first, and `hints` what they may stand for. `whole` (T,) is how far expressions move the face,
    and `regions` by name (`brows left`, ... of the subject) how far (T,) the skin there moves in
    all: RMS pixels of a face crop 256 wide, the head's own motion taken out.
    `face_pixels` is the face's side in the clip's own pixels, `found_by` what found it,
    `confidence` (T,) 0..1 how well the motion was understood. `warnings` are a sentence each.
    """

    spotted: tuple[Spotted, ...]
    onset: Moment | None
    apex: Moment | None
    offset: Moment | None
    described: tuple[Described, ...]
    hints: tuple[Hint, ...]
    whole: Floats
    regions: dict[str, Floats]
    confidence: Floats
    face_pixels: float
    found_by: str
    warnings: tuple[str, ...]


def inspect_clip(
    clip: Clip,
    runtime: Runtime,
    tell: Callable[[float], None] | None = None,
    *,
    onset: int | None = None,
    near: tuple[float, float] | None = None,
    rest: Clip | None = None,
) -> Inspection:
    """Return what a clip shows; `tell` hears how far this is, 0..1.

    `onset` names a frame that is known to be at rest, `near` (x, y) in pixels the face that is
    meant, `rest` another clip of the same person at rest. Raises InputError where there is no face.
    """
    measured = measure(clip, runtime.encode, tell, onset=onset, near=near, rest=rest)
    poses, trust = measured.poses, measured.trust
    curves = curves_of(measured.flows, clip.times, poses, trust, measured.eyes)
    spotted = tuple(spot_in(curves))
    turned = int((~curves.witness).sum())
    points = measured.start.face.within
    described = tuple(describe(measured.flows, clip.times, trust, poses, points))
    whole = curves.whole
    regions = {name: _moved(measured.flows[:, cells]) for name, cells in sided_cells().items()}
    moments = moments_of(strongest(spotted, curves), clip.times)
    warnings = [
        *clip.notes,
        *_about_pictures(clip, measured, asked=near is not None),
        *map(_with_frames, measured.warnings),
        *_about_neutral(measured),
        *_about_motion(spotted, whole, measured, turned),
    ]
    return Inspection(
        spotted, *moments, described, tuple(emotion_hints(described)), whole, regions,
        measured.confidence, float(measured.start.face.crop.side), measured.start.face.found_by,
        tuple(warnings),
    )  # fmt: skip


def _moved(flows: Reals) -> Floats:
    """Return how far (T,) flows (T, N, 2) move, RMS over the places."""
    squares = (np.asarray(flows, np.float64) ** 2).sum(-1)
    return np.asarray(np.sqrt(squares.mean(1)))


def sided_cells() -> dict[str, NDArray[np.bool_]]:
    """Return which cells (64, 64) of a face crop each side of a region takes, by `brows left`."""
    x = template(CELLS).x
    return {
        f"{region} {side}": np.asarray(cells & (sign * x >= 0))
        for region, cells in region_cells(CELLS).items()
        for side, sign in (("left", 1), ("right", -1))
    }


def _about_pictures(clip: Clip, measured: Measured, *, asked: bool) -> list[str]:
    warnings = []
    face, neutral = measured.start.face, measured.start.neutral
    face_pixels = face.crop.side
    first = take_crop(clip.frames[0] if neutral.apart else neutral.image, face.crop)
    if clip.fps < _SLOW_FPS:
        warnings.append(
            f"{float(clip.fps):g} frames a second: the shortest micro-expressions have less than "
            + (f"{int(clip.fps / 15) + 1} frames" if clip.fps >= 15 else "one frame")
        )
    if face_pixels < _SMALL_FACE_PIXELS:
        warnings.append(f"the face is only {face_pixels:.0f} pixels wide")
    if (outside := _outside(face.crop, clip.size)) > _OUTSIDE:
        warnings.append(
            f"{outside:.0%} of the face lie outside the picture; no motion is known there"
        )
    if others := told_of_others(face, asked=asked):
        warnings.append(others)
    if face.found_by == "cascades":
        warnings.append("the face was found by OpenCV's detector alone; its features are not known")
    elif face.found_by == "MediaPipe":
        warnings.append("the face was found by MediaPipe; the network does not know its features")
    middle = first[
        NETWORK_PIXELS // 4 : -NETWORK_PIXELS // 4, NETWORK_PIXELS // 4 : -NETWORK_PIXELS // 4
    ]
    level = float(middle.mean())
    if level < _DARK:
        warnings.append(f"the face is dark (mean level {level:.0f} of 255)")
    elif level > _BRIGHT or float((middle >= 254).all(-1).mean()) > _CLIPPED_SHARE:
        warnings.append("parts of the face are burnt out")
    return warnings


def _outside(crop: Crop, size: tuple[int, int]) -> float:
    """Return which share of the face in a crop lies outside a picture of `size` (width, height)."""
    maps = template(CELLS)
    rows, columns = np.nonzero(maps.face > 0.5)
    points = np.stack([columns, rows], 1) * (2 / (CELLS - 1)) - 1
    places = crop.to_picture(points)
    return float(1 - ((places >= 0) & (places <= size)).all(1).mean())


def _with_frames(warning: clean.Warning) -> str:
    """Return a warning's sentence with the frames that it is about."""
    named = ", ".join(map(str, warning.frames[:_NAMED_FRAMES]))
    more = ", ..." if len(warning.frames) > _NAMED_FRAMES else ""
    return f"{warning.what} ({named}{more})" if named else warning.what


def _about_neutral(measured: Measured) -> list[str]:
    warnings = []
    neutral = measured.start.neutral
    if held := held_in_neutral(measured.flows, measured.trust, measured.poses):
        named = " and ".join(f"AU{unit} ({unit_name(unit)})" for unit in held[:2])
        warnings.append(
            f"the neutral seems to hold {named}, and what is told to be the face without: "
            "give a picture of it at rest (--neutral)"
        )
    seen = measured.eyes.mean(1)
    usual = float(np.percentile(seen, 80))
    if not neutral.apart and float(seen[list(neutral.frames_used)].mean()) < _CLOSED * usual:
        warnings.append(
            "the eyes are closed in the neutral, and the lids not told rightly: "
            "give a picture with open ones (--neutral)"
        )
    return warnings


def _about_motion(
    spotted: tuple[Spotted, ...], whole: Floats, measured: Measured, turned: int
) -> list[str]:
    warnings = []
    if turned:
        warnings.append(
            f"the head is turned by over {TURNED_DEGREES:g} degrees in {turned} "
            f"frame{'s' * (turned != 1)}: what the face does there is not told"
        )
    confidence = measured.confidence
    seen = np.where(confidence > 0, confidence, 1)
    if float(seen.min()) < _UNSURE:
        worst = int(seen.argmin())
        warnings.append(
            f"the motion is not understood everywhere: {confidence[worst]:.0%} at frame {worst}"
        )
    for kind, what in (("blink", "the eyes blink"), ("speech", "the mouth speaks")):
        if count := sum(event.kind == kind for event in spotted):
            warnings.append(f"{what}, {'once' if count == 1 else f'{count} times'}")
    if not any(event.kind in EXPRESSIONS for event in spotted):
        return [*warnings, "no expression is spotted"]
    peak = float(whole.max())
    if float(whole[min(2, len(whole) - 1)]) > _AT_REST * peak:
        begun = "the expression has begun in the first frames"
        neutral = measured.start.neutral
        of_these = not neutral.apart and neutral.frame == 0
        warnings.append(f"{begun}; the neutral is not neutral" if of_these else begun)
    if float(whole[-1]) > _AT_REST * peak:
        warnings.append("the clip ends before the expression does")
    return warnings
