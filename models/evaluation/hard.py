"""Accuracy where it is hard: `python -m microface.models.evaluation.hard --packs DIR --out DIR`.

Each scene is one held-out source and one held-out character, which are asked the same questions
(see `hard_scenes`). Motion is measured against the source's own, carried by true correspondence;
frames are steadied as in training, one by one. Rendered scenes are kept in --out, so that a run
takes up where another stopped and other weights are measured on the same pictures.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch

from ...errors import MicrofaceError
from ..eam.network import Eam
from ..export import load_weights
from ..flow import measure_flow, to_grid
from ..heads.families import HeadModel
from ..heads.write import load_families
from ..training.carried import carried_truth
from ..training.data import Batch
from ..training.losses import facial
from ..training.stages import animated, as_tensors
from ..training.steady import steadied
from . import hard_scenes
from .hard_page import page
from .hard_table import Answer

#: The weights that ship.
WEIGHTS = Path(__file__).parents[1] / "weights" / "eam.safetensors"
#: Fields of a pair that the questions need.
FIELDS = (
    "source_neutral",
    "source_frame",
    "source_flow",
    "source_moving",
    "source_points",
    "source_chart",
    "character_neutral",
    "character_points",
    "character_chart",
)
#: Questions that go through the network at once.
BATCH = 8


def rendered(folder: Path, families: Sequence[HeadModel], number: int, seed: int) -> Path:
    """Return the file of a scene's questions, rendered unless it is there; its name tells which
    questions they are."""
    asked = hashlib.sha256(Path(hard_scenes.__file__).read_bytes()).hexdigest()[:8]
    path = folder / f"hard-{asked}-{seed}-{number:02d}.npz"
    if path.exists():
        return path
    questions = list(hard_scenes.questions(families, number, seed))
    arrays = {name: np.stack([getattr(q.pair, name) for q in questions]) for name in FIELDS}
    flows = [to_grid(measure_flow(q.pair.source_neutral, q.pair.source_frame)) for q in questions]
    aside = path.with_suffix(".part")
    with aside.open("wb") as file:
        np.savez(
            file, names=[q.name for q in questions], measured_flow=np.stack(flows),
            families=np.array(questions[0].pair.families), **arrays,
        )  # fmt: skip
    aside.replace(path)
    return path


def answers(network: Eam, path: Path, scene: int) -> list[Answer]:
    """Return what the network answers to a scene's questions, beside the truth."""
    with np.load(path) as stored:
        names = [str(name) for name in stored["names"]]
        batch: Batch = {name: stored[name] for name in (*FIELDS, "measured_flow")}
    found: list[Answer] = []
    for start in range(0, len(names), BATCH):
        part = {name: value[start : start + BATCH] for name, value in batch.items()}
        with torch.no_grad():
            shaken = as_tensors(part)
            pair = steadied(shaken, network.encode(shaken["source_neutral"]).points)
            made = animated(network, pair, paint=False).coarse
            truth = carried_truth(pair)
        face = facial(pair["character_chart"]) & (pair["character_chart"][:, 3:] > 0.97)
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


def main(arguments: list[str] | None = None) -> int:
    """Ask the questions, print and write the page; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m microface.models.evaluation.hard",
        description="Measure the network where it is hard, on held-out heads.",
    )
    parser.add_argument("--packs", type=Path, required=True, help="folder of the head packs")
    parser.add_argument("--out", type=Path, required=True, help="folder to keep scenes in")
    parser.add_argument("--scenes", type=int, default=9, help="scenes to ask (default 9)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="those that ship if absent")
    parser.add_argument("--cache", type=Path, default=None, help="folder to keep built heads in")
    parser.add_argument("--page", type=Path, default=None, help="write the page to this file")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    try:
        network = load_weights(options.weights)
        options.out.mkdir(parents=True, exist_ok=True)
        families = load_families(options.packs, options.cache)
        found: list[Answer] = []
        for scene in range(options.scenes):
            begin = time.perf_counter()
            path = rendered(options.out, families, scene, options.seed)
            found += answers(network, path, scene)
            seconds = time.perf_counter() - begin
            print(f"scene {scene}: {seconds:.0f} s", file=sys.stderr, flush=True)
    except MicrofaceError as error:
        print(error, file=sys.stderr)
        return error.exit_status
    digest = hashlib.sha256(options.weights.read_bytes()).hexdigest()[:12]
    text = page(found, f"--scenes {options.scenes} --seed {options.seed}", digest)
    print(text)
    if options.page is not None:
        aside = options.page.with_suffix(".part")
        aside.write_text(text)
        aside.replace(options.page)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
