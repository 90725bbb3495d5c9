"""Find what is wrong with a clip's frames, and mend the motion of those that cannot be believed.

Flicker is evened out where motion is measured (`dense.py`), noise by the neutral's averaging and by
smoothing over time (`engine/smooth.py`), frames missing by their time stamps, which everything goes
by. What is left to mend are frames that lie: taken twice, smeared by motion, or without the face.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from ...models.flow import luminance
from .crop import Crop, shrink_for
from .roomy import roomy
from .sampling import Reals

Floats = NDArray[np.float64]
F = TypeVar("F", np.float16, np.float32, np.float64)
Kind = Literal[
    "flicker",
    "noise",
    "compression",
    "blur",
    "duplicated",
    "dropped",
    "gone",
    "covered",
    "interlaced",
]

#: Frames are compared at this size.
COMPARED_PIXELS = 160
#: Flicker: standard deviation of the light from frame to frame, as a share of it.
FLICKER_SHARE = 0.006
#: Noise of a single pixel, in grey levels.
NOISE_LEVELS = 5.0
#: Steps at the borders of the 8 x 8 blocks of compression against those elsewhere.
BLOCKS_RATIO = 1.35
#: A frame is smeared whose detail falls to this share of its neighbours'.
BLUR_SHARE = 0.7
#: A frame is a repetition that differs from the one before by less than this share of what frames
#: usually do, or not at all.
REPEATED_SHARE = 0.12
#: Rows side with the frame before or after by turns, in interlaced video, by this share of what
#: moves, and there is something to tell where pixels of the face change by so many levels.
INTERLACED_SHARE, MOVING_LEVELS = 0.12, 0.5
#: Frames are missing where the time stamps step by more than this many usual steps.
MISSING_STEPS = 1.5
#: So many frames before and after one without the face show but part of it.
HALF_GONE = 2
#: Neighbours that a frame is held against, in frames to each side.
NEIGHBOURS = 6


@dataclass(frozen=True)
class Warning:  # noqa: A001 - it is one, and nothing here warns in Python's sense
    """Something wrong with a clip: its kind, the `frames` concerned (all of them: empty), and a
    sentence on `what` it is."""

    kind: Kind
    frames: tuple[int, ...]
    what: str


def quality(
    frames: Iterable[NDArray[np.uint8]], times: Reals, crop: Crop | None = None
) -> list[Warning]:
    """Return what is wrong with frames (H, W, 3) uint8 at `times` (T,) seconds.

    `crop` says where the face is; else the whole picture is judged. Frames are looked at one after
    the other and not kept.
    """
    seconds = np.asarray(times, np.float64)
    levels, details, changes, noises, blocks = [], [], [], [], []
    before: NDArray[np.float32] | None = None
    rows: list[NDArray[np.uint8]] = []
    sides = []
    for frame in frames:
        grey = luminance(frame)
        rows = [*rows[-2:], _middle(grey, crop)]
        if len(rows) == 3:
            sides.append(_sides(*rows))
        blocks.append(_blockiness(grey))
        small = _compared(grey, crop)
        levels.append(float(small.mean()))
        smooth = cv2.GaussianBlur(small, (0, 0), 1.0)
        details.append(float(cv2.Laplacian(smooth, cv2.CV_32F, ksize=3).var()))
        noises.append(_noise(_middle(grey, crop)))
        changes.append(np.inf if before is None else float(np.abs(small - before).mean()))
        before = small
    warnings = _about_light(np.array(levels), float(np.median(noises)))
    if float(np.median(blocks)) > BLOCKS_RATIO:
        warnings.append(Warning("compression", (), "compression has left visible blocks"))
    if _interlaced(np.array(sides)):
        what = "the video is interlaced, which combs what moves: deinterlace it first (bwdif)"
        warnings.append(Warning("interlaced", (), what))
    repeated = _repeated(np.array(changes))
    if repeated:
        many = _frames(len(repeated), "repeats", "repeat")
        warnings.append(Warning("duplicated", repeated, f"{many} the one before"))
    blurred = _blurred(np.array(details))
    if blurred:
        many = _frames(len(blurred), "is", "are")
        warnings.append(Warning("blur", blurred, f"{many} smeared by motion"))
    return warnings + _about_times(seconds)


def _frames(count: int, one: str, more: str) -> str:
    """Return how many frames there are, and the verb for one of them or for more."""
    return f"{count} frame {one}" if count == 1 else f"{count} frames {more}"


def gone(lost: Sequence[int], count: int) -> list[Warning]:
    """Return which of `count` frames do not show the face, or not all of it, given those in which
    the head is `lost`."""
    near = {k for at in lost for k in range(at - HALF_GONE, at + HALF_GONE + 1)}
    named = tuple(sorted(k for k in near if 0 <= k < count))
    many = _frames(len(named), "does", "do")
    what = f"{many} not show the whole face: it leaves, is hidden or turns away"
    return [Warning("gone", named, what)] if named else []


def covered(frames: Sequence[int], parts: Sequence[str]) -> list[Warning]:
    """Return a warning of the frames in which something covers `parts` of the face, if any."""
    if not frames:
        return []
    over = f"the {' and the '.join(parts)}" if parts else "part of the face"
    what = f"{_frames(len(frames), 'has', 'have')} something before {over}: nothing is told there"
    return [Warning("covered", tuple(frames), what)]


def bridge(values: NDArray[F], times: Reals, frames: Iterable[int]) -> None:
    """Set values (T, ...) of `frames` to lie evenly between those of the frames beside them."""
    bad, good = _parted(len(values), frames)
    if not len(good):
        return
    places = np.interp(times, np.asarray(times)[good], np.arange(len(good)))
    for index in bad:
        before = good[int(places[index])]
        after = good[min(len(good) - 1, int(places[index]) + 1)]
        share = places[index] % 1
        values[index] = (1 - share) * values[before] + share * values[after]


def unbelievable(warnings: Iterable[Warning]) -> tuple[int, ...]:
    """Return the frames whose motion is not to be believed, in order."""
    return tuple(
        sorted({k for w in warnings if w.kind in ("blur", "duplicated") for k in w.frames})
    )


def mended(flows: NDArray[F], times: Reals, frames: Iterable[int]) -> NDArray[F]:
    """Return flows (T, ...) with those of `frames` taken from their neighbours, by time.

    A cubic through the two nearest frames on each side; at the ends, the nearest frame's.
    """
    bad, good = _parted(len(flows), frames)
    if not len(bad) or len(good) < 2:
        return flows
    from scipy.interpolate import CubicSpline

    seconds = np.asarray(times, np.float64)
    result = roomy(flows.shape, flows.dtype.type)
    result[:] = flows
    for index in bad:
        after = int(np.searchsorted(good, index))
        near = good[max(0, after - 2) : after + 2]
        if after in (0, len(good)):
            result[index] = flows[good[0] if after == 0 else good[-1]]
        else:
            result[index] = CubicSpline(seconds[near], flows[near].astype(np.float64))(
                seconds[index]
            )
    return result


def _parted(count: int, frames: Iterable[int]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return which of `count` frames are those named, and which the others, in order."""
    named = np.zeros(count, np.bool_)
    named[list(frames)] = True
    return np.flatnonzero(named), np.flatnonzero(~named)


