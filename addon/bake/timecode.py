"""Moments on a scene's timeline as people write them: frame 101, 1.5s, 01:00:00:12."""

from __future__ import annotations

import re
from fractions import Fraction

from ...errors import InputError

_TIMECODE = re.compile(r"^(\d+):([0-5]?\d):([0-5]?\d)([:;.])(\d+)$")
_SECONDS = re.compile(r"^([-+]?\d+(?:\.\d+)?) ?s(?:ec|econds)?$")
_FRAMES = re.compile(r"^([-+]?\d+(?:\.\d+)?)(?: ?f(?:rames)?)?$")
#: Rates whose timecode may drop frame numbers, and how many each minute.
_DROPPED = {Fraction(30000, 1001): 2, Fraction(60000, 1001): 4}


def read_moment(text: str, fps: Fraction) -> float:
    """Return the scene frame that a text names.

    A number is a frame. `1.5s` is so many seconds after frame 0, `01:02:03:04` hours, minutes,
    seconds and frames after it; with `;` before the frames drop-frame timecode, at 29.97 and
    59.94. Timecode counts frames at the rounded rate, as editing systems do. Raises `InputError`.
    """
    text = text.strip()
    if found := _FRAMES.match(text):
        return float(found[1])
    if found := _SECONDS.match(text):
        return float(Fraction(found[1]) * fps)
    found = _TIMECODE.match(text)
    if found is None:
        raise InputError(
            f"'{text}' is no start.",
            "Give a frame (101), seconds (1.5s) or a timecode (00:00:04:05).",
        )
    hours, minutes, seconds, frames = (int(found[part]) for part in (1, 2, 3, 5))
    whole = round(fps)
    if frames >= whole:
        raise InputError(
            f"'{text}' names frame {frames} of a second that has {whole}.",
            f"Give frames below {whole}.",
        )
    total = ((hours * 60 + minutes) * 60 + seconds) * whole + frames
    if found[4] == ":":
        return float(total)
    if found[4] == "." or fps not in _DROPPED:
        raise InputError(
            f"'{text}' is no timecode of a scene at {float(fps):g} frames a second.",
            "Part the frames with ':' (drop-frame ';' is for 29.97 and 59.94 alone).",
        )
    dropped, all_minutes = _DROPPED[fps], hours * 60 + minutes
    if minutes % 10 and seconds == 0 and frames < dropped:
        raise InputError(
            f"'{text}' does not exist: drop-frame timecode leaves it out.",
            f"The next one is frame {dropped} of that second.",
        )
    return float(total - dropped * (all_minutes - all_minutes // 10))


def read_duration(text: str, fps: Fraction) -> float:
    """Return the seconds that a text names: `1.5s` or `0.5` seconds, `12f` or `12 frames`.

    Raises `InputError`.
    """
    text = text.strip()
    if found := re.match(r"^(\d+(?:\.\d+)?) ?f(?:rames?)?$", text):
        return float(Fraction(found[1]) / fps)
    if found := re.match(r"^(\d+(?:\.\d+)?)(?: ?s(?:ec|econds)?)?$", text):
        return float(found[1])
    raise InputError(f"'{text}' is no duration.", "Give seconds (0.5s) or frames (12f).")
