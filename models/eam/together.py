"""Which movements go together: a repertoire's amounts, held to those that expressions have.

Amounts are fitted each for itself, so noise goes into all of them. But a muscle stirs many
movements at once, always by similar shares: amounts that do not go with the others are mostly
noise. Two small networks, one for each side of the face, tell by how much each is off; they are
taught on expressions alone, one on top of another. Most expressions are of both sides, and what
knew both would have one follow the other.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

#: Amounts, of their usual ones, and pixels that logarithms start from.
LEAST_AMOUNT, LEAST_PIXELS = 1e-3, 0.01
#: What is known of a motion's noise.
NOISES = 2


class OneSide(nn.Module):
    """By how much amounts (N, M) of one side, all of like size, are off; at first by nothing."""

    def __init__(self, movements: int, units: int) -> None:
        super().__init__()
        self.meet = nn.Linear(movements + 1 + NOISES, units)
        self.correct = nn.Linear(units, movements)
        nn.init.zeros_(self.correct.weight)
        nn.init.zeros_(self.correct.bias)

    def forward(self, amounts: Tensor, noise: Tensor) -> Tensor:
        """Return the correction (N, M); `noise` (N, 2) in logarithms."""
        size = amounts.abs().mean(1, keepdim=True)
        shares = amounts / (size + LEAST_AMOUNT)
        known = torch.cat((shares, torch.log(size + LEAST_AMOUNT), noise), dim=1)
        correction: Tensor = size * self.correct(nn.functional.silu(self.meet(known)))
        return correction


class Together(nn.Module):
    """Corrects a repertoire's amounts (N, M), the first half of them the left side's.

    Each side has so many `units`; `usual` (M,) is how large each amount usually is.
    """

    def __init__(self, movements: int, units: int) -> None:
        super().__init__()
        self.register_buffer("usual", torch.ones(movements))
        self.usual: Tensor
        self.split = movements // 2
        self.left = OneSide(self.split, units)
        self.right = OneSide(movements - self.split, units)

    def forward(self, amounts: Tensor, noise: Tensor) -> Tensor:
        """Return the amounts (N, M), corrected.

        `noise` (N, 2), 256-px pixels: how far the motion is from its fit, and how far it was mended
        before. Where a side does not move nothing is corrected.
        """
        noise = torch.log(noise + LEAST_PIXELS)
        of_usual = amounts / self.usual
        left = self.left(of_usual[:, : self.split], noise)
        right = self.right(of_usual[:, self.split :], noise)
        return amounts + self.usual * torch.cat((left, right), dim=1)
