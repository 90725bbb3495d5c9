"""Render a source clip of a built-in head from curves of action units.

So that no face has to be filmed. CURVES is a CSV with the columns time, au, side and intensity, or
JSON with the same: seconds, FACS's number, both, left or right (the subject's own), and 0 to 1 of a
full contraction or FACS's letter A to E. Between points the curve is smooth and never overshoots.
The clip begins at rest. Writes:

  OUT/frames/000000.png   the frames; give the folder as --clip, with the same --fps
  OUT/coding.csv          onset, apex, offset and action units, as CASME II's sheet has them
  OUT/clip.json           what was rendered: the shapes' weights at each frame, and settings
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..errors import InputError
from .clip_source import rate
from .output import check_output, whole_folder
from .progress import ProgressReport

if TYPE_CHECKING:
    from ..server.clips.synthesize import Course

EXAMPLE = """Examples:
  microface clip synth smirk.csv --fps 100 --out out/smirk
  microface clip synth brows.json --fps 24000/1001 --head kofi --size 512 --out out/brows
  microface clip synth smirk.csv --fps 200 --library clips --out out/smirk

smirk.csv:
  time,au,side,intensity
  0,12,left,0
  0.08,12,left,0
  0.25,12,left,0.3
  0.45,12,left,0"""

#: What a result holds.
PARTS = ("frames", "coding.csv", "clip.json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this verb's arguments to its parser."""
    parser.add_argument("curves", type=Path, metavar="CURVES", help="CSV or JSON, as below")
    parser.add_argument("--fps", required=True, metavar="FPS", help="a number or a ratio")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder to write, new or empty"
    )
    parser.add_argument(
        "--head", default="ada", metavar="NAME", help="the built-in head (default: ada)"
    )
    parser.add_argument(
        "--size", type=int, default=320, metavar="PIXELS", help="128 to 1024 (default: 320)"
    )
    parser.add_argument(
        "--seconds", type=float, metavar="S", help="length, if not up to the last point"
    )
    parser.add_argument(
        "--noise", type=float, default=1.0, metavar="LEVELS",
        help="the sensor's noise, 0 to 32 grey levels (default: 1)",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of the noise (default: 0)"
    )
    parser.add_argument("--library", type=Path, metavar="DIR", help="import the clip here too")
    parser.add_argument("--force", action="store_true", help="replace an earlier result in DIR")


def run(arguments: argparse.Namespace) -> int:
    """Run the verb and return its exit status."""
    out = arguments.out.absolute()
    check_output(out, PARTS, force=arguments.force)
    fps = rate(arguments.fps)
    assert fps is not None
    if not 128 <= arguments.size <= 1024:
        raise InputError(f"A size of {arguments.size} pixels.", "Give 128 to 1024 for --size.")
    if not 0 <= arguments.noise <= 32:
        raise InputError(f"Noise of {arguments.noise:g} levels.", "Give 0 to 32 for --noise.")
    if not 0 <= arguments.seed < 2**32:
        raise InputError(f"A seed of {arguments.seed}.", "Give 0 to 4294967295.")
    from ..server.clips.datasets.write_casme2 import Coded, write_coding
    from ..server.clips.images import write_png
    from ..server.clips.synthesize import course_of, rendered
    from ..server.clips.unit_curves import read_curves

    course = course_of(read_curves(arguments.curves), fps, arguments.seconds)
    with (
        whole_folder(out, PARTS, force=arguments.force) as folder,
        ProgressReport("clip synth") as report,
    ):
        (folder / "frames").mkdir()
        pictures = rendered(course, arguments.head, arguments.size, arguments.noise, arguments.seed)
        for index, picture in enumerate(pictures):
            write_png(folder / "frames" / f"{index:06d}.png", picture)
            report.stage("render", (index + 1) / course.frames)
        row = Coded(
            arguments.head, arguments.curves.stem, course.onset + 1, course.apex + 1,
            course.offset + 1, course.units, None, fps,
        )  # fmt: skip
        write_coding(folder / "coding.csv", [row])
        told = json.dumps(_told(course, arguments), indent=1) + "\n"
        (folder / "clip.json").write_text(told, encoding="utf-8")
    print(f"{course.frames} frames in {out / 'frames'}; give them with --fps {fps}")
    if arguments.library is not None:
        _import(out, course, arguments)
    return 0


def _told(course: Course, arguments: argparse.Namespace) -> dict[str, Any]:
    return {
        "microface": __version__,
        "fps": str(course.fps),
        "frames": course.frames,
        "onset": course.onset,
        "apex": course.apex,
        "offset": course.offset,
        "units": [str(unit) for unit in course.units],
        "head": arguments.head,
        "size": arguments.size,
        "noise": arguments.noise,
        "seed": arguments.seed,
        "curves": arguments.curves.name,
        "amounts": {n: [round(float(v), 5) for v in w] for n, w in course.weights.items()},
    }


def _import(out: Path, course: Course, arguments: argparse.Namespace) -> None:
    from ..server.clips.library.library import ClipLibrary
    from ..server.clips.records import SYNTHETIC, ClipRecord
    from ..server.clips.stream import pictures_in

    folder = out / "frames"
    record = ClipRecord(
        arguments.head, arguments.curves.stem, folder, tuple(pictures_in(folder)), course.fps,
        course.onset, course.apex, course.offset, course.units, None, None, SYNTHETIC,
    )  # fmt: skip
    with ClipLibrary(arguments.library, create=True) as library:
        entry, new = library.import_clip(record)
    print(f"{entry.id[:12]} {'imported into' if new else 'is already in'} {arguments.library}")
