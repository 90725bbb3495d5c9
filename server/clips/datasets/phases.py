"""Bring a coder's onset, apex and offset in order and to the pictures that are there."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping

Numbers = tuple[int | None, int | None, int | None]
_NAMES = ("onset", "apex", "offset")


def in_order(numbers: Numbers, notes: list[str]) -> Numbers:
    """Return the numbers with those that contradict the onset left out, each with a note.

    The onset is trusted: all motion is measured from it. An offset before it or before the apex is
    left out, as is an apex before the onset. A zero that stands for nothing is taken as missing.
    """
    onset, apex, offset = numbers
    if onset is not None and onset > 0:
        if apex == 0:
            notes.append("the apex is 0; it is taken as missing")
            apex = None
        if offset == 0:
            notes.append("the offset is 0; it is taken as missing")
            offset = None
    if onset is not None and apex is not None and apex < onset:
        notes.append(f"the apex {apex} lies before the onset {onset}; it is not used")
        apex = None
    if onset is not None and offset is not None and offset < onset:
        notes.append(f"the offset {offset} lies before the onset {onset}; it is not used")
        offset = None
    if apex is not None and offset is not None and offset < apex:
        notes.append(f"the offset {offset} lies before the apex {apex}; it is not used")
        offset = None
    return onset, apex, offset


def to_indexes(
    numbers: Numbers, index_of: Mapping[int, int], count: int, notes: list[str]
) -> Numbers:
    """Return indexes into `count` pictures for frame numbers, by the numbers in their names.

    Where a number between others is missing, as dropped frames are, the next picture stands for it.
    Where the pictures are numbered from 0 or 1 and the sheet counts in a longer recording, the
    first picture is taken for the onset. Either way a note says so. A number beyond the pictures
    has no index.
    """
    if not count:
        return None, None, None
    known = sorted(index_of)
    if not known:
        notes.append("the pictures' names hold no numbers; the first is taken for frame 1")
        known = list(range(1, count + 1))
        index_of = {number: number - 1 for number in known}
    numbers = _rebased(numbers, known, notes)
    indexes: list[int | None] = []
    for name, number in zip(_NAMES, numbers, strict=True):
        if number is None:
            indexes.append(None)
        elif number in index_of:
            indexes.append(index_of[number])
        elif known[0] < number < known[-1]:
            stand_in = known[bisect_left(known, number)]
            notes.append(f"picture {number} of the {name} is missing; {stand_in} stands for it")
            indexes.append(index_of[stand_in])
        else:
            notes.append(f"the {name} {number} is not among the pictures {known[0]} to {known[-1]}")
            indexes.append(None)
    return indexes[0], indexes[1], indexes[2]


def _rebased(numbers: Numbers, known: list[int], notes: list[str]) -> Numbers:
    onset, _, offset = numbers
    if onset is None or known[0] > 1 or onset <= known[-1]:
        return numbers
    if offset is not None and offset - onset >= len(known):
        return numbers
    notes.append(
        f"the sheet counts from a longer recording; picture {known[0]} is taken for the onset"
    )
    shift = known[0] - onset
    return (
        known[0],
        None if numbers[1] is None else numbers[1] + shift,
        None if offset is None else offset + shift,
    )