def _compared(grey: NDArray[np.uint8], crop: Crop | None) -> NDArray[np.float32]:
    size = (COMPARED_PIXELS, COMPARED_PIXELS)
    if crop is None:
        return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.float32)
    picture, affine = shrink_for(grey, crop.affine(COMPARED_PIXELS))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cut = cv2.warpAffine(picture, affine, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, np.float32)


def _middle(grey: NDArray[np.uint8], crop: Crop | None) -> NDArray[np.uint8]:
    """Return the middle of the face, in the picture's own pixels."""
    height, width = grey.shape
    x, y, side = (width / 2, height / 2, min(width, height)) if crop is None else (
        *crop.centre, crop.side,
    )  # fmt: skip
    rows = slice(max(0, round(y - 0.25 * side)), max(3, round(y + 0.25 * side)))
    columns = slice(max(0, round(x - 0.25 * side)), max(3, round(x + 0.25 * side)))
    return grey[rows, columns]


def _noise(picture: NDArray[np.uint8]) -> float:
    """Return the noise of a pixel (Immerkaer, CVIU 64, 1996), by the median, which edges spare."""
    mask = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    return float(np.median(np.abs(cv2.filter2D(picture, cv2.CV_32F, mask))) / 0.6745 / 6)


def _blockiness(grey: NDArray[np.uint8]) -> float:
    """Return how much larger steps are at every eighth column than elsewhere."""
    step = np.abs(np.diff(grey[::4].astype(np.int16), axis=1)).mean(0)
    at = step[7::8].mean() if len(step) > 16 else 0.0
    return float((at + 0.5) / (np.median(step) + 0.5))


