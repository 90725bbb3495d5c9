"""What a reader knows of its data set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from .columns import Row
from .folders import Tail


def kind_of(row: Row) -> str:
    """Return `micro`, `macro`, or the sheet's own word."""
    word = row.text("kind").lower()
    if "macro" in word:
        return "macro"
    return "micro" if not word or "micro" in word else word


@dataclass(frozen=True)
class Layout:
    """What a reader knows of its set.

    `fps` is None where the sheet must tell. `sheets` are regular expressions that the annotation
    file's name is searched with, best first. `tails` gives, for a row, the ends of paths where its
    clip may lie, best first. `needed` are the columns without which nothing can be read; those of
    `names` are added to the usual ones. `lacks` are what this set does not annotate.
    """

    name: str
    fps: Fraction | None
    sheets: Sequence[str]
    tails: Callable[[Row], Sequence[Tail]]
    needed: Sequence[str] = ("subject", "clip", "onset", "offset")
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    lacks: Sequence[str] = ()
    #: Places with a part of their path that this regular expression finds are another variant's.
    excluded: str | None = None
    emotion: Callable[[Row], str] = lambda row: row.text("emotion")
    #: Further notes on a row, each a defect.
    doubts: Callable[[Row], Sequence[str]] = lambda _: ()
    #: The expressions that a row codes, where that may be several.
    parted: Callable[[Row], Sequence[Row]] = lambda row: (row,)
    kind: Callable[[Row], str] = kind_of
