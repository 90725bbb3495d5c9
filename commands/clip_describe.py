"""Tell which action units a clip shows: side, strength over time, and the evidence for each.

Prints a line a unit: FACS's number and name, the side (the subject's own), the peak as a share of a
full contraction and when it is, how sure that is, and what speaks for it. Pixels are those of a
face crop 256 wide. The emotion is a hint, no finding: most of it is not in the face. --curves
writes the strength over time as `microface clip synth` reads it.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .clip_source import add_source_arguments, measured_source, opened
from .clip_tables import UNIT_HEADS, hint_line, lines_of, unit_cells
from .output import check_file, write_text_whole
from .progress import ProgressReport

if TYPE_CHECKING:
    from ..server.clips.describe import Described

EXAMPLE = """Examples:
  microface clip describe smile.mp4
  microface clip describe CASME2-RAW/sub01/EP02_01f --fps 200 --json
  microface clip describe crying.mp4 --neutral the-same-actor-at-rest.mp4
  microface clip describe smirk.mp4 --curves smirk.csv
  microface clip synth smirk.csv --fps 100 --head kofi --out out/smirk"""

#: Less than this share of a full contraction is written as rest.
_REST = 0.01


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add this verb's arguments to its parser."""
    add_source_arguments(parser)
    parser.add_argument(
        "--curves", type=Path, metavar="FILE.csv", help="write each unit's strength over time here"
    )
    parser.add_argument("--force", action="store_true", help="replace an earlier file")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(arguments: argparse.Namespace) -> int:
    """Run the verb and return its exit status."""
    check_file(arguments.curves, force=arguments.force)
    from ..server.clips.describe import describe
    from ..server.clips.describe_emotion import emotion_hints

    with ProgressReport("clip describe") as report, opened(arguments, report) as source:
        measured = measured_source(source, report)
        found = describe(
            measured.flows, source.clip.times, measured.trust, measured.poses,
            measured.start.face.within,
        )  # fmt: skip
    hints = emotion_hints(found)
    if arguments.curves is not None:
        write_text_whole(arguments.curves, curves_text(found))
    if arguments.json:
        units = [told(unit) for unit in found]
        emotions = {hint.emotion: round(hint.probability, 3) for hint in hints}
        print(json.dumps({"units": units, "emotion hints": emotions}, indent=1))
        return 0
    if not found:
        print("no action unit is seen")
        return 0
    print("\n".join(lines_of(UNIT_HEADS, map(unit_cells, found))))
    print(f"emotion, a hint only: {hint_line(hints)}")
    return 0


def told(unit: Described) -> dict[str, object]:
    """Return a unit for machines: times in seconds, strengths 0..1 of a full contraction."""
    return {
        "unit": unit.unit,
        "side": unit.side,
        "peak": round(unit.peak, 4),
        "apex": round(float(unit.times[unit.apex]), 4),
        "confidence": round(unit.confidence, 3),
        "instead": list(unit.instead),
        "evidence": str(unit.evidence),
        "times": [round(float(t), 4) for t in unit.times],
        "left": [round(float(v), 4) for v in unit.left],
        "right": [round(float(v), 4) for v in unit.right],
    }


def curves_text(units: Sequence[Described]) -> str:
    """Return the units' curves as CSV: time, au, side, intensity."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["time", "au", "side", "intensity"])
    for unit in units:
        for side, curve in _by_side(unit):
            for seconds, value in zip(unit.times, curve, strict=True):
                shown = 0.0 if value < _REST else min(1.0, float(value))
                writer.writerow([f"{seconds:.5f}", unit.unit, side, f"{shown:.4f}"])
    return text.getvalue()


def _by_side(unit: Described) -> Iterator[tuple[str, Sequence[float]]]:
    if unit.side != "both":
        yield unit.side, unit.left.tolist() if unit.side == "left" else unit.right.tolist()
    elif (unit.left == unit.right).all():
        yield "both", unit.left.tolist()
    else:
        yield "left", unit.left.tolist()
        yield "right", unit.right.tolist()
