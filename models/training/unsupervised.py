"""Training as described, without any truth: a face is driven by its own frames.

Fan, Shahid and Yan 2022, section 3.5: a pyramid of reconstruction, the equivariance of keypoints
and Jacobians (First Order Motion Model, equations 9 to 11), and the edges of the frame.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from ..eam.network import Eam
from . import losses
from .passes import encodings
from .transforms import ThinPlate

Losses = dict[str, Tensor]


def unsupervised_step(network: Eam, pair: Mapping[str, Tensor], rng: torch.Generator) -> Losses:
    """Return the losses of the whole network, detector too, on the batch's sources alone."""
    neutral, frame = pair["source_neutral"], pair["source_frame"]
    count = len(neutral)
    plate = ThinPlate(count, rng)
    pictures = [neutral, frame, plate.image(frame)]
    still, moved, warped = encodings(network, pictures, frozen=False)
    ones = neutral.new_ones(count)
    found = network.animate(still, moved, pair["measured_flow"], neutral, still, ones)
    points, jacobians = losses.equivariance(moved, warped, plate)
    named = {
        "reconstruction": losses.pyramid(found.image, frame, torch.ones_like(frame[:, :1])),
        "equivariance_points": points,
        "equivariance_jacobians": jacobians,
        "residual": (found.residual_mask * found.residual).abs().mean() * 100,
    }
    if network.edges is not None:
        target = losses.edge_target(frame, found.supervised.detach())
        named["edge"] = F.mse_loss(found.edges, target)
    return named
