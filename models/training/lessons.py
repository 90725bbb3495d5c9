"""What a step of a stage is given, and which parts of a network it teaches."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..eam.blocks import set_mixed
from ..eam.network import Eam
from .data import Shards, draw
from .settings import Settings
from .stages import KEYPOINT_FIELDS, STEPS, prepared


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
    shards: Shards, settings: Settings, stage: str, step: int
) -> tuple[dict[str, Tensor], torch.Generator]:
    """Return the pairs of a stage's step, prepared, and the random numbers that go on from there;
    both follow from the seed and the step."""
    indices = draw(settings.seed, step, settings.stages[stage].batch, len(shards))
    rng = torch.Generator().manual_seed(settings.seed * 1_000_003 + step)
    fields = KEYPOINT_FIELDS if stage in ("keypoints", "points") else ()
    return prepared(shards.batch(indices, fields), rng), rng
