"""What `microface train` does: open the data, take the run up, train, leave weights."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import torch

from ...errors import InputError
from .. import devices
from ..export import load_weights, save_weights
from ..heads.device.write import writer_on
from ..heads.pairs import Split
from ..heads.write import PAIRS_PER_SHARD, Write, lacking, load_families, write_by_numpy
from . import checkpoint
from .data import Shards
from .pictures import write_sheet
from .settings import STAGES, Settings, as_table, load_settings
from .trainer import Trainer


class Measure(Protocol):
    """Measures what is not measured yet of a folder of shards, so many at a time; returns how many
    shards that were."""

    def __call__(self, folder: Path, processes: int = 1) -> int: ...


def train(arguments: argparse.Namespace, measure: Measure) -> int:
    """Run a training as the command line asks and return the exit status.

    `measure` measures the shards of a folder as the server measures clips, where none has yet.
    """
    device = devices.chosen(arguments.device)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    settings = load_settings(arguments.settings).with_changes(
        minutes=arguments.minutes, batch=arguments.batch, seed=arguments.seed
    )
    steps: int | None = arguments.steps
    if arguments.smoke:
        steps = 3
        settings = replace(
            settings.with_changes(minutes=None, batch=2, seed=None), picture_steps=1_000_000
        )
    folder: Path = arguments.out
    there = (folder / checkpoint.NAME).exists()
    if arguments.resume and not there:
        raise InputError(f"There is no run to resume in {folder}.", "Leave --resume out.")
    if arguments.resume and arguments.weights:
        raise InputError("--resume and --from exclude each other.", "Leave one of them out.")
    if there and not arguments.resume:
        raise InputError(f"{folder} already holds a run.", "Add --resume, or name a new folder.")
    write = writer_on("cuda") if device.type == "cuda" else write_by_numpy
    data: list[Path] = [*(arguments.data or ())]
    if arguments.packs:
        data.append(rendered(arguments.packs, folder, arguments.pairs, settings.seed, write))
    for each in data:
        # A GPU steps through pairs faster than one core measures them.
        measure(each, os.cpu_count() or 1 if device.type == "cuda" else 1)
    folder.mkdir(parents=True, exist_ok=True)
    say(f"training on {device.type}")
    trainer = Trainer(folder, Shards(data[0], tuple(data[1:])), settings, device)
    if arguments.resume:
        trainer.resume()
    elif arguments.weights:
        trainer.start_from(load_weights(arguments.weights))
    write_settings(folder, settings)
    stages = STAGES if arguments.stage == "all" else (arguments.stage,)
    trainer.run(tuple(stages), steps=steps, say=say, picture=write_sheet)
    save_weights(trainer.averaged(), folder / "eam.safetensors")
    say(f"weights: {folder / 'eam.safetensors'}")
    return 0


def rendered(packs: Path, folder: Path, pairs: int, seed: int, write: Write) -> Path:
    """Return a folder of shards rendered from `packs`, in the run's own folder."""
    data = folder / "pairs"
    write_pairs(data, packs, pairs, seed, "train", write)
    return data


def write_pairs(
    data: Path, packs: Path, pairs: int, seed: int, split: Split, write: Write = write_by_numpy
) -> None:
    """Render at least `pairs` pairs of the head packs to shards in `data`; what is there stays."""
    if not packs.is_dir():
        raise InputError(f"There are no head packs at {packs}.", "Name their folder.")
    families = load_families(packs)
    data.mkdir(parents=True, exist_ok=True)
    todo = lacking(data, range(-(-pairs // PAIRS_PER_SHARD)))
    for path, rate in write(data, todo, seed, families, split):
        say(f"rendered {path.name}, {rate:.1f} pairs a second")


def write_settings(folder: Path, settings: Settings) -> None:
    """Leave the settings beside the run, for its model card."""
    (folder / "settings.json").write_text(json.dumps(as_table(settings), indent=2) + "\n")


def say(line: str) -> None:
    """Print a line of the log at once."""
    print(line, flush=True)
