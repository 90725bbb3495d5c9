"""The face at rest, from which all motion is measured: found in the clip, and freed of its noise.

One frame's sensor noise would be seen as motion in every other frame. So the frames of a still
stretch, as far as they rest (`rest.py`), are laid over one another, the head's own sway taken out,
and averaged; the face rests as it rests, its lips parted if they are, since only what changes
counts as expression. A clip that never rests takes its neutral from another one of the same person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from .crop import Crop, shrink_for
from .overlay import Overlay
from .rest import resting
from .sampling import Reals

#: A still stretch is at most this long, and averaged from at most so many frames.
STRETCH_SECONDS, MOST_FRAMES = 0.15, 12
#: What a face goes on to do is seen in so many frames at most that follow within this time.
FOLLOWING_SECONDS, MOST_FOLLOWING = 0.4, 16
#: Where that tells nothing, a stretch that may end in an expression is believed to rest this far.
BELIEVED_SHARE = 0.5
#: Frames that differ from the stretch's first by more than this multiple of what noise alone makes
#: are no longer at rest.
NOISE_RATIO = 1.25


@dataclass(frozen=True)
class Neutral:
    """A face at rest: `image` (H, W, 3) uint8; `frame` whose head pose it has; `frames_used`.

    With `apart` it is of another clip: that one's frames are counted, and `image` is moved so that
    its face lies in this clip's crop.
    """

    image: NDArray[np.uint8]
    frame: int
    frames_used: tuple[int, ...]
    apart: bool = False


def neutral_of(
    frames: Sequence[NDArray[np.uint8]],
    times: Reals,
    crop: Crop | None = None,
    *,
    about: int | None = None,
    onset: bool = False,
) -> Neutral:
    """Return the neutral of a clip of frames (H, W, 3) uint8 at `times` (T,) seconds.

    It is of the clip's beginning, or of the stretch `about` a frame known to be at rest, after
    which, at an `onset`, an expression begins. `crop` says where the face is; else the whole
    picture is compared.
    """
    first, last = (0, 0) if len(frames) == 1 else _stretch(times, about)
    middle = first if about is None else about
    overlay = Overlay(frames, middle, crop)
    surely = about is not None and not onset
    others = [
        *_rested(overlay, times, range(middle, last + 1), surely),
        *_rested(overlay, times, range(middle, first - 1, -1), True),
    ]
    face = overlay.face(middle)
    errors = {index: _apart(overlay.face(index), face) for index in others}
    total, used = frames[middle].astype(np.float32), [middle]
    # The nearest frames in time show what noise alone makes.
    most = NOISE_RATIO * min(errors.values(), default=0.0) + 0.05
    for index, error in errors.items():
        if error <= most:
            total += overlay.frame(index)
            used.append(index)
    image = np.clip(total / len(used) + 0.5, 0, 255).astype(np.uint8)
    return Neutral(image, middle, tuple(sorted(used)))


def _rested(overlay: Overlay, times: Reals, stretch: range, surely: bool) -> list[int]:
    """Return which frames of a stretch, without its first, rest: all, `surely`, where nothing is
    told.

    The stretch leads away from its first frame, on or back in time.
    """
    if len(stretch) == 1:
        return []
    step = stretch.step
    beyond = np.arange(stretch.stop, len(times) if step > 0 else -1, step)
    beyond = beyond[np.abs(times[beyond] - times[stretch.start]) <= FOLLOWING_SECONDS]
    picked = np.linspace(0, len(beyond) - 1, min(len(beyond), MOST_FOLLOWING)).round().astype(int)
    seen = [*stretch, *(int(index) for index in beyond[picked])]
    count = resting(np.stack([overlay.face(index) for index in seen]), len(stretch))
    if count is None:
        count = round((1.0 if surely else BELIEVED_SHARE) * len(stretch))
    return list(stretch[1 : max(1, count)])


def _apart(face: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return by how many levels (RMS) two faces differ, noise smoothed away."""
    return float(np.sqrt((cv2.GaussianBlur(face - other, (0, 0), 1.5) ** 2).mean()))


def brought(neutral: Neutral, own: Crop, onto: Crop, size: tuple[int, int]) -> Neutral:
    """Return another clip's neutral for a clip of pictures of `size` (width, height).

    The face that `own` is about comes to lie in the crop `onto`. Where the head differs otherwise,
    as it does when it is turned, steadying takes that out.
    """
    there, here = (np.vstack([crop.affine(), (0, 0, 1)]) for crop in (own, onto))
    affine = np.asarray(there @ np.linalg.inv(here), np.float64)[:2]
    picture, affine = shrink_for(neutral.image, affine)
    moved = cv2.warpAffine(
        picture,
        affine,
        size,
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    image = np.asarray(moved, np.uint8)
    return replace(neutral, image=image, apart=True)


def _stretch(times: Reals, about: int | None) -> tuple[int, int]:
    """Return the first and last frame of the stretch about a frame, or of the first."""
    seconds = np.asarray(times, np.float64)
    if about is None:
        near = np.flatnonzero(seconds - seconds[0] <= STRETCH_SECONDS)[:MOST_FRAMES]
    else:
        near = np.flatnonzero(np.abs(seconds - seconds[about]) <= STRETCH_SECONDS / 2)
        if len(near) > MOST_FRAMES:
            near = near[np.abs(near - about) <= MOST_FRAMES // 2]
    return int(near[0]), int(near[-1])
