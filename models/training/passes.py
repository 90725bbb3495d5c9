"""What a network makes of a batch of pairs: encodings in one pass, and a frame of each pair."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ..eam.keypoints import Encoding
from ..eam.network import Animation, Eam


def encodings(network: Eam, pictures: list[Tensor], frozen: bool) -> list[Encoding]:
    """Return the encodings of several batches of pictures, made in one pass."""
    count = len(pictures[0])
    whole = torch.cat(pictures).contiguous(memory_format=torch.channels_last)
    with torch.set_grad_enabled(not frozen and torch.is_grad_enabled()):
        encoding = network.encode(whole)
    parts = (torch.split(value, count) for value in encoding)
    return [Encoding(*each) for each in zip(*parts, strict=True)]


def animated(
    network: Eam, pair: Mapping[str, Tensor], paint: bool, along: Tensor | None = None
) -> Animation:
    """Return what the network makes of a batch; the detector is not taught by it.

    `along` is a backward flow (N, 2, 256, 256) to paint along instead of the one that is found.
    """
    neutral, frame, character = encodings(
        network,
        [pair["source_neutral"], pair["source_frame"], pair["character_neutral"]],
        frozen=True,
    )
    strength = pair["source_neutral"].new_ones(len(pair["source_neutral"]))
    return network.animate(
        neutral,
        frame,
        pair["measured_flow"],
        pair["character_neutral"],
        character,
        strength,
        paint,
        along=along,
    )
