"""Find clips in a library.

Prints a line a clip: its id, data set, subject, name, length in frames and seconds from onset to
offset, action units, emotion, and where the subject's consent stands.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from ..errors import RunError
from .clip_query import add_query_arguments, clips, query_of
from .clip_tables import lines_of

EXAMPLE = """Examples:
  microface clip list --library clips
  microface clip list --library clips --unit 4 --unit 7 --emotion negative --longest 0.3
  microface clip list --library clips --unit L12 --asymmetric --json"""

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


def run(arguments: argparse.Namespace) -> int:
    """Run the verb and return its exit status."""
    from ..server.clips.library.library import ClipLibrary

    with ClipLibrary(arguments.library) as library:
        status = library.consents()
        found = [
            entry
            for entry in library.find(query_of(arguments))
            if arguments.consent in (None, status(entry))
        ]
        damaged = {e.id for e in library.damaged()} if arguments.check else set()
        if arguments.json:
            told: list[dict[str, Any]] = [
                {
                    **json.loads(entry.to_json()),
                    "id": entry.id,
                    "consent": status(entry),
                    "path": str(library.source(entry)),
                    "thumbnails": str(library.strip(entry)),
                }
                for entry in found
            ]
            print(json.dumps(told, indent=1, ensure_ascii=False))
        else:
            rows = [
                (
                    entry.id[:12], entry.data_set or "-", entry.subject or "-", entry.clip,
                    str(entry.frames),
                    "-" if entry.event_seconds is None else f"{entry.event_seconds:.3f} s",
                    "+".join(map(str, entry.units)) or "-", entry.emotion or "-", status(entry),
                )
                for entry in found
            ]  # fmt: skip
            print("\n".join(lines_of(_HEADS, rows)))
            print(clips(len(found)))
    if hit := [entry for entry in found if entry.id in damaged]:
        raise RunError(
            f"damaged: {clips(len(hit))}: {', '.join(entry.id[:12] for entry in hit)}.",
            "Delete their folders and import them again.",
        )
    return 0
