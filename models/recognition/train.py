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
from ..eam import grid
from .network import Reading, Recogniser, save_recogniser
from .regions import windows
from .samples import Samples, joined
from .scores import PRESENT, best_threshold
from .variety import drawn, varied

BATCH = 64
LEARNING_RATE, DECAY = 1.5e-3, 0.02
#: Share of people, the last ones, that set the threshold and are not learned from.
KEPT = 0.06
#: Weight of an amount where there is none, and of presence where a trace is too small to count.
ABSENT, TRACE = 0.1, 0.3


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
