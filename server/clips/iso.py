"""What an MP4 or MOV file says of its video that OpenCV does not: frames shown, and transfer.

"ISO base media file format", ISO/IEC 14496-12: a file is boxes, each a size, a type and a content.
`moov` holds a `trak` for each stream; in it `elst` (8.6.6) lists the stretches of the media that
are shown, which a phone that trims a film changes alone, `stts` and `ctts` (8.6.1) the samples'
times, and `colr` (12.1.5) the numbers of ITU-T H.273 for the colours.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

#: A table of contents of more bytes is not read.
_MOST_BYTES = 64_000_000
#: Bytes of a visual sample entry before the boxes in it (12.1.3).
_VISUAL_ENTRY = 78


@dataclass(frozen=True)
class VideoTrack:
    """How many of its frames a file shows from their begin to their end, and the number of its
    transfer characteristics in ITU-T H.273, None where it is not told."""

    shown: int
    transfer: int | None


def video_track(path: Path) -> VideoTrack | None:
    """Return what a file tells of its first video; None where it is no such file or damaged."""
    try:
        movie = _movie(path)
        scale = _timescale(_inside(movie, "mvhd"))
        for track in _all(movie, "trak"):
            media = _inside(track, "mdia")
            if _inside(media, "hdlr")[8:12] == b"vide":
                table = _inside(media, "minf", "stbl")
                begins, ends = _times(table)
                ticks = _timescale(_inside(media, "mdhd")) / scale
                return VideoTrack(_shown(track, begins, ends, ticks), _transfer(table))
    except (OSError, ValueError, struct.error, ZeroDivisionError):
        pass  # damaged: who decodes it will tell
    return None


def _movie(path: Path) -> bytes:
    """Return the content of the file's `moov`; raises ValueError where there is none."""
    with path.open("rb") as file:
        while len(head := file.read(8)) == 8:
            size, name = struct.unpack(">I4s", head)
            left = size - 8
            if size == 1:
                left = struct.unpack(">Q", file.read(8))[0] - 16
            if name == b"moov" and left <= _MOST_BYTES:
                return file.read(left) if size else file.read(_MOST_BYTES)
            if left < 0:  # the last box: it goes on to the end
                break
            file.seek(left, 1)
    raise ValueError("no moov")


def _boxes(content: bytes) -> Iterator[tuple[str, bytes]]:
    """Give the boxes in a content: type and content of each."""
    at = 0
    while at + 8 <= len(content):
        size, name = struct.unpack_from(">I4s", content, at)
        head = 8
        if size == 1:
            size, head = struct.unpack_from(">Q", content, at + 8)[0], 16
        end = at + size if size else len(content)
        if size and size < head:
            raise ValueError("a box smaller than its head")
        yield name.decode("latin-1"), content[at + head : end]
        at = end


def _all(content: bytes, name: str) -> list[bytes]:
    return [inner for kind, inner in _boxes(content) if kind == name]


def _inside(content: bytes, *names: str) -> bytes:
    """Return the content of the first box of a type, of the first one in that, and so on."""
    for name in names:
        found = _all(content, name)
        if not found:
            raise ValueError(f"no {name}")
        content = found[0]
    return content


def _timescale(header: bytes) -> int:
    """Return ticks a second of an `mvhd` or `mdhd`."""
    return int(struct.unpack_from(">I", header, 20 if header[0] else 12)[0])


def _times(table: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return when each frame (N,) begins and ends, in ticks of the media."""
    runs = _pairs(_inside(table, "stts"))
    lasts = np.repeat(runs[:, 1], runs[:, 0])
    begins = np.cumsum(lasts) - lasts
    if shifts := _all(table, "ctts"):
        pairs = _pairs(shifts[0])
        # Version 0 is unsigned by the standard; files with negative shifts in it are read as meant.
        shift = np.repeat(pairs[:, 1].astype(np.int32), pairs[:, 0])
        begins = begins + shift[: len(begins)]
    return begins, np.asarray(begins + lasts, np.int64)


def _pairs(box: bytes) -> NDArray[np.int64]:
    """Return the pairs (N, 2) of a full box that counts them: count, value."""
    (count,) = struct.unpack_from(">I", box, 4)
    pairs = np.frombuffer(box, ">u4", 2 * count, 8).reshape(-1, 2).astype(np.int64)
    if int(pairs[:, 0].sum()) > 10_000_000:
        raise ValueError("too many frames")
    return pairs


def _shown(track: bytes, begins: NDArray[np.int64], ends: NDArray[np.int64], ticks: float) -> int:
    """Return how many frames the track's edits show whole; `ticks` of the media in one of the
    movie's, in which edits tell how long they are."""
    lists = [edits for edts in _all(track, "edts") for edits in _all(edts, "elst")]
    if not lists:
        return len(begins)
    shape = ">qq4x" if lists[0][0] else ">Ii4x"
    shown = 0
    for duration, first in struct.iter_unpack(shape, lists[0][8:]):
        if first < 0:  # nothing is shown for a while
            continue
        # An edit of no length goes on to the end; lengths are rounded to the movie's ticks.
        last = first + (duration + 1) * ticks if duration else np.inf
        shown += int(((begins >= first) & (ends <= last)).sum())
    return shown


def _transfer(table: bytes) -> int | None:
    """Return the number in the first description's `colr`."""
    description = _inside(table, "stsd")[8:]
    for _, entry in _boxes(description):
        for colour in _all(entry[_VISUAL_ENTRY:], "colr"):
            if colour[:4] in (b"nclx", b"nclc"):
                return int(struct.unpack_from(">H", colour, 6)[0])
    return None