def _sides(
    before: NDArray[np.uint8], frame: NDArray[np.uint8], after: NDArray[np.uint8]
) -> tuple[float, float, float]:
    """Return by how much more even rows are like the frame before than odd ones are, how unlike
    the frames before and after are, and by how much a pixel differs between them.

    A row is held against those above and below it, as FFmpeg's `idet` does: in interlaced video
    these are half a frame older or newer. What speeds up or slows down cancels out.
    """
    beside = frame[:-2].astype(np.int16) + frame[2:]
    older = np.abs(beside - 2 * before[1:-1].astype(np.int16))
    newer = np.abs(beside - 2 * after[1:-1].astype(np.int16))
    apart = (newer - older).astype(np.float64)
    by_row = apart.sum(1)
    total = float(np.abs(apart).sum())
    return float(by_row[::2].sum() - by_row[1::2].sum()), total, total / (2 * apart.size)


def _interlaced(sides: Floats) -> bool:
    """Return whether rows take sides by turns, given `_sides` of frames (T, 3)."""
    moving = sides[sides[:, 2] > MOVING_LEVELS] if len(sides) else sides
    return len(moving) > 2 and abs(moving[:, 0].sum()) > INTERLACED_SHARE * moving[:, 1].sum()


def _about_light(levels: Floats, noise: float) -> list[Warning]:
    warnings = []
    if len(levels) > 4:
        jumps = np.diff(levels, 2) / np.sqrt(6)
        share = float(np.median(np.abs(jumps))) / 0.6745 / max(1.0, float(levels.mean()))
        if share > FLICKER_SHARE:
            warnings.append(Warning("flicker", (), f"the light flickers by {share:.1%}"))
    if noise > NOISE_LEVELS:
        warnings.append(Warning("noise", (), f"the pictures are noisy ({noise:.1f} levels)"))
    return warnings


def _repeated(changes: Floats) -> tuple[int, ...]:
    """Return the frames that are the one before once more."""
    if len(changes) < 3:
        return ()
    usual = float(np.median(changes[1:]))
    return tuple(int(k) for k in np.flatnonzero(changes <= REPEATED_SHARE * usual))


def _blurred(details: Floats) -> tuple[int, ...]:
    found = []
    for index, detail in enumerate(details):
        near = np.delete(
            details[max(0, index - NEIGHBOURS) : index + NEIGHBOURS + 1],
            min(index, NEIGHBOURS),
        )
        if len(near) and detail < BLUR_SHARE * float(np.median(near)):
            found.append(index)
    return tuple(found)


def _about_times(seconds: Floats) -> list[Warning]:
    if len(seconds) < 3:
        return []
    steps = np.diff(seconds)
    usual = float(np.median(steps))
    after = np.flatnonzero(steps > MISSING_STEPS * usual)
    if not len(after):
        return []
    lost = int(np.round(steps[after] / usual - 1).sum())
    return [
        Warning(
            "dropped",
            tuple(int(k) + 1 for k in after),
            f"{_frames(lost, 'is', 'are')} missing by the time stamps, before the frames named",
        )
    ]
