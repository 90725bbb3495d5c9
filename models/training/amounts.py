"""Teach which movements go together (`eam/together.py`), apart from the rest of the network.

What the network fits to the source of each pair, and what fits its true motion, is gathered once;
that takes as long as one round of the other stages, and the many rounds that follow take a minute.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.optim import AdamW

from ...errors import InputError
from ..eam.network import Eam
from ..eam.repertoire import Repertoire, made
from ..eam.together import Together
from .data import Shards
from .descent import descend, rate_at
from .served import as_served
from .settings import StageSettings
from .stages import as_tensors

#: Rounds through all pairs, and pairs of which one is told.
ROUNDS, TOLD = 90, 640
#: Weights decay by this, of the rate: there are more of them than pairs.
DECAY = 1e-2
#: Pairs that are looked at at once.
AT_ONCE = 16
#: The prior's weight where the true motion is fitted, of a movement's mean weight.
RIDGE = 0.003
#: Share of the corrections that is kept in the end. What training's heads never do may be what a
#: rig does beside it (brows pinched while they are lowered), and a full correction takes that away.
KEPT = 0.5
#: Share of a cell that has to be on the head and in sight for its motion to be known.
IN_SIGHT = 0.9
#: Share of the pairs that show another pair's expression as well, and share of all expressions of
#: which one side is weakened, in half of them to nothing: in few pairs a side rests.
MIXED, SIDED = 0.5, 0.5
#: Root of summed squared pixels that is added to the true motion's: below it noise rules.
FLOOR = 10.0
#: What the losses weigh.
WEIGHTS = {"error": 1.0, "gain": 0.7}


class Gathered(NamedTuple):
    """Of P pairs: amounts as `found` and as `wanted` (P, M), what is known of their `noise` (P, 2),
    the movements' `products` (P, M, M) where the motion is known, and the squared pixels that no
    amounts explain (P,)."""

    found: Tensor
    wanted: Tensor
    noise: Tensor
    products: Tensor
    unexplained: Tensor


def teach(
    network: Eam, shards: Shards, seed: int, how: StageSettings, say: Callable[[str], None]
) -> None:
    """Teach the network's knowledge of what goes together, as `how` says, on all of `shards`.

    Raises InputError for a network that has none.
    """
    repertoire = network.repertoire
    if repertoire is None or repertoire.together is None:
        raise InputError(
            "The network has nothing that knows which movements go together.",
            "Set together = 1024 in the settings' [network].",
        )
    network.eval()
    losses = learn(
        repertoire.together,
        gather(network, repertoire, shards, say),
        how,
        np.random.default_rng(seed),
    )
    with torch.no_grad():
        for side in (repertoire.together.left, repertoire.together.right):
            side.correct.weight.mul_(KEPT)
            side.correct.bias.mul_(KEPT)
    say(f"amounts: loss {np.mean(losses[:10]):.3f}, in the end {np.mean(losses[-10:]):.3f}")


def learn(
    together: Together, pairs: Gathered, how: StageSettings, rng: np.random.Generator
) -> list[float]:
    """Teach `together` what `pairs` show, in batches and at a rate as `how` says; return the
    losses of all steps."""
    together.usual.copy_(pairs.found.std(0) + 1e-6)
    together.requires_grad_(True)
    optimiser = AdamW(together.parameters(), lr=how.rate, weight_decay=DECAY)
    steps = ROUNDS * -(-len(pairs.found) // how.batch)
    losses: list[float] = []
    for step, some in enumerate(rounds(len(pairs.found), how.batch, rng)):
        rate = rate_at(how.rate, step / steps, step, 1)
        named = off_by(together, mixed(pairs, some, rng))
        losses.append(descend(optimiser, rate, named, WEIGHTS, math.inf)[0])
    return losses


@torch.no_grad()
def gather(
    network: Eam, repertoire: Repertoire, shards: Shards, say: Callable[[str], None]
) -> Gathered:
    """Return what the network fits to the sources of `shards`, and what fits their true motion."""
    device = repertoire.sizes.device
    parts: list[tuple[Tensor, ...]] = []
    for first in range(0, len(shards), AT_ONCE):
        indices = np.arange(first, min(first + AT_ONCE, len(shards)))
        pair = as_served(as_tensors(shards.batch(indices), device))
        neutral, frame = (network.encode(pair[f"source_{name}"]) for name in ("neutral", "frame"))
        measured = pair["measured_flow"]
        motion = network.source(neutral, frame, measured)
        fit = repertoire.fit(neutral)
        found = repertoire.amounts(motion, fit)
        noise = repertoire.noise(motion, measured, made(found, fit), neutral.features)
        known = (pair["source_moving"] > IN_SIGHT).float().expand_as(measured).flatten(1)
        parts.append((found, *fitted(pair["source_flow"].flatten(1), known, fit.movements), noise))
        if (first + AT_ONCE) % TOLD == 0:
            say(f"gathered {first + AT_ONCE} of {len(shards)} pairs")
    found, wanted, products, unexplained, noise = (
        torch.cat(each) for each in zip(*parts, strict=True)
    )
    return Gathered(found, wanted, noise, products, unexplained)


def fitted(motion: Tensor, known: Tensor, movements: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the amounts (N, M) of `movements` (N, M, 2, h, w) that fit a motion (N, 2 h w) where
    it is `known` (N, 2 h w) best, their products (N, M, M) there, and what is left, squared (N,).
    """
    flat = movements.flatten(2)
    seen = flat * known[:, None]
    products = seen @ flat.transpose(1, 2)
    mean = products.diagonal(dim1=1, dim2=2).mean(1)[:, None, None] + 1e-6
    ridge = RIDGE * torch.eye(products.shape[1], device=products.device)
    amounts = torch.linalg.solve(products / mean + ridge, seen @ motion[..., None] / mean)
    rest = ((amounts.transpose(1, 2) @ flat)[:, 0] - motion) * known
    return amounts[..., 0], products.half(), rest.square().sum(1)


