"""How the face of a clip moves over time, kept beside it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Profile:
    """`pixels` (T,) is how far expressions move the face at `seconds` (T,), RMS of a crop 256 wide;
    `onset`, `apex` and `offset` of the strongest one in seconds, None without one."""

    seconds: tuple[float, ...]
    pixels: tuple[float, ...]
    onset: float | None
    apex: float | None
    offset: float | None

    def to_json(self) -> str:
        """Return the profile as a file's text."""
        return json.dumps(asdict(self)) + "\n"


def read_profile(path: Path) -> Profile | None:
    """Return the profile in a file, None where there is none or it is damaged."""
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        profile = Profile(
            tuple(map(float, table["seconds"])), tuple(map(float, table["pixels"])),
            table["onset"], table["apex"], table["offset"],
        )  # fmt: skip
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return profile if len(profile.seconds) == len(profile.pixels) > 1 else None
