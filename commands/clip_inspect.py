"""Tell what a source clip shows, and what is wrong with it.

Prints size, frame rate, length, the onset, apex and offset of the strongest expression, all that
the face does, its action units and warnings; with --page also writes an HTML page with a strip of
thumbnails, the motion of each region, and each unit's strength over time. The face at rest is found
in the clip, is the coded onset of a library's clip, or is that of another clip (--neutral). Of
several faces the largest is measured, the one that --face names, or the one that was chosen when
the clip was imported into its library.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import RunError
from .clip_describe import told as told_unit
from .clip_source import add_source_arguments, opened, rate_text
from .clip_spot import told as told_event
from .clip_tables import EVENT_HEADS, UNIT_HEADS, event_cells, hint_line, lines_of, unit_cells
from .output import check_file, write_text_whole
from .progress import ProgressReport

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..server.clips.clip import Clip
    from ..server.clips.inspection import Inspection
    from ..server.clips.library.entry import Entry
    from ..server.clips.library.profile import Profile
    from ..server.engine.timing import Moment

EXAMPLE = """Examples:
  microface clip inspect smile.mp4 --page smile.html
  microface clip inspect CASME2-RAW/sub01/EP02_01f --fps 200
  microface clip inspect interview.mp4 --face left --neutral portrait.png
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
        check_file(arguments.page, force=arguments.force)
        if importlib.util.find_spec("matplotlib") is None:
            raise RunError(
                "The page needs matplotlib, which is not installed.",
                'Install it with: pip install "microface[blender]"; or leave --page out.',
            )
    from ..server.clips.inspection import inspect_clip
    from ..server.engine.runtime import OnnxRuntime

    with ProgressReport("clip inspect") as report, opened(arguments, report) as source:
        runtime = OnnxRuntime()
        seen = inspect_clip(
            source.clip,
            runtime,
            lambda share: report.stage("measure", share),
            onset=source.onset,
            near=source.near(runtime.encode),
            rest=source.rest,
        )
        table = facts(source.clip, seen, source.entry)
        if arguments.page is not None:
            write_text_whole(arguments.page, _page(source.clip, seen, table))
    # What the library shows of a clip is its own face, measured from its own neutral.
    if source.entry is not None and arguments.face is None and arguments.neutral is None:
        _keep(arguments.library, source.entry, profile_of(seen, source.clip.times))
    if arguments.json:
        events = [told_event(event, source.clip) for event in seen.spotted]
        units = [told_unit(unit) for unit in seen.described]
        more = {"events": events, "units": units, "warnings": list(seen.warnings)}
        print(json.dumps(table | more, indent=1))
    else:
        _print(table, seen, arguments.page)
    return 0


def _print(table: dict[str, Any], seen: Inspection, page: Path | None) -> None:
    """Print what a clip shows, for people."""
    wide = max(map(len, table))
    for name, value in _readable(table).items():
        print(f"{name:{wide}}  {value}")
    if seen.spotted:
        print("\n".join(["", *lines_of(EVENT_HEADS, map(event_cells, seen.spotted))]))
    if seen.described:
        print("\n".join(["", *lines_of(UNIT_HEADS, map(unit_cells, seen.described))]))
        print(f"emotion, a hint only: {hint_line(seen.hints)}")
    if seen.warnings or page is not None:
        print()
    for warning in seen.warnings:
        print(f"warning: {warning}")
    if page is not None:
        print(f"page: {page}")


def _readable(table: dict[str, Any]) -> dict[str, str]:
    """Return a table for people: a ratio of frames a second as a number too."""
    return {name: str(value) for name, value in table.items()} | {"fps": rate_text(table["fps"])}


def facts(clip: Clip, seen: Inspection, entry: Entry | None) -> dict[str, Any]:
    """Return what the table says of a clip, by name."""
    width, height = clip.size
    table: dict[str, Any] = {
        "clip": clip.name if entry is None else entry.clip,
        "size": f"{width} x {height} pixels",
        "face": f"{seen.face_pixels:.0f} pixels wide, found by {seen.found_by}",
        "fps": str(clip.fps),
        "frames": len(clip),
        "duration": f"{clip.seconds:.3f} s",
    }
    for name in ("onset", "apex", "offset"):
        moment = getattr(seen, name)
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


def profile_of(seen: Inspection, times: NDArray[np.float64]) -> Profile:
    """Return what the library keeps of an inspection."""
    from ..server.clips.library.profile import Profile

    def seconds(moment: Moment | None) -> float | None:
        return None if moment is None else round(moment.seconds, 5)

    return Profile(
        tuple(round(float(t), 5) for t in times),
        tuple(round(float(p), 4) for p in seen.whole),
        seconds(seen.onset),
        seconds(seen.apex),
        seconds(seen.offset),
    )


def _keep(folder: Path, entry: Entry, profile: Profile) -> None:
    from ..server.clips.library.library import ClipLibrary

    try:
        with ClipLibrary(folder) as library:
            library.keep_profile(entry, profile)
    except OSError as error:  # as on a disk that can only be read
        print(f"not kept in the library: {error.strerror or error}", file=sys.stderr)


def _page(clip: Clip, seen: Inspection, table: dict[str, Any]) -> str:
    from ..report.clip_page import ClipPage, render_clip_page
    from ..report.clip_plots import Span, UnitPlot
    from ..server.clips.library.thumbnails import as_webp, strip, strip_indexes
    from ..server.clips.unit_names import unit_name

    moments = {"onset": seen.onset, "apex": seen.apex, "offset": seen.offset}
    onset, apex, offset = (None if m is None else round(m.frame) for m in moments.values())
    indexes = strip_indexes(len(clip), onset, apex, offset)
    names = {index: name for name, index in zip(moments, (onset, apex, offset), strict=True)}
    return render_clip_page(
        ClipPage(
            title=f"Clip {table['clip']}",
            lead=f"{len(clip)} frames at {rate_text(clip.fps)} a second, {clip.seconds:.2f} s",
            strip=as_webp(strip(clip.frames, indexes, 180)),
            stamps=[f"{clip.times[i]:.3f} s {names.get(i, '')}".strip() for i in indexes],
            facts=_readable(table),
            warnings=seen.warnings,
            times=clip.times,
            whole=seen.whole,
            curves=seen.regions,
            marks={name: m.seconds for name, m in moments.items() if m is not None},
            events=(EVENT_HEADS, [event_cells(event) for event in seen.spotted]),
            spans=[Span(event.onset, event.offset, event.kind) for event in seen.spotted],
            units=(UNIT_HEADS, [unit_cells(unit) for unit in seen.described]),
            unit_curves=[
                UnitPlot(f"AU{u.unit} {unit_name(u.unit)}", u.left, u.right) for u in seen.described
            ],
            hint=hint_line(seen.hints),
        )
    )
