"""Tell what a source clip shows, and what is wrong with it.

Prints size, frame rate, length, onset, apex and offset, and warnings; with --page also writes an
HTML page with a strip of thumbnails and how each region of the face moves. The first frame is
taken as the neutral.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError, RunError
from .clip_source import add_source_arguments, opened
from .output import write_text_whole
from .progress import ProgressReport

if TYPE_CHECKING:
    from ..server.clips.clip import Clip
    from ..server.clips.inspection import Inspection
    from ..server.clips.library.entry import Entry

EXAMPLE = """Examples:
  microface clip inspect smile.mp4 --page smile.html
  microface clip inspect CASME2-RAW/sub01/EP02_01f --fps 200
  microface clip inspect 3fa29c --library clips --json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this verb's arguments to its parser."""
    add_source_arguments(parser)
    parser.add_argument("--page", type=Path, metavar="FILE.html", help="write the page here")
    parser.add_argument("--force", action="store_true", help="replace an earlier page")
    parser.add_argument(
        "--json", action="store_true", help="print it all as JSON instead of a table"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the verb and return its exit status."""
    if arguments.page is not None:
        if arguments.page.exists() and not arguments.force:
            raise InputError(f"{arguments.page} is there already.", "Give --force to replace it.")
        if importlib.util.find_spec("matplotlib") is None:
            raise RunError(
                "The page needs matplotlib, which is not installed.",
                'Install it with: pip install "microface[blender]"; or leave --page out.',
            )
    from ..server.clips.inspection import inspect_clip
    from ..server.engine.runtime import OnnxRuntime

    with ProgressReport("clip inspect") as report, opened(arguments, report) as source:
        seen = inspect_clip(
            source.clip, OnnxRuntime(), lambda share: report.stage("measure", share)
        )
        table = facts(source.clip, seen, source.entry)
        if arguments.page is not None:
            write_text_whole(arguments.page, _page(source.clip, seen, table))
    if arguments.json:
        print(json.dumps({**table, "warnings": list(seen.warnings)}, indent=1))
    else:
        wide = max(map(len, table))
        for name, value in table.items():
            print(f"{name:{wide}}  {value}")
        for warning in seen.warnings:
            print(f"warning: {warning}")
    if arguments.page is not None and not arguments.json:
        print(f"page: {arguments.page}")
    return 0


def facts(clip: Clip, seen: Inspection, entry: Entry | None) -> dict[str, Any]:
    """Return what the table says of a clip, by name."""
    width, height = clip.size
    table: dict[str, Any] = {
        "clip": clip.name,
        "size": f"{width} x {height} pixels",
        "face": f"{seen.face_pixels:.0f} pixels wide",
        "fps": str(clip.fps),
        "frames": len(clip),
        "duration": f"{clip.seconds:.3f} s",
    }
    for name in ("onset", "apex", "offset"):
        moment = getattr(seen.phases, name)
        table[name] = (
            "none" if moment is None else f"{moment.seconds:.3f} s, frame {moment.frame:.1f}"
        )
    table["peak"] = f"{float(seen.whole.max()):.2f} pixels of a face crop 256 wide"
    if entry is not None:
        coded = (entry.onset, entry.apex, entry.offset)
        table["coded"] = " / ".join("-" if n is None else str(n) for n in coded)
        table["action units"] = "+".join(map(str, entry.units)) or "none"
        table["emotion"] = entry.emotion or "none"
    table["sha256"] = clip.sha256
    return table


def _page(clip: Clip, seen: Inspection, table: dict[str, Any]) -> str:
    from ..report.clip_page import ClipPage, render_clip_page
    from ..report.page import Row
    from ..server.clips.library.thumbnails import as_webp, strip, strip_indexes

    phases = seen.phases
    onset, apex, offset = (
        None if m is None else round(m.frame) for m in (phases.onset, phases.apex, phases.offset)
    )
    indexes = strip_indexes(len(clip), onset, apex, offset)
    marks = {
        name: moment.seconds
        for name in ("onset", "apex", "offset")
        if (moment := getattr(phases, name)) is not None
    }
    return render_clip_page(
        ClipPage(
            title=f"Clip {clip.name}",
            lead=f"{len(clip)} frames at {clip.fps} a second, {clip.seconds:.2f} s",
            strip=as_webp(strip(clip.frames, indexes, 180)),
            stamps=[f"{clip.times[i]:.3f} s" + (" apex" if i == apex else "") for i in indexes],
            rows=[Row(name, str(value)) for name, value in table.items()],
            warnings=seen.warnings,
            times=clip.times,
            whole=seen.whole,
            curves=seen.regions,
            marks=marks,
        )
    )
