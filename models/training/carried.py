"""The source's true motion carried to the character by the true correspondence.

The other truth, the character's own rig, does the same action units in a way of its own, which no
source shows. This one asks only what a method can know: that each place of the character's face
moves as its like on the source does, in proportion to the faces' sizes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from ..eam import grid, motion
from ..eam.correspondence import by_landmarks, slopes, towards
from ..eam.keypoints import CELLS
from .losses import facial

#: Rounds from the landmarks' correspondence to the chart's, and the longest step of one.
ROUNDS, LONGEST = 12, 0.05
#: Distance on the chart, decimetres, from which nothing on the source is a place's like.
UNLIKE = 0.04
#: Share of a cell that hair or clothes may hide where a place is still told to move.
BARE = 0.03


class Carried(NamedTuple):
    """`flow` (N, 2, 64, 64) backward, 256-px pixels; `known` (N, 1, 64, 64) where it holds."""

    flow: Tensor
    known: Tensor


def carried_truth(pair: Mapping[str, Tensor]) -> Carried:
    """Return what the character of a batch does when it does as the source does."""
    source, character = pair["source_chart"], pair["character_chart"]
    points = [grid.to_normalised(pair[f"{side}_points"]) for side in ("source", "character")]
    start = by_landmarks(*points)
    chart, known = source[:, :3] / 10, character[:, :3] / 10
    steep = slopes(chart)
    places = start.positions
    for _ in range(ROUNDS):
        step = towards(known, grid.sample(steep, places)).clamp(-LONGEST, LONGEST)
        places = places + step.permute(0, 2, 3, 1)
    away = (grid.sample(chart, places) - known).square().sum(1, keepdim=True).sqrt()
    seen = grid.sample(source[:, 3:], places) > 0.97
    moved = grid.sample(pair["source_moving"], places) > 0.9
    found = seen & moved & shown_face(pair) & (away < UNLIKE)
    forward = grid.sample(pair["source_flow"], places)
    forward = torch.einsum("nhwij,njhw->nihw", start.linear, forward)
    return Carried(motion.backward(torch.where(found, forward, 0.0 * forward)), found)


def shown_face(pair: Mapping[str, Tensor]) -> Tensor:
    """Return where the character of a batch shows its face and nothing else, (N, 1, 64, 64)."""
    chart = pair["character_chart"]
    return facial(chart) & (chart[:, 3:] > 0.97) & (coarse(pair["character_fixed"]) < BARE)


def coarse(field: Tensor) -> Tensor:
    """Return a field (N, C, 256, 256) on the motion grid, (N, C, 64, 64)."""
    return grid.resize(field, CELLS)
