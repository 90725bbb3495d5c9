"""What is compared: a static copy, the classical baseline, the network, and the truth itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..eam import grid, motion
from ..eam.correspondence import by_landmarks, carry
from ..eam.edges import edge_map
from ..eam.keypoints import luminance
from ..eam.motion import moving_region
from ..eam.network import Eam
from ..training.passes import animated
from ..training.served import as_served
from ..training.steady import steadied

Pairs = dict[str, Tensor]


@dataclass(frozen=True)
class Result:
    """What a method answers for a batch: backward flow (N, H, W, 2) in pixels, pictures (N, H, W,
    3) uint8, edge maps (N, H, W) in 0..1; where it says how far off the flow may be, `doubt`
    (N, 64, 64) in pixels."""

    flow: NDArray[np.float32]
    images: NDArray[np.uint8]
    edges: NDArray[np.float32]
    doubt: NDArray[np.float32] | None = None


Method = Callable[[Eam, Pairs], Result]


def as_result(flow: Tensor, images: Tensor, edges: Tensor) -> Result:
    """Return a method's tensors, NCHW, as a `Result`."""
    pictures = (images.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1)
    return Result(
        flow.permute(0, 2, 3, 1).numpy().astype(np.float32),
        np.ascontiguousarray(pictures.numpy()),
        edges[:, 0].numpy().astype(np.float32),
    )


def as_met(pair: Pairs, points: Tensor) -> Pairs:
    """Return what the methods meet of a batch: its sources as served, and as `plain_flow` what the
    baseline measures, whose head is held still by the keypoints `points` (N, K, 2)."""
    return as_served(pair) | {"plain_flow": steadied(pair, points)["measured_flow"]}


def static_copy(network: Eam, pair: Pairs) -> Result:
    """Answer with the character's neutral."""
    neutral = pair["character_neutral"]
    return as_result(torch.zeros_like(neutral[:, :2]), neutral, torch.zeros_like(neutral[:, :1]))


def truth(network: Eam, pair: Pairs) -> Result:
    """Answer with the true frame: what the measuring itself can reach at best."""
    flow, frame = pair["character_backward"], pair["character_frame"]
    return as_result(flow, frame, edge_map(luminance(frame)) * moving_region(flow))


def classical(network: Eam, pair: Pairs) -> Result:
    """Answer with the plainly steadied optical flow, carried by detected keypoints."""
    return by_keypoints(network, pair, pair["plain_flow"])


def served(network: Eam, pair: Pairs) -> Result:
    """Answer with the flow that the server measures, carried by detected keypoints."""
    return by_keypoints(network, pair, pair["measured_flow"])


def by_keypoints(network: Eam, pair: Pairs, measured: Tensor) -> Result:
    """Answer with a `measured` forward flow (N, 2, 64, 64), carried by the correspondence of
    detected keypoints."""
    with torch.no_grad():
        source = network.encode(pair["source_neutral"]).points
        character = network.encode(pair["character_neutral"]).points
        where = by_landmarks(source, character)
        forward = carry(measured, where)
        middle = character.mean(dim=1)
        unit = motion.face_unit(character)
        offset = grid.centres(64, 64, forward)[None] - middle[:, None, None, :]
        far = offset.square().sum(-1).sqrt() / unit[:, None, None]
        face = ((2.0 - far) / 0.4).clamp(0, 1)
        flow = grid.resize(motion.backward(forward * face[:, None]), grid.SIZE)
        image = grid.warp(pair["character_neutral"], flow)
        edges = edge_map(luminance(image)) * moving_region(flow)
    return as_result(flow, image, edges)


def ours(network: Eam, pair: Pairs) -> Result:
    """Answer with the network."""
    with torch.no_grad():
        found = animated(network, pair, paint=True)
    result = as_result(found.flow, found.image, found.edges)
    return replace(result, doubt=found.doubt[:, 0].numpy())


#: Rows of the table, in order.
METHODS: dict[str, Method] = {
    "static copy": static_copy,
    "classical": classical,
    "served flow": served,
    "ours": ours,
    "true frame": truth,
}
