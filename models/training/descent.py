"""A step down the weighted sum of named losses, and the rate of learning over a stage."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.optim import AdamW, Optimizer

#: The rate a stage ends with, of its peak.
LAST_RATE = 0.02


def optimiser_of(parameters: list[Tensor], rate: float) -> AdamW:
    """Return the optimiser of `parameters`."""
    return AdamW(parameters, lr=rate, betas=(0.9, 0.99), weight_decay=1e-4)


def rate_at(peak: float, done: float, step: int, warmup_steps: int) -> float:
    """Return the rate at a stage's `step` when its share `done` lies behind: a cosine's half."""
    warm = min(1.0, (step + 1) / warmup_steps)
    swing = 0.5 + 0.5 * math.cos(math.pi * min(done, 1))
    return peak * warm * (LAST_RATE + (1 - LAST_RATE) * swing)


def descend(
    optimiser: Optimizer,
    rate: float,
    named: Mapping[str, Tensor],
    weights: Mapping[str, float],
    clip: float,
) -> tuple[float, float]:
    """Take one step and return the weighted sum and the length of its gradient.

    A gradient that is no number is not followed.
    """
    for group in optimiser.param_groups:
        group["lr"] = rate
    total = torch.stack([weights.get(name, 0.0) * v for name, v in named.items()]).sum()
    optimiser.zero_grad(set_to_none=True)
    total.backward()  # type: ignore[no-untyped-call]
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    norm = float(torch.nn.utils.clip_grad_norm_(parameters, clip))
    if math.isfinite(norm):
        optimiser.step()
    return float(total.detach()), norm
