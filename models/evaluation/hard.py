"""Accuracy where it is hard: what `microface evaluate --hard` does.

Each scene is one held-out source and one held-out character, which are asked the same questions
(see `hard_scenes`). Motion is measured against the source's own, carried by true correspondence;
frames are steadied as the server does, one by one. Rendered scenes are kept, so that a run takes up
where another stopped and other weights are measured on the same pictures.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ..arrays import save_arrays
from ..eam.network import Eam
from ..export import load_weights
from ..heads.families import HeadModel
from ..heads.write import load_families
from ..training.carried import carried_truth, shown_face
from ..training.command import Measure
from ..training.data import FIELDS as PAIR
from ..training.data import map_arrays, served
from ..training.passes import animated
from ..training.served import as_served
from ..training.stages import as_tensors
from . import hard_scenes
from .command import WEIGHTS
from .hard_page import page
from .hard_table import Answer
from .page import write

#: Fields of a pair that the questions need: all of the source, and of the character what is known
#: of it at rest.
FIELDS = tuple(
    name
    for name in PAIR
    if name.startswith("source_") or name.endswith(("_neutral", "_points", "_chart", "_fixed"))
)
#: Questions that go through the network at once.
BATCH = 8


def folder_of(out: Path) -> Path:
    """Return the folder for scenes below `out`; its name tells which questions they ask."""
    asked = hashlib.sha256(Path(hard_scenes.__file__).read_bytes()).hexdigest()
    return out / f"hard-{asked[:8]}"


def rendered(folder: Path, families: Sequence[HeadModel], number: int) -> Path:
    """Return the shard of a scene's questions, rendered unless it is there."""
    path = folder / f"pairs-{number:05d}.npz"
    if path.exists():
        return path
    questions = list(hard_scenes.questions(families, number))
    arrays = {name: np.stack([getattr(q.pair, name) for q in questions]) for name in FIELDS}
    folder.mkdir(parents=True, exist_ok=True)
    save_arrays(path, {"names": [q.name for q in questions], **arrays})
    return path


def answers(network: Eam, path: Path, scene: int) -> list[Answer]:
    """Return what the network answers to a scene's questions, beside the truth."""
    batch = map_arrays(path) | served(path)
    names = [str(name) for name in batch.pop("names")]
    found: list[Answer] = []
    for start in range(0, len(names), BATCH):
        part = {name: value[start : start + BATCH] for name, value in batch.items()}
        with torch.no_grad():
            pair = as_served(as_tensors(part))
            made = animated(network, pair, paint=False).coarse
            truth = carried_truth(pair)
        face = shown_face(pair)
        for row, name in enumerate(names[start : start + BATCH]):
            found.append(
                Answer(
                    name,
                    scene,
                    made[row].permute(1, 2, 0).numpy(),
                    truth.flow[row].permute(1, 2, 0).numpy(),
                    truth.known[row, 0].numpy(),
                    face[row, 0].numpy(),
                    pair["character_chart"][row, :3].permute(1, 2, 0).numpy(),
                )
            )
    return found


def ask(arguments: argparse.Namespace, measure: Measure) -> int:
    """Ask as many scenes as the command line says, print and save the page; returns the exit
    status. `measure` measures the scenes as the server measures clips."""
    weights: Path = arguments.weights or WEIGHTS
    network = load_weights(weights)
    out: Path = arguments.out or Path("out")
    folder = folder_of(out)
    families = load_families(arguments.packs, out / "heads")
    paths = [rendered(folder, families, scene) for scene in range(arguments.hard)]
    measure(folder)
    found = [a for scene, path in enumerate(paths) for a in answers(network, path, scene)]
    text = page(found, hashlib.sha256(weights.read_bytes()).hexdigest()[:12])
    print(text)
    write(out / "hard.md", text)
    return 0
