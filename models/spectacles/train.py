"""Teach the network that finds spectacles.

`python -m microface.models.spectacles.train --samples FILE... --out spectacles.safetensors`
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ...errors import InputError, told
from ..eam.blocks import set_mixed
from .network import Spectacles, load_spectacles, save_spectacles
from .samples import Samples
from .variety import placed, textured, toned

BATCH = 16
LEARNING_RATE, DECAY = 3e-3, 0.01
#: Weight of the overlap beside the cross-entropy: rims are a hundredth of a picture.
OVERLAP = 0.03
#: Pixels in a picture that count as much as one that is wrong, where there are no rims at all.
SMOOTH = 50.0
#: Steps between what is said.
SAY_STEPS = 50


def loss(logits: Tensor, rims: Tensor) -> Tensor:
    """Return the loss of `logits` (N, 1, S, S) against the shares that rims hide."""
    entropy = F.binary_cross_entropy_with_logits(logits, rims)
    found = torch.sigmoid(logits)
    both = (found * rims).sum((1, 2, 3))
    overlap = (2 * both + SMOOTH) / (found.sum((1, 2, 3)) + rims.sum((1, 2, 3)) + SMOOTH)
    return entropy + OVERLAP * (1 - overlap).mean()


def fit(
    samples: Samples,
    minutes: float,
    seed: int,
    say: Callable[[str], None] = lambda line: None,
    start: Spectacles | None = None,
) -> Spectacles:
    """Return a network taught on `samples` for some `minutes` of processor time, from `start`."""
    torch.manual_seed(seed)
    rng = torch.Generator().manual_seed(seed)
    network = start or Spectacles()
    network.train().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    set_mixed(network, mixed=True)
    optimiser = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=DECAY)
    pictures, rims = torch.from_numpy(samples.pictures), torch.from_numpy(samples.rims)
    begin, total, step = time.process_time(), 0.0, 0
    while (done := (time.process_time() - begin) / (60 * minutes)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = LEARNING_RATE * min(1.0, (step + 1) / 50) * (1 - done)
        rows = torch.randint(len(samples), (BATCH,), generator=rng)
        shown = pictures[rows].permute(0, 3, 1, 2).float() / 255
        shown, hidden = placed(shown, rims[rows, None].float() / 255, rng)
        shown, hidden = textured(shown, hidden, rng)
        value = loss(network(toned(shown, rng)), hidden)
        optimiser.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        total, step = total + value.item(), step + 1
        if step % SAY_STEPS == 0:
            say(f"step {step}: loss {total / SAY_STEPS:.4f}, {100 * done:.0f} %")
            total = 0.0
    set_mixed(network, mixed=False)
    network.eval()
    return network


def main(arguments: list[str] | None = None) -> int:
    """Train as the command line asks; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m microface.models.spectacles.train")
    parser.add_argument(
        "--samples", type=Path, nargs="+", required=True, help=".npz that `samples` wrote"
    )
    parser.add_argument("--out", type=Path, required=True, help=".safetensors to write")
    parser.add_argument("--from", dest="start", type=Path, help=".safetensors to go on from")
    parser.add_argument("--minutes", type=float, default=40.0, help="processor time (40)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)

    def work() -> None:
        if options.minutes <= 0:
            raise InputError(f"--minutes is {options.minutes:g}.", "Give more than 0.")
        samples = Samples.load(options.samples)
        start = None if options.start is None else load_spectacles(options.start)
        say = partial(print, flush=True)
        network = fit(samples, options.minutes, options.seed, say, start)
        save_spectacles(network, options.out)

    return told(work)


if __name__ == "__main__":
    raise SystemExit(main())
