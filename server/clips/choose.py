"""Find the face that is meant among several."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import InputError
from ..protocol.faces import FaceChoice
from .clip import Clip
from .face import CONVINCING_SHARE, Encode, FaceBox, find_faces


def face_place(
    clip: Clip, choice: FaceChoice, encode: Encode, onset: int | None = None
) -> tuple[float, float] | None:
    """Return where (x, y) in pixels the chosen face is in a clip's frame at rest, the first if
    `onset` is None; None for the largest face, which need not be looked for.

    Raises InputError where there is no such face.
    """
    if choice.is_largest:
        return None
    found = find_faces(clip.frames[onset or 0], encode)
    return place_among(choice, found, f"the clip {clip.name}")


def place_among(choice: FaceChoice, found: Sequence[FaceBox], name: str) -> tuple[float, float]:
    """Return where (x, y) the chosen face is among those `found` in a picture.

    Raises InputError where the picture, `name`, has no such face.
    """
    least = CONVINCING_SHARE * max((face.confidence for face in found), default=0.0)
    faces = [face for face in found if face.confidence >= least]
    if choice.is_largest and faces:
        return max(faces, key=lambda face: face.crop.side).crop.centre
    if choice.place is None:
        order = choice.order or 0
        if not -len(faces) <= order < len(faces):
            raise _absent(f"no face {order + 1}", faces, name)
        return sorted(face.crop.centre for face in faces)[order]
    for face in faces:
        if np.hypot(*np.subtract(face.crop.centre, choice.place)) < face.crop.side / 2:
            return face.crop.centre
    raise _absent("no face at {:g},{:g}".format(*choice.place), faces, name)


def _absent(what: str, faces: Sequence[FaceBox], name: str) -> InputError:
    places = ", ".join("{:.0f},{:.0f}".format(*face.crop.centre) for face in faces)
    return InputError(f"There is {what} in {name}.", f"Choose of those at {places or 'none'}.")


def told_of_others(face: FaceBox, *, asked: bool) -> str | None:
    """Return a sentence on which of several faces is measured, None where there is but one."""
    if not face.others:
        return None
    which = "the one that was asked for" if asked else "the largest"
    x, y = face.crop.centre
    return f"{face.others + 1} faces are seen; {which}, about ({x:.0f}, {y:.0f}), is measured"
