"""Which of several faces in a picture is meant, in words: `left`, `2`, `470,160`."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ...errors import InputError

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


def parse_face(text: str) -> FaceChoice:
    """Return what a user's words for a face mean; raises InputError where they mean none."""
    named = {"largest": FaceChoice(), "left": FaceChoice(order=0), "right": FaceChoice(order=-1)}
    if text in named:
        return named[text]
    if text.isascii() and text.isdecimal() and 0 < int(text) < 1000:
        return FaceChoice(order=int(text) - 1)
    try:
        x, y = map(float, text.split(","))
    except ValueError:
        x = y = math.nan
    if not (math.isfinite(x) and math.isfinite(y)):
        raise InputError(f"The face {text!r}.", f"Give {CHOICES}.")
    return FaceChoice((x, y))
