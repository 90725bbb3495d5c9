"""One training step of each stage: a batch in, named losses out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..devices import CPU
from ..eam import grid
from ..eam.keypoints import Encoding
from ..eam.motion import moving_region
from ..eam.network import Animation, Eam
from . import augment, losses, transforms
from .carried import carried_truth
from .data import Batch
from .passes import animated
from .served import as_served
from .unsupervised import Losses, unsupervised_step
from .wanted import Wanted, exchanged, wanted

#: Geometry of the detector's augmentation: wider than the engine's crops ever are.
ZOOM, DEGREES, SHIFT = (0.6, 1.45), 28.0, 0.28
#: Share of pairs, of a detector step, that also teach differences, and that are warped.
PART = 2


def as_tensors(
    batch: Batch | Mapping[str, Tensor], device: torch.device = CPU
) -> dict[str, Tensor]:
    """Return a batch as float tensors on a device: pictures (N, 3, H, W) in 0..1, flows and masks
    NCHW."""
    tensors: dict[str, Tensor] = {}
    for name, value in batch.items():
        stored = value if isinstance(value, Tensor) else torch.from_numpy(np.array(value))
        # What is stored is smaller than what it becomes, so it goes to the device first.
        tensor = stored.to(device, non_blocking=True).float()
        if name.endswith(("neutral", "frame")):
            tensor = tensor.permute(0, 3, 1, 2) / 255
        elif tensor.ndim == 4:
            tensor = tensor.permute(0, 3, 1, 2)
        elif tensor.ndim == 3 and not name.endswith(("points", "motion")):
            tensor = tensor[:, None]
        tensors[name] = tensor.contiguous()
    return tensors


def prepared(batch: Batch | Mapping[str, Tensor], rng: torch.Generator) -> dict[str, Tensor]:
    """Return a batch as tensors on the device of `rng`: as served, half of it mirrored, light and
    noise changed."""
    tensors = as_tensors(batch, rng.device)
    count = len(next(iter(tensors.values())))
    if "served_flow" in tensors:
        tensors = as_served(tensors)
    chance = torch.rand(count, generator=rng, device=rng.device)
    tensors = augment.mirrored(tensors, chance < 0.5)
    for side in ("source", "character"):
        names = [f"{side}_neutral", f"{side}_frame"]
        pictures = augment.photometric([tensors[n] for n in names], rng)
        tensors |= dict(zip(names, pictures, strict=True))
    return tensors


def keypoint_step(network: Eam, pair: Mapping[str, Tensor], rng: torch.Generator) -> Losses:
    """Return the losses of the detector alone on one batch of pairs."""
    count = len(pair["source_neutral"])
    part = max(count // PART, 1)
    maps = transforms.similarity(2 * count, rng, zoom=ZOOM, degrees=DEGREES, shift=SHIFT)
    neutrals = torch.cat((pair["source_neutral"], pair["character_neutral"]))
    truth = grid.to_normalised(torch.cat((pair["source_points"], pair["character_points"])))
    charts = torch.cat((pair["source_chart"], pair["character_chart"]))
    moved = grid.to_normalised((pair["character_points"] + pair["character_motion"])[:part])
    plain = transforms.apply(neutrals, maps)
    frames = transforms.apply(pair["character_frame"][:part], maps[count : count + part])
    plate = transforms.ThinPlate(part, rng)
    warped = plate.image(plain[:part])
    pictures = torch.cat((plain, frames, warped)).contiguous(memory_format=torch.channels_last)
    logits, features, detail = network.encoder.logits(pictures)
    encoding = network.encoder.read(pictures, logits, features, detail)
    each = [Encoding(*parts) for parts in zip(
        *(torch.split(value, [2 * count, part, part]) for value in encoding), strict=True
    )]  # fmt: skip
    truth = transforms.carry_points(truth, maps)
    moved = transforms.carry_points(moved, maps[count : count + part])
    values, jacobians = losses.equivariance(
        Encoding(*(value[:part] for value in each[0])), each[2], plate
    )
    still = each[0].points[count : count + part]
    difference = each[1].points - still - (moved - truth[count : count + part])
    return {
        "heatmap": losses.heatmap(logits[: 2 * count], truth),
        "points": losses.points(each[0].points, truth),
        "difference": difference.abs().mean() / grid.PIXEL,
        "chart": losses.on_chart(each[0].chart, transforms.apply(charts, maps)),
        "equivariance_points": values,
        "equivariance_jacobians": jacobians,
    }


def motion_losses(pair: Mapping[str, Tensor], found: Animation, truth: Wanted) -> Losses:
    """Return the losses of the motion in `found`, on its own grid."""
    source, on_head = pair["source_flow"], pair["source_moving"]
    own = losses.of_like_size(truth.rig, found.coarse, truth.rig_known)
    return {
        "flow": losses.relative_error(found.coarse, truth.flow, truth.known),
        "gain": losses.lost_gain(found.coarse, truth.flow, truth.known),
        "leak": losses.leak(found.coarse, truth.flow, truth.still),
        "swim": losses.swim(found.coarse, truth.flow, truth.fixed),
        "rig": losses.relative_error(found.coarse, own, truth.rig_known),
        "carried": losses.relative_error(found.carried, truth.flow, truth.known),
        "source": losses.relative_error(found.source, source, on_head),
        "source_gain": losses.lost_gain(found.source, source, on_head),
        "source_leak": losses.leak(found.source, source),
        "shift": losses.shift(found.shift / grid.PIXEL, pair["source_motion"]),
        "correspondence": losses.correspondence(
            found.where, pair["source_chart"], pair["character_chart"]
        ),
        "occlusion": losses.visibility(found.occlusion, truth.visible, truth.rig_known),
    }


def motion_step(network: Eam, pair: Mapping[str, Tensor], rng: torch.Generator) -> Losses:
    """Return the losses of motion on the frozen detector.

    Half of the sources meet the character of another pair: the carried truth needs no frame of it,
    and as many sources as there are meet as many characters.
    """
    met = exchanged(pair, rng)
    return motion_losses(met, animated(network, met, paint=False), wanted(met))


def paint_step(network: Eam, pair: Mapping[str, Tensor], rng: torch.Generator) -> Losses:
    """Return the losses of what the picture is made with, on the frozen motion.

    It is painted along the own rig's true motion, so that the frame to show is the true one.
    """
    truth, flow = pair["character_frame"], pair["character_backward"]
    found = animated(network, pair, paint=True, along=flow)
    visible = pair["character_visible"]
    weight = moving_region(flow) + 0.02
    named = {
        "flow": losses.relative_error(found.supervised, flow, visible),
        "swim": losses.swim(found.supervised, flow, pair["character_fixed"]),
        "ripple": losses.ripple(found.supervised, flow, visible),
        "reconstruction": losses.pyramid(found.image, truth, weight),
        "residual": (found.residual_mask * found.residual).abs().mean() * 100,
    }
    if network.edges is not None:
        named["edge"] = F.mse_loss(found.edges, losses.edge_target(truth, flow))
    return named


def doubt_step(network: Eam, pair: Mapping[str, Tensor], rng: torch.Generator) -> Losses:
    """Return the loss of how far off the motion is said to be, against the carried truth."""
    found = animated(network, pair, paint=False)
    truth = carried_truth(pair)
    return {"doubt": losses.laplace(found.doubt, found.coarse, truth.flow, truth.known.float())}


#: Fields of a pair that the detector's stage reads; the others read them all.
KEYPOINT_FIELDS = (
    "source_neutral",
    "source_frame",
    "source_points",
    "character_neutral",
    "character_frame",
    "character_points",
    "character_motion",
    "source_chart",
    "character_chart",
)

#: The repertoire without what knows which movements go together, which is taught on far more
#: expressions than these pairs show (`amounts.py`).
FITTING = tuple(
    f"repertoire.{part}"
    for part in ("directions", "sizes", "ridge", "worth", "reduce", "hourglass", "share")
)

#: The step of each stage, and the parts of the network that it teaches.
STEPS = {
    "keypoints": (keypoint_step, ("encoder",)),
    "points": (keypoint_step, ("encoder.heatmaps", "encoder.chart")),
    "doubt": (doubt_step, ("doubt",)),
    "motion": (motion_step, ("source", *FITTING, "correspond", "dense")),
    "paint": (paint_step, ("dense.upsample", "edges", "generator")),
    "unsupervised": (unsupervised_step, ("",)),
}
