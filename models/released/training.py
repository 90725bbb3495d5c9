"""Training of the released network: a face is driven by its own frames, without any truth."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from ..eam.edges import edge_map
from ..eam.keypoints import luminance
from ..training import losses
from ..training.transforms import ThinPlate
from .network import CELLS, Keypoints, Released


def released_step(
    network: Released, pair: Mapping[str, Tensor], rng: torch.Generator
) -> dict[str, Tensor]:
    """Return the losses of reconstruction, equivariance and edges on the batch's sources."""
    neutral, frame = pair["source_neutral"], pair["source_frame"]
    count = len(neutral)
    plate = ThinPlate(count, rng)
    found = network.detector(torch.cat((neutral, frame, plate.image(frame))))
    parts = (torch.split(value, count) for value in found)
    still, moved, warped = (Keypoints(*each) for each in zip(*parts, strict=True))
    made = network(neutral, still, moved)
    points, jacobians = losses.equivariance(moved, warped, plate)
    edges = F.avg_pool2d(edge_map(luminance(frame)), frame.shape[-1] // CELLS)
    return {
        "reconstruction": losses.pyramid(made.image, frame, torch.ones_like(frame[:, :1])),
        "equivariance_points": points,
        "equivariance_jacobians": jacobians,
        "edge": F.mse_loss(made.edges, edges),
    }
