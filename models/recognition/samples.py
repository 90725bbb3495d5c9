"""Labelled samples: the steadied flow that was measured from pictures, and who did what.

`python -m microface.models.recognition.samples --data PAIRS --out FILE.npz` makes them once from
shards of rendered pairs. A pair gives two, the source's face and the character's.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from ...errors import InputError, told
from ..arrays import save_arrays
from ..eam import grid
from ..flow import measure_flow, to_grid
from ..training.data import Shards
from ..training.steady import head_motion
from .units import COLUMNS, amounts_of

Pictures = NDArray[np.uint8]


@dataclass(frozen=True)
class Samples:
    """`flow` (M, 64, 64, 2) float16, the expression's motion in pixels of the 256-pixel picture;
    `points` (M, 30, 2) float32, the neutral's keypoints there; `amounts` (M, COLUMNS) float32;
    `people` (M,), the name of each one's identity."""

    flow: NDArray[np.float16]
    points: NDArray[np.float32]
    amounts: NDArray[np.float32]
    people: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.flow)

    def chosen(self, rows: NDArray[np.generic]) -> Samples:
        """Return the samples at `rows`, indices or flags."""
        return Samples(self.flow[rows], self.points[rows], self.amounts[rows], self.people[rows])

    def save(self, path: Path) -> None:
        """Write the samples, aside first."""
        save_arrays(path, vars(self))

    @staticmethod
    def load(path: Path) -> Samples:
        """Return samples that were saved. InputError where the file is none of them."""
        try:
            with np.load(path) as arrays:
                found = Samples(*(arrays[n] for n in ("flow", "points", "amounts", "people")))
        except (OSError, KeyError, ValueError) as error:
            raise InputError(
                f"{path} does not hold samples: {error}.",
                "Write them with `python -m microface.models.recognition.samples`.",
            ) from error
        if found.amounts.shape[1:] != (len(COLUMNS),):
            raise InputError(f"{path} knows other action units.", "Write it anew.")
        return found


def moved(neutrals: Pictures, frames: Pictures) -> NDArray[np.float32]:
    """Return the measured flow (N, 64, 64, 2) between pictures (N, 256, 256, 3), pixels."""
    still = np.zeros((64, 64, 2), np.float32)
    return np.stack(
        [
            still if np.array_equal(a, b) else to_grid(measure_flow(a, b))
            for a, b in zip(neutrals, frames, strict=True)
        ]
    )


def without_head(flow: NDArray[np.float32], points: NDArray[np.float32]) -> NDArray[np.float16]:
    """Return flows (N, 64, 64, 2) without what most of the face follows; `points` (N, 30, 2)."""
    tensor = torch.from_numpy(np.asarray(flow, np.float32)).permute(0, 3, 1, 2)
    head = head_motion(tensor, grid.to_normalised(torch.from_numpy(points)))
    return np.asarray((tensor - head).permute(0, 2, 3, 1).numpy(), dtype=np.float16)


def joined(parts: Sequence[Samples]) -> Samples:
    """Return all samples of `parts`, in their order."""
    return Samples(
        np.concatenate([part.flow for part in parts]),
        np.concatenate([part.points for part in parts]),
        np.concatenate([part.amounts for part in parts]),
        np.concatenate([part.people for part in parts]),
    )


def true_amounts(shards: Shards) -> NDArray[np.float32]:
    """Return the true amounts (P, COLUMNS) of every pair."""
    metas = (meta for text in shards.column("meta") for meta in json.loads(str(text)))
    return np.stack([amounts_of(meta["weights"]) for meta in metas])


def from_shards(shards: Shards) -> Samples:
    """Return two samples of each pair: of every shard the sources, then the characters."""
    columns = {
        name: shards.column(name)
        for name in (
            "measured_flow",
            "character_neutral",
            "character_frame",
            "source_points",
            "character_points",
        )
    }
    parts: list[Samples] = []
    for number, text in enumerate(shards.column("meta")):
        meta = json.loads(str(text))
        shard = {name: np.asarray(column[number]) for name, column in columns.items()}
        flows = (
            shard["measured_flow"].astype(np.float32),
            moved(*(shard[f"character_{n}"].astype(np.uint8) for n in ("neutral", "frame"))),
        )
        amounts = np.stack([amounts_of(pair["weights"]) for pair in meta])
        for role, side in enumerate(("source", "character")):
            points = shard[f"{side}_points"].astype(np.float32)
            people = [f"{pair['families'][role]}{pair['identities'][role]}" for pair in meta]
            flow = without_head(flows[role], points)
            parts.append(Samples(flow, points, amounts, np.array(people)))
    return joined(parts)


def main(arguments: list[str] | None = None) -> int:
    """Make samples of a folder of shards; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m microface.models.recognition.samples")
    parser.add_argument("--data", type=Path, required=True, help="folder of pairs-*.npz")
    parser.add_argument("--out", type=Path, required=True, help=".npz file to write")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)

    def work() -> None:
        samples = from_shards(Shards(options.data))
        samples.save(options.out)
        print(f"{len(samples)} samples of {len(set(samples.people))} people in {options.out}")

    return told(work)


if __name__ == "__main__":
    raise SystemExit(main())
