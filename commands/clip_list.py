"""Find clips in a library.

Prints a line a clip: its id, data set, subject, name, length in frames and seconds from onset to
offset, action units, emotion, and where the subject's consent stands. With --page also writes an
HTML page with thumbnails and, of the clips that were measured, how the face moves over time.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError, RunError
from .clip_inspect import profile_of
from .clip_query import add_query_arguments, clips, query_of
from .clip_source import opened_neutral
from .clip_tables import lines_of
from .output import check_file, write_text_whole
from .progress import ProgressReport

if TYPE_CHECKING:
    from ..server.clips.library.entry import Entry
    from ..server.clips.library.library import ClipLibrary

EXAMPLE = """Examples:
  microface clip list --library clips
  microface clip list --library clips --unit 4 --unit 7 --emotion negative --longest 0.3
  microface clip list --library clips --unit L12 --asymmetric --json
  microface clip list --library clips --emotion positive --page smiles.html --measure"""

#: Clips on one page, at most.
_MOST_SHOWN = 2000
_HEADS = ("id", "data set", "subject", "clip", "frames", "event", "units", "emotion", "consent")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this verb's arguments to its parser."""
    add_query_arguments(parser)
    parser.add_argument(
        "--consent",
        choices=("none", "granted", "expired", "revoked", "synthetic"),
        help="only clips whose subject's consent stands so",
    )
    parser.add_argument(
        "--check", action="store_true", help="read every file again; 1 where one has changed"
    )
    parser.add_argument("--json", action="store_true", help="print all that is known, as JSON")
    page = parser.add_argument_group("page")
    page.add_argument("--page", type=Path, metavar="FILE.html", help="write the page here")
    page.add_argument(
        "--measure", action="store_true", help="measure the clips that were not yet; takes seconds"
    )
    page.add_argument("--force", action="store_true", help="replace an earlier page")


def run(arguments: argparse.Namespace) -> int:
    """Run the verb and return its exit status."""
    from ..server.clips.library.library import ClipLibrary

    check_file(arguments.page, force=arguments.force)
    with ClipLibrary(arguments.library) as library:
        status = library.consents()
        found = [
            entry
            for entry in library.find(query_of(arguments))
            if arguments.consent in (None, status(entry))
        ]
        if arguments.measure:
            _measure(library, found)
        if arguments.page is not None:
            write_text_whole(arguments.page, _page(library, found, status))
        damaged = {e.id for e in library.damaged()} if arguments.check else set()
        unread = library.unread
        if arguments.json:
            told = [_told(library, entry, status(entry)) for entry in found]
            print(json.dumps(told, indent=1, ensure_ascii=False))
        else:
            print("\n".join(lines_of(_HEADS, [_cells(entry, status(entry)) for entry in found])))
            print(clips(len(found)))
            if arguments.page is not None:
                print(f"page: {arguments.page}")
    for path in unread:
        print(f"left out: {path} is no annotation", file=sys.stderr)
    if unread and arguments.check:
        raise RunError(f"damaged: {clips(len(unread))} cannot be listed.", "Put copies back.")
    if hit := [entry for entry in found if entry.id in damaged]:
        raise RunError(
            f"damaged: {clips(len(hit))}: {', '.join(entry.id[:12] for entry in hit)}.",
            "Delete their folders and import them again.",
        )
    return 0


def _told(library: ClipLibrary, entry: Entry, status: str) -> dict[str, Any]:
    """Return all that is known of a clip, for machines."""
    return {
        **json.loads(entry.to_json()),
        "id": entry.id,
        "consent": status,
        "path": str(library.source(entry)),
        "thumbnails": str(library.strip(entry)),
    }


def _cells(entry: Entry, status: str) -> tuple[str, ...]:
    return (
        entry.id[:12], entry.data_set or "-", entry.subject or "-", entry.clip, str(entry.frames),
        "-" if entry.event_seconds is None else f"{entry.event_seconds:.3f} s",
        "+".join(map(str, entry.units)) or "-", entry.emotion or "-", status,
    )  # fmt: skip


def _measure(library: ClipLibrary, entries: list[Entry]) -> None:
    """Measure how the faces move in those clips that were not yet; a faceless one stays so."""
    from ..server.clips.inspection import inspect_clip
    from ..server.clips.limits import LONG
    from ..server.engine.runtime import OnnxRuntime
    from ..server.sandbox import SandboxLimits, decoded

    missing = [entry for entry in entries if library.profile(entry) is None]
    runtime = OnnxRuntime() if missing else None
    with ProgressReport("clip list") as report:
        for index, entry in enumerate(missing):
            source = library.source(entry)
            fps = entry.fps if source.is_dir() else None
            try:
                with (
                    decoded(source, fps, SandboxLimits(clip=LONG)) as clip,
                    opened_neutral(library.neutral(entry), None) as rest,
                ):
                    assert runtime is not None
                    seen = inspect_clip(
                        clip, runtime, onset=entry.onset, near=entry.face, rest=rest
                    )
                    library.keep_profile(entry, profile_of(seen, clip.times))
            except InputError as error:
                report.say(f"{entry.id[:12]} {entry.clip}: {error.what}")
            report.stage("measure", (index + 1) / len(missing))


def _page(library: ClipLibrary, entries: list[Entry], status: Callable[[Entry], str]) -> str:
    from ..report.library_page import ShownClip, render_library_page

    if len(entries) > _MOST_SHOWN:
        raise InputError(f"{clips(len(entries))} on a page.", "Choose fewer, by unit or subject.")
    shown = []
    for entry in entries:
        cells = dict(zip(_HEADS, _cells(entry, status(entry)), strict=True))
        cells = {name: cell for name, cell in cells.items() if cell != "-"}
        named = [cells.pop(name, "") for name in ("data set", "subject", "clip")]
        title = " ".join(filter(None, named))
        profile = library.profile(entry)
        strip = library.strip(entry).read_bytes()
        if profile is None:
            shown.append(ShownClip(title, cells, strip))
            continue
        phases = {"onset": profile.onset, "apex": profile.apex, "offset": profile.offset}
        marks = {name: seconds for name, seconds in phases.items() if seconds is not None}
        shown.append(ShownClip(title, cells, strip, profile.seconds, profile.pixels, marks))
    return render_library_page(f"{clips(len(entries))} of {library.folder.name}", shown)
