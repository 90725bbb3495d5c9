"""How the networks of an ablation answer, and how steady their keypoints are."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from ..eam import grid, motion
from ..eam.network import Eam
from ..released.blocks import corners
from ..released.network import CELLS, Released, relative
from ..training import losses
from ..training.data import Shards
from ..training.transforms import ThinPlate
from .ablation_table import Rows
from .methods import Method, Pairs, Result, as_result, ours
from .run import batches


def as_released(network: Released, _: Eam, pair: Pairs) -> Result:
    """Answer with the released network, its relative motion as it applies it."""
    with torch.no_grad():
        still, neutral, frame = (
            network.detector(pair[name])
            for name in ("character_neutral", "source_neutral", "source_frame")
        )
        made = network(pair["character_neutral"], still, relative(still, neutral, frame))
    moved = (made.places - corners(CELLS, made.places)).permute(0, 3, 1, 2) / grid.PIXEL
    flow, edges = (grid.resize(x, grid.SIZE) for x in (moved, made.edges))
    return as_result(flow, made.image, edges)


def by_variant(network: Eam, _: Eam, pair: Pairs) -> Result:
    """Answer with a variant of the network."""
    return ours(network, pair)


def method_of(network: nn.Module) -> Method:
    """Return how `network` answers."""
    if isinstance(network, Eam):
        return partial(by_variant, network)
    assert isinstance(network, Released)
    return partial(as_released, network)


def self_driven(pair: Pairs) -> Pairs:
    """Return the pairs with each source as its own character: the frame to show is the source's
    own, so that what is left of its error is not the rigs' disagreement."""
    backward, forward = (
        grid.resize(x, grid.SIZE)
        for x in (motion.backward(pair["source_flow"]), pair["source_flow"])
    )
    own = {
        name.replace("source", "character"): value
        for name, value in pair.items()
        if name.startswith("source")
    }
    return {
        **pair,
        **own,
        "character_backward": backward,
        "character_forward": forward,
        "character_visible": torch.ones_like(backward[:, :1]),
        "character_fixed": torch.zeros_like(backward[:, :1]),
    }


def detected(network: nn.Module, pictures: Tensor) -> losses.Detection:
    """Return the keypoints that `network` finds."""
    if isinstance(network, Eam):
        return network.encode(pictures)
    assert isinstance(network, Released)
    found: losses.Detection = network.detector(pictures)
    return found


def equivariance(network: nn.Module, frames: Tensor, plate: ThinPlate) -> list[float]:
    """Return each picture's loss of equivariance with `frames` (N, 3, 256, 256), of points and
    Jacobians together."""
    plain, warped = detected(network, frames), detected(network, plate.image(frames))
    points, turns = losses.equivariance_each(plain, warped, plate)
    return [float(value) for value in points + turns]


def equivariance_rows(network: nn.Module, shards: Shards, pairs: int) -> Rows:
    """Return the loss of equivariance over the characters' frames, a row a pair."""
    found: Rows = []
    with torch.no_grad():
        for number, (indices, pair) in enumerate(batches(shards, pairs)):
            plate = ThinPlate(len(indices), torch.Generator().manual_seed(number))
            values = equivariance(network, pair["character_frame"], plate)
            found += [(value, 1.0) for value in values]
    return found
