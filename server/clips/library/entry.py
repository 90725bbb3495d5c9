"""An entry of the library: one annotation of one stored clip, and its form as a file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import Any

from ..records import ActionUnit, ClipRecord, Valence, are_asymmetric, seconds_between

#: Of the entries' files; newer ones are refused.
VERSION = 1


@dataclass(frozen=True)
class Entry:
    """One annotated clip of the library.

    `sha256` is the clip's content, by which it is stored; `id` that of content and annotation
    together. `width` and `height` are in pixels, `frames` counts the stored pictures, `fps` is
    frames per second. `onset`, `apex` and `offset` index the stored pictures. `quality` are the
    warnings that reading it gave. The rest is as in `ClipRecord`.
    """

    sha256: str
    subject: str
    clip: str
    data_set: str
    fps: Fraction
    frames: int
    width: int
    height: int
    seconds: float
    onset: int | None = None
    apex: int | None = None
    offset: int | None = None
    units: tuple[ActionUnit, ...] = ()
    emotion: str | None = None
    valence: Valence | None = None
    kind: str = "micro"
    notes: tuple[str, ...] = ()
    source: str = ""
    face: tuple[float, float] | None = None

    @property
    def id(self) -> str:
        """The digest of content and annotation; equal entries are one entry."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @property
    def event_seconds(self) -> float | None:
        """Time from onset to offset, or None where either is not known."""
        return seconds_between(self.onset, self.offset, self.fps)

    @property
    def is_asymmetric(self) -> bool:
        """Whether a unit moves one side only, or the sides unequally."""
        return are_asymmetric(self.units)

    def to_json(self) -> str:
        """Return the entry as a file's text; the same text for the same entry."""
        table = asdict(self) | {"fps": str(self.fps), "version": VERSION}
        if self.face is None:  # as before there was a choice: an entry's id must not change
            del table["face"]
        return json.dumps(table, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def entry_from_json(text: str) -> Entry:
    """Return the entry in a file's text; raises ValueError where it is none, or a newer one."""
    table: dict[str, Any] = json.loads(text)
    if not isinstance(table, dict) or table.pop("version", None) != VERSION:
        raise ValueError("not an entry of this version")
    try:
        table["units"] = tuple(ActionUnit(**unit) for unit in table["units"])
        table["notes"] = tuple(table["notes"])
        table["fps"] = Fraction(table["fps"])
        if "face" in table:
            x, y = table["face"]
            table["face"] = (float(x), float(y))
        return Entry(**table)
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise ValueError(f"not an entry: {error}") from error


def cut_out(record: ClipRecord, margin_seconds: float, longest_seconds: float) -> ClipRecord:
    """Return the record cut to its event and a margin where it is part of a long recording.

    A record of at most `longest_seconds`, or one whose event is not known, stays as it is.
    """
    if record.frames is None or record.onset is None:
        return record
    end = record.offset if record.offset is not None else record.apex
    if end is None or len(record.frames) <= longest_seconds * record.fps:
        return record
    margin = round(margin_seconds * record.fps)
    first, last = max(0, record.onset - margin), min(len(record.frames) - 1, end + margin)

    def moved(index: int | None) -> int | None:
        return None if index is None else index - first

    note = f"cut from a recording: its pictures {first} to {last} of {len(record.frames)}"
    return replace(
        record,
        frames=record.frames[first : last + 1],
        onset=moved(record.onset),
        apex=moved(record.apex),
        offset=moved(record.offset),
        notes=(*record.notes, note),
    )
