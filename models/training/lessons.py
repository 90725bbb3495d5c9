"""What a step of a stage is given, and which parts of a network it teaches."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ..devices import CPU
from ..eam.blocks import set_mixed
from ..eam.network import Eam
from .data import Batch
from .stages import STEPS, prepared


def in_mixed_precision(network: Eam) -> Eam:
    """Return `network`, its convolutions computing in bfloat16."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    set_mixed(network, mixed=True)
    # Heatmaps are read to a fraction of a cell: their logits stay exact.
    set_mixed(network.encoder.heatmaps[1], mixed=False)
    return network


def opened(network: nn.Module, stage: str) -> list[tuple[str, nn.Parameter]]:
    """Let `stage` teach its parts of `network` and no others; return these by name."""
    parts = STEPS[stage][1]
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name.startswith(parts))
    return [(n, p) for n, p in network.named_parameters() if p.requires_grad]


def attend(network: Eam, stage: str) -> None:
    """Put `network` into training; a detector that `stage` does not teach as a whole keeps the
    statistics it has."""
    network.train()
    if not "encoder".startswith(STEPS[stage][1]):
        network.encoder.eval()


def lesson(
    batch: Batch | Mapping[str, Tensor], seed: int, step: int, device: torch.device = CPU
) -> tuple[dict[str, Tensor], torch.Generator]:
    """Return the pairs of a step, prepared on a device, and the random numbers that go on from
    there; these follow from the seed, the step and the kind of device."""
    rng = torch.Generator(device).manual_seed(seed * 1_000_003 + step)
    return prepared(batch, rng), rng
