"""What is said of time: how long a clip lasts, and when its moments come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from ...errors import InputError
from .failures import Code, ProtocolError

#: Seconds that a clip may last, and times its own duration that it may be stretched by.
DURATIONS, FACTORS = (0.02, 60.0), (0.05, 20.0)
#: The moments of a clip, in their order; between its start and its end.
MOMENTS = ("onset", "apex", "offset")
_GRAMMAR = (
    "Write NAME=SECONDS for onset, apex, offset, duration or a time of the clip; factor=F; fps=R."
)


@dataclass(frozen=True)
class Retiming:
    """How a clip is to be timed; None leaves a thing as it is.

    `duration` of the whole clip, or `factor` times its own; `onset`, `apex`, `offset` from its
    start; `knots` (clip's own time, new time); all in seconds. `fps` is the rate of what is made.
    """

    duration: float | None = None
    factor: float | None = None
    onset: float | None = None
    apex: float | None = None
    offset: float | None = None
    knots: tuple[tuple[float, float], ...] = ()
    fps: Fraction | None = None

    @property
    def moves_moments(self) -> bool:
        """Whether an onset, apex or offset is given."""
        return any(moment is not None for moment in (self.onset, self.apex, self.offset))


def parse_timing(text: str) -> Retiming:
    """Return the timing that a text asks for, like "duration=0.3, apex=0.12" or "0.25=0.4, fps=60".

    Raises InputError for a name or a number that does not fit.
    """
    given: dict[str, float] = {}
    knots: list[tuple[float, float]] = []
    fps: Fraction | None = None
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = (part.strip() for part in entry.partition("="))
        if name == "fps":
            fps = _rate(value)
        elif name in ("duration", "factor", *MOMENTS):
            low, high = {"duration": DURATIONS, "factor": FACTORS}.get(name, (0.0, DURATIONS[1]))
            given[name] = _number(value, low, high, entry)
        else:
            own = _number(name, 0.0, DURATIONS[1], entry)
            knots.append((own, _number(value, 0.0, DURATIONS[1], entry)))
    if "duration" in given and "factor" in given:
        raise InputError("A duration and a factor of it were given.", "Give one of them.")
    knots.sort()
    if any(a[0] == b[0] or a[1] >= b[1] for a, b in pairwise(knots)):
        raise InputError(f"The times in '{text}' do not rise.", "Give later ones for later ones.")
    return Retiming(**given, knots=tuple(knots), fps=fps)


def moved_moments(
    natural: Sequence[float],
    duration: float | None,
    onset: float | None,
    apex: float | None,
    offset: float | None,
) -> list[float]:
    """Return when a clip's start, onset, apex, offset and end come, seconds; `natural` is when they
    come by themselves.

    A duration alone stretches all alike, so that the apex keeps its share; moments that are given
    are met exactly. Without a duration, what comes after a given offset keeps its length. Raises
    InputError where the moments would be out of order.
    """
    wanted = list(natural)
    if duration is not None and duration != natural[4] and natural[4] > 0:
        scale, end = duration / natural[4], natural[4]
        wanted = [duration if one == end else one * scale for one in natural]
    for place, moment in ((1, onset), (2, apex), (3, offset)):
        if moment is not None:
            wanted[place] = moment
    if offset is not None and (duration is None or natural[3] == natural[4]):
        wanted[4] = offset + (natural[4] - natural[3])
    for before, after in ((1, 2), (2, 3), (3, 4), (0, 1)):
        is_point = natural[before] == natural[after]
        if wanted[before] > wanted[after] or (wanted[before] == wanted[after] and not is_point):
            names = ("start", *MOMENTS, "end")
            raise InputError(
                f"The clip's {names[after]} ({wanted[after]:g} s) would not come after its "
                f"{names[before]} ({wanted[before]:g} s).",
                "Give moments that rise: onset, apex, offset, duration.",
            )
    return wanted


def parse_fps(text: str) -> Fraction:
    """Return a frame rate from "25", "29.97" or "24000/1001"; raises ProtocolError (INPUT)."""
    try:
        rate = Fraction(text)
    except (ValueError, ZeroDivisionError) as fault:
        raise _refused("the frame rate is not a number or a ratio") from fault
    if not 1 <= rate <= 10_000:
        raise _refused("the frame rate is not within 1 to 10000")
    return rate


def _refused(why: str) -> ProtocolError:
    return ProtocolError(
        f"The server refused the request: {why}.", "Correct the request.", Code.INPUT
    )


def _rate(text: str) -> Fraction:
    try:
        return parse_fps(text)
    except ProtocolError as fault:
        raise InputError(
            f"{text or 'nothing'} is not a frame rate.", "Give a number or a ratio like 24000/1001."
        ) from fault


def _number(text: str, low: float, high: float, entry: str) -> float:
    try:
        number = float(text)
    except ValueError as fault:
        raise InputError(f"'{entry}' says nothing of a clip's time.", _GRAMMAR) from fault
    if not low <= number <= high:
        raise InputError(f"In '{entry}' {number:g} is not within {low:g} to {high:g}.", _GRAMMAR)
    return number
