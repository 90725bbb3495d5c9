"""What `microface evaluate` does: measure, print, save."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ..export import load_weights
from ..recognition.network import load_recogniser
from ..training.command import Measure
from ..training.data import Shards
from . import agreement, cost
from .page import write
from .run import measure
from .table import as_json, as_markdown

#: The weights that ship.
WEIGHTS = Path(__file__).parents[1] / "weights" / "eam.safetensors"


def evaluate(arguments: argparse.Namespace, measure_motion: Measure) -> int:
    """Measure as the command line asks and return the exit status.

    `measure_motion` measures the shards of a folder as the server measures clips, where none has
    yet.
    """
    weights: Path = arguments.weights or WEIGHTS
    network = load_weights(weights)
    data = arguments.data or rendered(arguments.packs, arguments.out, arguments.pairs)
    measure_motion(data)
    shards = Shards(data)
    watch = agreement.Watch(network) if arguments.meaning else None
    found = measure(network, shards, arguments.pairs, watch=watch)
    facts: dict[str, object] = {
        "parameters": cost.parameters(network),
        "gflops": cost.operations(network),
    }
    if (weights.parent / "animate.onnx").exists():
        facts["frames_per_core_second"] = cost.frames_per_core_second(weights.parent)
    report = as_json(found, facts)
    table = as_markdown(report)
    for sums in found.sums.values():
        if sums.reliability is not None:
            table += f"\n{sums.reliability.table()}"
    if watch is not None:
        said = agreement.meaning(watch, load_recogniser(), shards)
        report["meaning"] = agreement.as_json(said)
        table += f"\n{agreement.as_markdown(said)}"
    print(heading(report))
    print(table)
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        write(arguments.out / "evaluation.json", json.dumps(report, indent=2) + "\n")
        write(arguments.out / "evaluation-table.md", f"{heading(report)}\n\n{table}")
    return 0


def heading(report: dict[str, object]) -> str:
    """Return a line that says what the table rests on."""
    operations = report["gflops"]
    assert isinstance(operations, dict)
    line = (
        f"{report['pairs']} pairs of {report['identity_groups']} pairings of held-out identities, "
        f"{report['expressive_pairs']} with an expression; {report['parameters']} parameters, "
        f"{operations['frame']:.1f} GFLOPs a frame"
    )
    speed = report.get("frames_per_core_second")
    if isinstance(speed, float):
        line += f"; {speed:.1f} frames a second of one core"
    return line + "."


def rendered(packs: Path, out: Path | None, pairs: int) -> Path:
    """Return a folder of held-out pairs rendered from `packs`."""
    from ..training.command import write_pairs

    folder = (out or Path("out")) / "pairs"
    write_pairs(folder, packs, pairs, seed=1, split="test")
    return folder
