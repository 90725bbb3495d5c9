"""Taking the source's head motion out by plain means, as the classical baseline does.

The expression is what is left of the flow when the motion that most of the face follows is taken
away. The server does better (`served.py`): here an expression that moves much of the face passes in
part for the head's motion.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..eam import grid, motion

Pairs = dict[str, Tensor]

#: Reach of the fit about the middle of the keypoints, in face units, and the departure, in
#: pixels, at which a cell counts half.
REACH, DEPARTURE = 1.6, 0.3
#: Reweighted least squares solved one after the other.
ROUNDS = 8


def head_motion(flow: Tensor, points: Tensor) -> Tensor:
    """Return the similarity (N, 2, 64, 64), pixels, that most of the face in `flow` follows.

    Iteratively reweighted least squares with Cauchy weights; `points` (N, K, 2) normalised.
    """
    count, _, height, width = flow.shape
    middle = points.mean(dim=1)
    unit = motion.face_unit(points)
    offset = grid.centres(height, width, flow)[None] - middle[:, None, None, :]
    near = (offset.square().sum(-1) < (REACH * unit[:, None, None]) ** 2).float().flatten(1)
    x, y = offset[..., 0].flatten(1), offset[..., 1].flatten(1)
    one, nought = torch.ones_like(x), torch.zeros_like(x)
    rows = torch.cat(
        (torch.stack((one, nought, x, -y), -1), torch.stack((nought, one, y, x), -1)), dim=1
    )
    target = torch.cat((flow[:, 0].flatten(1), flow[:, 1].flatten(1)), dim=1)
    weight = torch.cat((near, near), dim=1)
    fitted = torch.zeros_like(target)
    ridge = 1e-4 * torch.eye(4, device=flow.device)
    for _ in range(ROUNDS):
        normal = torch.einsum("npa,np,npb->nab", rows, weight, rows) + ridge
        solution = torch.linalg.solve(normal, torch.einsum("npa,np->na", rows, weight * target))
        fitted = torch.einsum("npa,na->np", rows, solution)
        rest = (target - fitted).reshape(count, 2, -1).square().sum(1).sqrt()
        robust = near / (1 + (rest / DEPARTURE) ** 2)
        weight = torch.cat((robust, robust), dim=1)
    return fitted.reshape(count, 2, height, width)


def steadied(pair: Pairs, points: Tensor) -> Pairs:
    """Return `pair` with the head's motion out of the source's frame and measured flow.

    `points` (N, K, 2) are the source's normalised keypoints, true or detected.
    """
    head = head_motion(pair["measured_flow"], points)
    frame = grid.warp(pair["source_frame"], grid.resize(head, grid.SIZE))
    return pair | {"measured_flow": pair["measured_flow"] - head, "source_frame": frame}
