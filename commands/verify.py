"""Check a baked .blend against the evidence that the bake left in it.

Plays the file as Blender does and compares, from the file alone: the mesh and the frame rate, the
action and its curves with the solved weights, the time of the apex, the surface's motion seen from
the framing camera with the generated motion, renders with the generated frames, and baked textures
with what was baked. Tolerances were written into the file when it was baked. Prints a table.

Exits 0 when every check that could be done passes, 1 when one fails, 2 when the file or its
evidence cannot be read. Nothing is changed. The evidence is guarded against accidents by a hash; it
is no signature.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from .needs import need_blender, need_file
from .progress import ProgressReport

EXAMPLE = """Examples:
  microface verify out/hero.blend
  microface verify out/hero.blend --json out/hero.verify.json
  microface verify shots/*.blend --no-render"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to its parser."""
    parser.add_argument(
        "blends", type=Path, nargs="+", metavar="OUT.blend", help="files that were baked"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the checks there as well")
    parser.add_argument(
        "--no-render", action="store_true", help="leave the pictures out (much quicker)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    for path in arguments.blends:
        need_file(path, "Give a .blend that was baked.")
    need_blender()
    from ..addon.files import open_blend
    from ..addon.verify.verify import finite, verify_file
    from ..report.proof.checks import Check, failed, table
    from .output import write_text_whole

    every: list[Check] = []
    told = []
    with ProgressReport("verify") as report:
        for path in arguments.blends:
            open_blend(path)
            for one in verify_file(render=not arguments.no_render, tell=report.say):
                every += one.checks
                told.append(
                    {
                        "file": str(path),
                        "object": one.evidence.object_name,
                        "checks": [check.as_json() for check in one.checks],
                        "events": [
                            {
                                "clip": event.clip,
                                "figures": finite(measured.figures),
                                "limits": event.limits,
                                "provenance": event.provenance,
                            }
                            for event, measured in zip(
                                one.evidence.events, one.measured, strict=True
                            )
                            if measured is not None
                        ],
                    }
                )
                print(f"{path}: '{one.evidence.object_name}'\n{table(one.checks)}")
    wrong = failed(every)
    if arguments.json is not None:
        record = {"passed": not wrong, "characters": told}
        write_text_whole(arguments.json, json.dumps(record, indent=2) + "\n")
    if wrong:
        print(f"FAILED: {len(wrong)} of {len(every)} checks")
        return 1
    skipped = sum(check.verdict.value == "not covered" for check in every)
    print(f"Verified: {len(every) - skipped} checks pass, {skipped} not covered")
    return 0
