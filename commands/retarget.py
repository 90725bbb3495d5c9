"""Put a source clip's expression on a neutral picture of a character.

Reads a picture of the character at rest and a clip of a face (a video, a folder of frames, or a
built-in clip), and writes for every frame of the clip the character with that expression, all at
the picture's own size:

  OUT/frames/000000.png   the generated frames
  OUT/edges/000000.png    the edge maps of what moves
  OUT/motion.npz          `flow` float16 (T, H, W, 2): where each of the picture's pixels goes
  OUT/result.json         timings, onset, apex, offset, hashes, settings
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import __version__
from .options import add_fps_argument, add_server_argument
from .output import check_output, whole_folder
from .performance import add_performance_arguments, performance
from .progress import ProgressReport

if TYPE_CHECKING:
    from ..server.client import Event, Performance, RetargetJob
    from .result_folder import ResultWriter

EXAMPLE = """Examples:
  microface retarget --character ada.png --clip smile.mp4 --strength 0.3 --out out/smile
  microface retarget --character ada.png --clip frames/ --fps 200 --out out/fme
  microface retarget --character ada.png --clip builtin:brow-lower --out out/brow
  microface retarget --character ada.png --clip smile.mp4 --out out/quick \\
      --timing duration=0.3 --timing apex=0.12 --neutral portrait.png
  microface retarget --character ada.png --clip builtin:brow-lower --out out/both \\
      --second builtin:lip-corner-left --mix lips=1 --mix cheeks=1"""

#: What a result folder holds.
PARTS = ("frames", "edges", "motion.npz", "result.json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""
    parser.add_argument(
        "--character",
        type=Path,
        required=True,
        metavar="NEUTRAL.png",
        help="picture of the character at rest, seen from the front",
    )
    parser.add_argument(
        "--clip",
        required=True,
        help="video, folder of frames, or builtin:NAME; the face at rest is found in it",
    )
    add_fps_argument(parser)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder to write, new or empty"
    )
    parser.add_argument(
        "--strength",
        type=float,
        default=1.0,
        metavar="S",
        help="0.05 to 4; 1 is the clip's own motion, 0.2 makes a micro-expression of a plain one",
    )
    add_performance_arguments(parser)
    add_server_argument(parser)
    parser.add_argument("--force", action="store_true", help="replace an earlier result in DIR")


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    started = time.perf_counter()
    out = arguments.out.absolute()
    check_output(out, PARTS, force=arguments.force)
    asked = performance(arguments)
    asked.sources()  # Raises for what is not there, before a server is started.
    from ..server.clips.images import read_picture

    neutral = read_picture(arguments.character)
    from ..server.client import Client
    from ..server.embedded import EmbeddedServer
    from .result_folder import ResultWriter

    with ExitStack() as stack:
        folder = stack.enter_context(whole_folder(out, PARTS, force=arguments.force))
        report = stack.enter_context(ProgressReport("retarget"))
        address = arguments.server
        if address is None:
            report.say("starting a server")
            address = stack.enter_context(EmbeddedServer()).address
        client = stack.enter_context(Client(address))
        writer = stack.enter_context(ResultWriter(folder))
        job = client.perform(neutral, asked)
        result = take_in(job, writer, report)
        result["settings"] = {
            "character": arguments.character.name,
            **settings_of(asked),
            "server": "embedded" if arguments.server is None else arguments.server,
        }
        result["character"] = {
            "sha256": hashlib.sha256(arguments.character.read_bytes()).hexdigest(),
            "width": neutral.shape[1],
            "height": neutral.shape[0],
        }
        result["microface"] = __version__
        result["seconds"] = {
            **result.get("seconds", {}),
            "write": round(writer.seconds, 4),
            "total": round(time.perf_counter() - started, 4),
        }
        writer.finish(result)
    print(f"{result['frames']} frames, edge maps and motion in {out}")
    for note in result.get("notes", []):
        print(f"note: {note}")
    doubtful = result.get("look_at", [])
    if doubtful:
        print(f"Look at frames {runs(doubtful)}: most of their motion is doubtful.")
    return 0


def settings_of(asked: Performance) -> dict[str, Any]:
    """Return what was asked for, for `result.json`: clips by their names, nothing that was not."""
    given = dataclasses.asdict(asked)
    for name in ("clip", "rest", "second"):
        path = given[name]
        if isinstance(path, str) and not path.startswith("builtin:"):
            given[name] = Path(path).name
    if asked.second is None:
        given |= {"second_fps": None, "mix": None, "align": None}
    return given


def runs(frames: list[int]) -> str:
    """Return frame numbers, rising, as "3-7, 12"."""
    found: list[list[int]] = []
    for frame in frames:
        if found and frame == found[-1][1] + 1:
            found[-1][1] = frame
        else:
            found.append([frame, frame])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in found)


def take_in(job: RetargetJob, writer: ResultWriter, report: ProgressReport) -> dict[str, Any]:
    """Write what a job brings as it comes and return its result; raises the job's error."""
    from ..server.client import Done, Edge, Frame, Motion, Progress

    result: dict[str, Any] = {}

    def take(event: Event) -> None:
        match event:
            case Frame():
                writer.frame(event.index, event.image)
            case Edge():
                writer.edge(event.index, event.map)
            case Motion():
                writer.motion(event.index, event.flow)
            case Progress():
                report.stage(event.stage, event.fraction)
            case Done():
                result.update(event.result)

    job.follow(take)
    return result
