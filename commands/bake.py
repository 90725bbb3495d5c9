"""Put a source clip's expression on a character in a .blend file.

Renders the character's neutral face, lets the server retarget the clip to it, and bakes the result:

  shape-keys  keys the facial shape keys in an action of its own, and writes the weights to a .csv
              beside the .blend: time in seconds from the clip's start and a column per shape key,
              a row per source frame
  texture     writes the change of the skin as an image sequence, wired into the material
  flipbook    writes that sequence as one picture of tiles with a .json beside it
  wrinkle-maps  keys the shape keys and reduces what they leave over to a few pictures with a weight
              curve each: keyed in the material, and listed in a .json for game engines
  all         shape keys, textures that hold what the keys leave over, flipbook, and edge maps

Keys lie at the clip's true times, between frames. What the character plays already goes on, and
the expression adds to it. Several clips are placed on one timeline by a sheet; each row's weights
go to OUT_microface/weights/. Every bake can be edited later, in the window or from Python.

Pictures go to a folder beside the .blend, named after it, with a report of how near the bake is to
what was generated (report/index.html). What `microface verify` needs to take these measures again
lies in the .blend itself. The character's file is not changed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from .bake_clip import bake_clip
from .bake_sheet import bake_sheet
from .needs import need_blender, need_file
from .options import add_fps_argument, add_server_argument, add_strength_argument
from .performance import add_performance_arguments, check_no_performance, performance
from .progress import ProgressReport
from .timing import add_timing_arguments, check_timing_arguments, timing_options

EXAMPLE = """Examples:
  microface bake a.blend --object Head --clip smile.mp4 --fps 25 --to shape-keys --out o/a.blend
  microface bake a.blend --object Head --clip frames/ --fps 200 --to all --start 101 --out o/b.blend
  microface bake a.blend --object Head --clip builtin:brow-lower --to texture --out o/c.blend
  microface bake a.blend --object Head --clip smile.mp4 --fps 25 --to shape-keys --out o/d.blend \\
      --start 101 --duration 12f --hold 1 --balance 0.5 --layer nla
  microface bake a.blend --object Head --sheet shots.csv --out o/e.blend
  microface bake a.blend --object Head --clip smile.mp4 --to shape-keys --out o/f.blend \\
      --gain brows=0.5 --timing apex=0.12 --second builtin:lid-tighten --mix lids=1

A sheet:
  clip,fps,start,strength,duration,hold,balance
  smile.mp4,25,101,1,,1,
  frames/,200,6.5s,0.6,12f,,0.5
  builtin:brow-lower,,00:00:08:00,,,,"""

KINDS = ("shape-keys", "texture", "flipbook", "wrinkle-maps", "all")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""
    parser.add_argument(
        "character", type=Path, metavar="CHARACTER.blend", help="the file with the character"
    )
    parser.add_argument(
        "--object", required=True, metavar="NAME", help="the mesh with the facial shape keys"
    )
    parser.add_argument("--clip", help="video, folder of frames, or builtin:NAME")
    add_fps_argument(parser)
    parser.add_argument("--to", choices=KINDS, help="what to bake (of a sheet: shape-keys)")
    parser.add_argument(
        "--format",
        choices=("auto", "png8", "png16", "exr"),
        default="auto",
        help="of textures: auto is that of the character's own; exr is linear half float",
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="OUT.blend",
        help="file to write; replaced if it is there",
    )
    parser.add_argument(
        "--start", type=float, metavar="FRAME", help="scene frame of the clip's start (default: 1)"
    )
    add_strength_argument(parser)
    parser.add_argument(
        "--resolution", type=int, default=512, metavar="N", help="pixels a side (default: 512)"
    )
    parser.add_argument(
        "--no-report",
        action="store_true",
        help="leave the report out, and its renders (`verify` then compares no pictures)",
    )
    parser.add_argument(
        "--views",
        type=_views,
        default=("front",),
        metavar="VIEW,...",
        help="sides to see the face from: front, three-quarter-left, three-quarter-right "
        "(three-quarter is the left one; default: front, the best for clips filmed from there)",
    )
    add_server_argument(parser)
    add_timing_arguments(parser)
    add_performance_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    need_file(arguments.character, "Give a .blend; `microface character --out X.blend` writes one.")
    check_timing_arguments(arguments)
    if arguments.sheet is None:
        performance(arguments)  # Raises for what does not go together, before anything is opened.
    else:
        check_no_performance(arguments)
    need_blender()
    from ..addon.bake.publish import publication
    from ..addon.bake.shot_sheet import read_sheet
    from ..addon.bake.texture import check_textures
    from ..addon.bake.time import parse_fps, scene_fps
    from ..addon.character.preflight import Severity
    from ..addon.character.stage import home_scene
    from ..addon.clips import clip_label
    from ..addon.files import open_blend
    from ..addon.retarget.connection import connect
    from ..addon.retarget.prepare import check, check_resolution, find_character

    check_resolution(arguments.resolution)
    fps = parse_fps(arguments.fps) if arguments.fps else None
    if arguments.sheet is None:
        clip_label(arguments.clip)
    open_blend(arguments.character)
    character = find_character(arguments.object)
    warnings = [one for one in check(character) if one.severity is Severity.WARNING]
    rate = scene_fps(home_scene(character))
    rows = [] if arguments.sheet is None else read_sheet(arguments.sheet, rate)
    options = timing_options(arguments, rate)
    if arguments.to in ("texture", "flipbook", "wrinkle-maps", "all"):
        check_textures(character)
    with (
        ProgressReport("bake") as report,
        publication(arguments.out) as place,
        connect(arguments.server) as client,
    ):
        for warning in warnings:
            report.say(f"{warning.what} {warning.remedy}")
        if rows:
            written = bake_sheet(arguments, character, rows, client, place, report)
        else:
            written = bake_clip(arguments, character, fps, options, client, place, report)
    print("\n".join(f"Wrote {path}" for path in written))
    return 0


def _views(text: str) -> tuple[str, ...]:
    """Return the sides to see the face from, as `api.generate` names them."""
    names = [name.strip() for name in text.split(",")]
    return tuple("three-quarter-left" if name == "three-quarter" else name for name in names)
