"""What is said of regions and sides of the face: gains, and shares of a second clip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...errors import InputError

#: From the top down.
REGIONS = ("brows", "lids", "nose", "cheeks", "lips", "chin")
#: The subject's own.
SIDES = ("left", "right")
#: Gains that make sense.
GAINS = (0.0, 4.0)

#: A mix that takes as much of the second clip as of the first.
EVEN_MIX = "0.5"

#: A region and a side of the face.
Place = tuple[str, str]
Gains = Mapping[Place, float]


@dataclass(frozen=True)
class Mix:
    """How much of a second clip there is, 0..1: as a `whole`, and in `parts` of the face that
    differ."""

    whole: float
    parts: Mapping[Place, float] = field(default_factory=dict)

    @property
    def everywhere(self) -> dict[Place, float]:
        """The share in every part of the face."""
        return {(r, s): self.parts.get((r, s), self.whole) for r in REGIONS for s in SIDES}


def parse_gains(text: str) -> dict[Place, float]:
    """Return the gain of each region and side named in "brows=2, lips.left=0.5, right=0.8".

    A region alone is both its sides, a side alone all its regions; what is named twice is
    multiplied. Raises InputError for a name or a number that does not fit.
    """
    gains: dict[Place, float] = {}
    for entry in _entries(text):
        places = _places(entry, "gain")
        gain = _number(entry, "gain", GAINS[1], "Give 1 for the clip's own motion.")
        for place in places:
            gains[place] = gains.get(place, 1.0) * gain
    return gains


def parse_mix(text: str) -> Mix:
    """Return the mix that a text like "0.5" or "0.3, brows=0, lips.left=1" asks for.

    A number alone is the share as a whole, 0 where none is given; of what is named twice the last
    counts. Raises InputError for a name or a number that does not fit.
    """
    whole = 0.0
    parts: dict[Place, float] = {}
    for entry in _entries(text):
        places = _places(entry, "share") if "=" in entry else ()
        share = _number(entry, "share", 1.0, "Give 0 for the first clip, 1 for the second.")
        if places:
            parts |= dict.fromkeys(places, share)
        else:
            whole = share
    return Mix(whole, parts)


def _entries(text: str) -> list[str]:
    return [entry.strip() for entry in text.split(",") if entry.strip()]


def _places(entry: str, what: str) -> tuple[Place, ...]:
    """Return the parts of the face that an entry like "lips.left=0.5" names."""
    name, equals, _ = entry.partition("=")
    region, _, side = name.strip().partition(".")
    if region in SIDES and not side:
        region, side = "", region
    known = (region in REGIONS or (not region and side)) and (not side or side in SIDES)
    if not known or not equals:
        raise InputError(
            f"The {what} '{entry}' names no region of the face.",
            f"Write REGION={what.upper()} or REGION.SIDE={what.upper()}; regions are "
            f"{', '.join(REGIONS)}, sides left and right.",
        )
    return tuple((r, s) for r in REGIONS for s in SIDES if region in ("", r) and side in ("", s))


def _number(entry: str, what: str, most: float, remedy: str) -> float:
    try:
        number = float(entry.rpartition("=")[2])
    except ValueError:
        number = float("nan")
    if not 0 <= number <= most:
        raise InputError(f"The {what} '{entry}' is no number from 0 to {most:g}.", remedy)
    return number
