"""Sheets of sample pictures, so that a person sees what the numbers of a run mean."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..eam import grid
from ..eam.network import Eam
from .passes import animated
from .served import as_served
from .stages import as_tensors
from .trainer import Trainer

#: Motion, pixels, that is drawn at full strength.
FULL = 2.0


def as_picture(image: Tensor) -> NDArray[np.uint8]:
    """Return (H, W, 3) uint8 of one picture (3 or 1, H, W) in 0..1."""
    wide = image.expand(3, -1, -1) if image.shape[0] == 1 else image
    levels = (wide.detach().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    return np.ascontiguousarray(levels)


def flow_picture(flow: Tensor) -> NDArray[np.uint8]:
    """Return (256, 256, 3) uint8 of a flow (2, h, h): hue its direction, brightness its length."""
    wide = grid.resize(flow[None], grid.SIZE)[0].detach().numpy()
    angle = np.arctan2(wide[1], wide[0])
    size = np.clip(np.hypot(wide[0], wide[1]) / FULL, 0, 1)
    hsv = np.stack(((angle / np.pi + 1) * 90 % 180, np.ones_like(size) * 200, size * 255), -1)
    return np.asarray(cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB), dtype=np.uint8)


def marked(image: Tensor, points: Tensor) -> NDArray[np.uint8]:
    """Return the picture with normalised `points` (K, 2) drawn on it."""
    picture = as_picture(image)
    for x, y in grid.to_pixels(points).tolist():
        cv2.circle(picture, (round(x), round(y)), 2, (60, 255, 60), -1)
    return picture


def sheet(network: Eam, pair: dict[str, Tensor], paint: bool) -> NDArray[np.uint8]:
    """Return one row a pair: source and character with detected keypoints, the source's measured,
    refined and true motion, the character's found and true motion, edges, frame and truth."""
    with torch.no_grad():
        found = animated(network, pair, paint)
        source = network.encode(pair["source_neutral"]).points
        character = network.encode(pair["character_neutral"]).points
    rows = []
    for i in range(len(found.flow)):
        rows.append(
            np.hstack(
                (
                    marked(pair["source_neutral"][i], source[i]),
                    marked(pair["character_neutral"][i], character[i]),
                    flow_picture(-pair["measured_flow"][i]),
                    flow_picture(-found.source[i]),
                    flow_picture(-pair["source_flow"][i]),
                    flow_picture(found.supervised[i]),
                    flow_picture(pair["character_backward"][i]),
                    as_picture(found.edges[i]),
                    as_picture(found.image[i]),
                    as_picture(pair["character_frame"][i]),
                )
            )
        )
    return np.vstack(rows)


def write_sheet(trainer: Trainer) -> None:
    """Write a sheet of fixed pairs under the run's folder."""
    count = min(6, len(trainer.shards))
    indices = np.linspace(0, len(trainer.shards) - 1, count).astype(int)
    pair = as_served(as_tensors(trainer.shards.batch(indices)))  # on the CPU, as `averaged` is
    network = trainer.averaged()
    picture = sheet(network, pair, paint=trainer.position.stage == "paint")
    small = cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    path = trainer.folder / f"sheet-{trainer.position.step:06d}.png"
    cv2.imwrite(str(path), cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
