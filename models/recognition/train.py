"""Teach the recogniser from samples that were made once.

`python -m microface.models.recognition.train --samples FILE... --out recogniser.safetensors`
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...errors import InputError, told
from ..eam import grid, motion
from .network import Reading, Recogniser, save_recogniser
from .regions import PARTNER, roll, windows
from .samples import Samples, joined
from .scores import PRESENT, best_threshold
from .units import COLUMNS, MIRROR

BATCH = 64
#: Units to a side that move the whole mouth or jaw; columns that no half of a face does alone; and
#: 1 for those on the left, those on the right.
_ASIDE = ("mouth", "AU30")
_MIDDLE = [k for k, column in enumerate(COLUMNS) if column.side == "both" or column.unit in _ASIDE]
_LEFT, _RIGHT = (
    torch.tensor([float(column.side == side) for column in COLUMNS]) for side in ("left", "right")
)
LEARNING_RATE, DECAY = 1.5e-3, 0.02
#: Share of people, the last ones, that set the threshold and are not learned from.
KEPT = 0.06
#: How far keypoints are off, each and all together, in face units: detected ones are.
ASTRAY, ASTRAY_ALL = 0.04, 0.03
#: Share of samples to which another one is added.
MIXED = 0.3
#: Share of samples of which one half of the face alone moves, and how soft the line between is, in
#: face units. Rendered faces do few units on one side alone.
HALVED, SOFT = 0.15, 0.12
#: Spread of the logarithm of a sample's gain, and what a gain may make of the largest amount.
GAIN, MOST = 0.4, 1.2
#: Weight of an amount where there is none, and of presence where a trace is too small to count.
ABSENT, TRACE = 0.1, 0.3


def drawn(samples: Samples, rows: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return motion in windows and amounts of `rows`, as seen with keypoints a little astray."""
    at = rows.numpy()
    flow = torch.from_numpy(samples.flow[at].astype(np.float32)).permute(0, 3, 1, 2)
    points = grid.to_normalised(torch.from_numpy(samples.points[at]))
    flow, amounts = halved(flow, points, torch.from_numpy(samples.amounts[at]), rng)
    unit = motion.face_unit(points)[:, None, None]
    points = points + ASTRAY * unit * torch.randn(points.shape, generator=rng)
    points = points + ASTRAY_ALL * unit * torch.randn((len(rows), 1, 2), generator=rng)
    return windows(flow, points), amounts


