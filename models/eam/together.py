"""Which movements go together: a repertoire's amounts, held to those that expressions have.

Amounts are fitted each for itself, so noise goes into all of them. But a muscle stirs many
movements at once, always by similar shares: amounts that do not go with the others are mostly
noise. A small network, taught on expressions alone, one on top of another, tells by how much each
is off.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

#: Amounts, of their usual ones, and pixels that logarithms start from.
LEAST_AMOUNT, LEAST_PIXELS = 1e-3, 0.01
#: What is known of a motion's noise.
NOISES = 2


class Together(nn.Module):
    """Corrects a repertoire's amounts (N, M) by what goes together; starts by leaving them as they
    are. `usual` (M,) is how large each one usually is."""

    def __init__(self, movements: int, units: int) -> None:
        super().__init__()
        self.register_buffer("usual", torch.ones(movements))
        self.usual: Tensor
        self.meet = nn.Linear(movements + 1 + NOISES, units)
        self.correct = nn.Linear(units, movements)
        nn.init.zeros_(self.correct.weight)
        nn.init.zeros_(self.correct.bias)

    def forward(self, amounts: Tensor, noise: Tensor) -> Tensor:
        """Return the amounts (N, M), corrected.

        `noise` (N, 2), 256-px pixels: how far the motion is from its fit, and how far it was mended
        before. Where nothing moves nothing is corrected.
        """
        of_usual = amounts / self.usual
        size = of_usual.abs().mean(1, keepdim=True)
        known = (
            of_usual / (size + LEAST_AMOUNT),
            torch.log(size + LEAST_AMOUNT),
            torch.log(noise + LEAST_PIXELS),
        )
        met = nn.functional.silu(self.meet(torch.cat(known, dim=1)))
        corrected: Tensor = amounts + size * self.usual * self.correct(met)
        return corrected