def rounds(count: int, batch: int, rng: np.random.Generator) -> Iterator[Tensor]:
    """Yield the indices of all pairs in batches, in another order each round."""
    for _ in range(ROUNDS):
        yield from torch.split(torch.from_numpy(rng.permutation(count)), batch)


def mixed(pairs: Gathered, some: Tensor, rng: np.random.Generator) -> Gathered:
    """Return some pairs, one side of part of them weakened, part with another's true expression on
    top: what faces do at once is not bounded by what these pairs do."""
    one = Gathered(*(each[some] for each in pairs))
    less = one.wanted * (1 - sided(one.wanted, rng))
    others = pairs.wanted[torch.from_numpy(rng.integers(0, len(pairs.found), len(some)))]
    share = rng.random((len(some), 1)) * (rng.random((len(some), 1)) < MIXED)
    more = torch.from_numpy(share).to(others) * others * sided(others, rng) - less
    return one._replace(found=one.found + more, wanted=one.wanted + more)


def sided(amounts: Tensor, rng: np.random.Generator) -> Tensor:
    """Return by what to multiply amounts (N, M) so that part of them have a weaker side, left or
    right: the first half of the movements are the left's."""
    count, number = amounts.shape
    left = np.arange(number) < number // 2
    weaker = (left == (rng.random((count, 1)) < 0.5)) & (rng.random((count, 1)) < SIDED)
    share = rng.random((count, 1)) * (rng.random((count, 1)) < 0.5)
    return torch.from_numpy(np.where(weaker, share, 1.0)).to(amounts)


def off_by(together: Together, pairs: Gathered) -> dict[str, Tensor]:
    """Return how far the corrected amounts are off, and their amplitude, beside the true motion."""
    products = pairs.products.float()
    amounts = together(pairs.found, pairs.noise)
    error = product(amounts - pairs.wanted, products, amounts - pairs.wanted) + pairs.unexplained
    whole = product(pairs.wanted, products, pairs.wanted)
    along = product(amounts, products, pairs.wanted)
    relative = error.clamp(min=1e-6).sqrt() / (whole.clamp(min=0).sqrt() + FLOOR)
    gain = (along - whole).abs() / (whole + FLOOR**2)
    return {"error": relative.mean(), "gain": gain.mean()}


def product(one: Tensor, products: Tensor, other: Tensor) -> Tensor:
    """Return (N,) the products of motions of amounts (N, M)."""
    return (one[:, None] @ products @ other[..., None])[:, 0, 0]