def halved(
    flow: Tensor, points: Tensor, amounts: Tensor, rng: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Return flows (N, 2, 64, 64) and amounts (N, COLUMNS), of some the left or the right half.

    None of those is halved in which a unit without sides moves.
    """
    count = len(flow)
    left = torch.rand(count, generator=rng) < 0.5
    chosen = torch.rand(count, generator=rng) < HALVED
    chosen &= amounts[:, _MIDDLE].sum(1) == 0
    away = grid.centres(flow.shape[2], flow.shape[3], flow) - points.mean(1)[:, None, None]
    # The subject's left is to the right of an upright picture.
    across = torch.einsum("nhwc,nc->nhw", away, roll(points)[:, :, 0])
    to_left = torch.sigmoid(across / (SOFT * motion.face_unit(points)[:, None, None]))
    side = torch.where(left[:, None, None], to_left, 1 - to_left)
    kept = torch.where(left[:, None], _LEFT, _RIGHT)
    flow = torch.where(chosen[:, None, None, None], flow * side[:, None], flow)
    return flow, torch.where(chosen[:, None], amounts * kept, amounts)


def varied(motions: Tensor, amounts: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return samples varied: half of them mirrored, weaker or stronger, some with another added.

    Small motions add up, and so do the amounts of those who make them.
    """
    count = len(motions)
    flip = torch.rand(count, generator=rng) < 0.5
    motions = torch.where(flip[:, None, None, None, None], motions[:, PARTNER], motions)
    amounts = torch.where(flip[:, None], amounts[:, MIRROR], amounts)
    gain = torch.exp(GAIN * torch.randn(count, generator=rng))
    gain = torch.minimum(gain, MOST / amounts.amax(1).clamp(min=0.1))
    motions, amounts = motions * gain[:, None, None, None, None], amounts * gain[:, None]
    added = (torch.rand(count, generator=rng) < MIXED).float()
    other = torch.randperm(count, generator=rng)
    motions = motions + added[:, None, None, None, None] * motions[other]
    return motions, amounts + added[:, None] * amounts[other]


def losses(logits: Tensor, found: Tensor, amounts: Tensor) -> Tensor:
    """Return the loss of presence `logits` and `found` amounts against the true `amounts`."""
    present = (amounts >= PRESENT).float()
    trace = (amounts > 0) & (amounts < PRESENT)
    named = F.binary_cross_entropy_with_logits(logits, present, reduction="none")
    off = (found - amounts).abs() / (0.1 + amounts)
    off = torch.where(amounts > 0, off, ABSENT * off)
    return (torch.where(trace, TRACE * named, named).sum(1) + 0.5 * off.sum(1)).mean()


def fit(
    samples: Samples, steps: int, seed: int, say: Callable[[str], None] = lambda line: None
) -> Recogniser:
    """Return a recogniser taught on `samples` for `steps` steps; a function of its arguments."""
    torch.manual_seed(seed)
    rng = torch.Generator().manual_seed(seed)
    network = Recogniser().train()
    optimiser = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, LEARNING_RATE, total_steps=steps, pct_start=0.1
    )
    total, begin = 0.0, time.process_time()
    for step in range(1, steps + 1):
        rows = torch.randint(len(samples), (BATCH,), generator=rng)
        motions, amounts = varied(*drawn(samples, rows, rng), rng)
        logits, found = network(motions)
        loss = losses(logits, found, amounts)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        total += loss.item()
        if step % 100 == 0:
            say(f"step {step}: loss {total / 100:.4f}, {time.process_time() - begin:.0f} CPU s")
            total = 0.0
    return network.eval()


def parted(samples: Samples, share: float = KEPT) -> tuple[Samples, Samples]:
    """Return the samples of most people, and those of a random `share` of them."""
    people = np.random.default_rng(0).permutation(np.unique(samples.people))
    kept = np.isin(samples.people, people[: max(1, round(share * len(people)))])
    return samples.chosen(~kept), samples.chosen(kept)


def with_threshold(network: Recogniser, samples: Samples) -> Recogniser:
    """Return `network` with the threshold that suits `samples` best."""
    reading = read_samples(network, samples)
    threshold = best_threshold(reading.chance.numpy(), samples.amounts)
    network.config = replace(network.config, threshold=round(threshold, 3))
    return network


def read_samples(network: Recogniser, samples: Samples) -> Reading:
    """Return what `network` recognises in `samples`."""
    readings = []
    for start in range(0, len(samples), BATCH):
        part = samples.chosen(np.arange(start, min(start + BATCH, len(samples))))
        flow = torch.from_numpy(part.flow.astype(np.float32)).permute(0, 3, 1, 2)
        points = grid.to_normalised(torch.from_numpy(part.points))
        readings.append(network.recognise(windows(flow, points)))
    return Reading(*(torch.cat(each) for each in zip(*readings, strict=True)))


def main(arguments: list[str] | None = None) -> int:
    """Train as the command line asks; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m microface.models.recognition.train")
    parser.add_argument(
        "--samples", type=Path, nargs="+", required=True, help=".npz that `samples` wrote"
    )
    parser.add_argument("--out", type=Path, required=True, help=".safetensors to write")
    parser.add_argument("--steps", type=int, default=4000, help="steps (default 4000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)

    def work() -> None:
        if options.steps < 100:
            raise InputError(f"--steps is {options.steps}.", "Give at least 100.")
        learned, kept = parted(joined([Samples.load(path) for path in options.samples]))
        network = fit(learned, options.steps, options.seed, lambda line: print(line, flush=True))
        save_recogniser(with_threshold(network, kept), options.out)
        print(f"{options.out}: units count from a chance of {network.config.threshold}")

    return told(work)


if __name__ == "__main__":
    raise SystemExit(main())
