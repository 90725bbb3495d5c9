"""Find what a face does in a clip, however long: micro- and macro-expressions, blinks and more.

A micro-expression lasts at most half a second from onset to offset. Prints a line an event: its
kind (micro, macro, blink, gaze, head, speech), onset, apex and offset in seconds from the clip's
start, how long it lasts, the regions that move, the most moving first, and how sure that is. The
face at rest, from which all motion is measured, is found in the clip, or in another (--neutral).
"""

from __future__ import annotations

import argparse
import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

from .clip_source import add_source_arguments, measured_source, opened
from .clip_tables import EVENT_HEADS, event_cells, lines_of
from .output import check_file, write_text_whole
from .progress import ProgressReport

if TYPE_CHECKING:
    from ..server.clips.clip import Clip
    from ..server.clips.spot import Spotted

EXAMPLE = """Examples:
  microface clip spot interview.mp4 --kind micro
  microface clip spot CASME2-RAW/sub01/EP02_01f --fps 200 --json
  microface clip spot interview.mp4 --out events.csv"""

KINDS = ("micro", "macro", "blink", "gaze", "head", "speech")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this verb's arguments to its parser."""
    add_source_arguments(parser)
    parser.add_argument(
        "--kind", action="append", choices=KINDS, help="only this kind; may be repeated"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE.csv", help="write the events here too, frames and all"
    )
    parser.add_argument("--force", action="store_true", help="replace an earlier file")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(arguments: argparse.Namespace) -> int:
    """Run the verb and return its exit status."""
    check_file(arguments.out, force=arguments.force)
    from ..server.clips.spot import spot

    with ProgressReport("clip spot") as report, opened(arguments, report) as source:
        measured = measured_source(source, report)
        flows, poses, trust = measured.flows, measured.poses, measured.trust
        every = spot(flows, source.clip.times, poses, trust, measured.eyes)
        found = [event for event in every if arguments.kind is None or event.kind in arguments.kind]
        rows = [told(event, source.clip) for event in found]
    if arguments.out is not None:
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, list(told_names()))
        writer.writeheader()
        writer.writerows(
            row | {"regions": " ".join(event.regions)}
            for row, event in zip(rows, found, strict=True)
        )
        write_text_whole(arguments.out, text.getvalue())
    if arguments.json:
        print(json.dumps(rows, indent=1))
    else:
        print("\n".join(lines_of(EVENT_HEADS, map(event_cells, found))))
    return 0


def told_names() -> tuple[str, ...]:
    """Return the columns of what is told of an event for machines."""
    phases = ("onset", "apex", "offset")
    return ("kind", *phases, *(f"{name}_frame" for name in phases), "regions", "confidence")


def told(event: Spotted, clip: Clip) -> dict[str, object]:
    """Return an event for machines: seconds, frames from 0 (between them too), 0..1."""
    import numpy as np

    moments = {name: getattr(event, name) for name in ("onset", "apex", "offset")}
    frames = {
        f"{name}_frame": round(float(np.interp(seconds, clip.times, np.arange(len(clip)))), 2)
        for name, seconds in moments.items()
    }
    return {
        "kind": event.kind,
        **{name: round(seconds, 4) for name, seconds in moments.items()},
        **frames,
        "regions": list(event.regions),
        "confidence": round(event.confidence, 3),
    }
