"""What the character's motion is taught, and the meeting of sources with other characters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from .carried import carried_truth, coarse
from .losses import facial

#: Weight of the character's own rig where the source does not show what a place should do: lids
#: that close over an eye, lips that part.
BY_RIG = 0.3
#: Share of a cell from which it shows nothing but hair or clothes.
WHOLLY = 0.97


class Wanted(NamedTuple):
    """What the motion should be, on the motion grid.

    flow (N, 2, 64, 64) backward, 256-px pixels: the carried truth, and the character's own rig
    where that is not known; known (N, 1, 64, 64), how much an error there counts; still (N, 1, 64,
    64), where motion that `flow` lacks is known to be wrong; rig (N, 2, 64, 64) the own rig's
    motion; rig_known (N, 1, 64, 64) where it is one; visible (N, 1, 64, 64), 1 where the frame
    shows what the neutral shows; fixed (N, 1, 64, 64), 1 where hair or clothes alone are shown.
    """

    flow: Tensor
    known: Tensor
    still: Tensor
    rig: Tensor
    rig_known: Tensor
    visible: Tensor
    fixed: Tensor


def exchanged(pair: Mapping[str, Tensor], rng: torch.Generator) -> dict[str, Tensor]:
    """Return the batch with the characters of its second half exchanged among themselves.

    A new entry `own` (N, 1, 1, 1) is 1 where source and character are still of one pair.
    """
    count = len(pair["source_neutral"])
    kept = (count + 1) // 2
    own = torch.arange(count, device=rng.device)
    order = own.clone()
    others = count - kept
    if others > 1:
        turn = torch.randint(1, others, (1,), generator=rng, device=rng.device)
        order[kept:] = kept + (own[:others] - turn) % others
    met = {
        name: value[order] if name.startswith("character") else value
        for name, value in pair.items()
    }
    met["own"] = (order == own).float().reshape(-1, 1, 1, 1)
    return met


def wanted(pair: Mapping[str, Tensor]) -> Wanted:
    """Return what the character of a batch should do; `own` says whose own rig is true."""
    rig, visible, fixed = (
        coarse(pair[f"character_{name}"]) for name in ("backward", "visible", "fixed")
    )
    alike, own = carried_truth(pair), pair["own"]
    known = alike.known.float()
    sure = own * visible
    off_face = 1 - facial(pair["character_chart"]).float() * (fixed < WHOLLY)
    return Wanted(
        flow=torch.where(alike.known, alike.flow, own * rig),
        known=known + BY_RIG * (1 - known) * sure,
        still=torch.maximum(known, torch.maximum(own.expand_as(known), off_face)),
        rig=rig,
        rig_known=sure,
        visible=visible,
        fixed=(fixed > WHOLLY).float(),
    )
