"""Which of several faces is meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...errors import InputError
from .face import CONVINCING_SHARE, FaceBox

#: What can be said of a face, for errors and help.
CHOICES = "largest, left, right, a number from the picture's left (1 first), or a place X,Y"


@dataclass(frozen=True)
class FaceChoice:
    """The face that is meant: the one at a `place` (x, y) in pixels; or by its `order` from the
    picture's left, 0 first, -1 last; with neither, the largest."""

    place: tuple[float, float] | None = None
    order: int | None = None

    @property
    def is_largest(self) -> bool:
        """Whether it is the largest face, whichever that is."""
        return self.place is None and self.order is None

    def place_among(self, found: Sequence[FaceBox], name: str) -> tuple[float, float]:
        """Return where (x, y) the face is among those `found` in a picture.

        Raises InputError where the picture, `name`, has no such face.
        """
        least = CONVINCING_SHARE * max((face.confidence for face in found), default=0.0)
        faces = [face for face in found if face.confidence >= least]
        if self.is_largest and faces:
            return max(faces, key=lambda face: face.crop.side).crop.centre
        if self.place is None:
            order = self.order or 0
            if not -len(faces) <= order < len(faces):
                raise self._absent(f"no face {order + 1}", faces, name)
            return sorted(face.crop.centre for face in faces)[order]
        for face in faces:
            if np.hypot(*np.subtract(face.crop.centre, self.place)) < face.crop.side / 2:
                return face.crop.centre
        raise self._absent("no face at {:g},{:g}".format(*self.place), faces, name)

    @staticmethod
    def _absent(what: str, faces: Sequence[FaceBox], name: str) -> InputError:
        places = ", ".join("{:.0f},{:.0f}".format(*face.crop.centre) for face in faces)
        return InputError(f"There is {what} in {name}.", f"Choose of those at {places or 'none'}.")


def face_choice(text: str) -> FaceChoice:
    """Return what a user's words for a face mean; raises InputError where they mean none."""
    named = {"largest": FaceChoice(), "left": FaceChoice(order=0), "right": FaceChoice(order=-1)}
    if text in named:
        return named[text]
    if text.isdecimal() and int(text):
        return FaceChoice(order=int(text) - 1)
    try:
        x, y = map(float, text.split(","))
    except ValueError as error:
        raise InputError(f"The face {text!r}.", f"Give {CHOICES}.") from error
    return FaceChoice((x, y))


def told_of_others(face: FaceBox, *, asked: bool) -> str | None:
    """Return a sentence on which of several faces is measured, None where there is but one."""
    if not face.others:
        return None
    which = "the one that was asked for" if asked else "the largest"
    x, y = face.crop.centre
    return f"{face.others + 1} faces are seen; {which}, about ({x:.0f}, {y:.0f}), is measured"
