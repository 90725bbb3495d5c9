"""The released network whole.

What it does otherwise than its description (Fan, Shahid, Yan 2022), kept here on purpose: the edge
map is added to the attention's keys and is not its query; the sixteen heads are bands of rows and
not groups of channels; the grid is off by half a pixel; relative motion is applied twice over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .blocks import Down, Hourglass, Residual, Same, Up, bumps, corners, inverse, sample

#: Cells a side of keypoints and dense motion, and tokens a side of the attention.
CELLS = 64
#: How often relative motion is applied.
TIMES = 2.0
#: Bands of rows that the attention takes for heads.
BANDS = 16


@dataclass(frozen=True)
class ReleasedConfig:
    """Sizes: as released by default; `width` 1 scales every number of channels."""

    keypoints: int = 10
    width: float = 1.0
    blocks: int = 6

    def channels(self, count: int) -> int:
        """Return a number of channels, scaled, a multiple of four."""
        return max(4, round(count * self.width / 4) * 4)


class Keypoints(NamedTuple):
    """points (N, K, 2) in -1..1 and jacobians (N, K, 2, 2)."""

    points: Tensor
    jacobians: Tensor


class Made(NamedTuple):
    """image (N, 3, 256, 256); edges (N, 1, 64, 64); places (N, 64, 64, 2), where each cell of the
    frame is in the neutral; occlusion (N, 1, 64, 64)."""

    image: Tensor
    edges: Tensor
    places: Tensor
    occlusion: Tensor


class Detector(nn.Module):
    """Find keypoints and Jacobians on a quarter of the resolution."""

    def __init__(self, config: ReleasedConfig) -> None:
        super().__init__()
        self.keypoints = config.keypoints
        self.body = Hourglass(3, config.channels(32), 5, config.channels(1024))
        self.heat = nn.Conv2d(self.body.outputs, config.keypoints, 7, padding=3)
        self.turn = nn.Conv2d(self.body.outputs, 4 * config.keypoints, 7, padding=3)
        nn.init.zeros_(self.turn.weight)
        with torch.no_grad():
            assert self.turn.bias is not None
            self.turn.bias.copy_(torch.tensor([1.0, 0, 0, 1] * config.keypoints))

    def forward(self, image: Tensor) -> Keypoints:
        """Return the keypoints of pictures (N, 3, 256, 256)."""
        features = self.body(F.avg_pool2d(image, 4))
        logits = self.heat(features)
        heat = (logits.flatten(2) / 0.1).softmax(-1).reshape(logits.shape)
        points = (heat[..., None] * corners(CELLS, heat)).sum((2, 3))
        turns = self.turn(features).reshape(-1, self.keypoints, 4, CELLS, CELLS)
        jacobians = (heat[:, :, None] * turns).sum((3, 4)).reshape(-1, self.keypoints, 2, 2)
        return Keypoints(points, jacobians)


class Released(nn.Module):
    """Detector, dense motion, edge prediction, attention, generator."""

    def __init__(self, config: ReleasedConfig | None = None) -> None:
        super().__init__()
        self.config = config or ReleasedConfig()
        c, count = self.config, self.config.keypoints
        self.detector = Detector(c)
        self.motion = Hourglass(4 * (count + 1), c.channels(64), 5, c.channels(1024))
        self.masks = nn.Conv2d(self.motion.outputs, count + 1, 7, padding=3)
        self.occlusion = nn.Conv2d(self.motion.outputs, 1, 7, padding=3)
        self.edge = Hourglass(count, c.channels(32), 3, c.channels(256))
        self.edge_out = nn.Conv2d(self.edge.outputs, 1, 7, padding=3)
        wide = c.channels(256)
        self.first = Same(3, c.channels(64), 7)
        self.down = nn.ModuleList(
            (Down(c.channels(64), c.channels(128)), Down(c.channels(128), wide))
        )
        self.query, self.key, self.value = (nn.Conv2d(wide, wide, 1) for _ in range(3))
        self.gate = nn.Parameter(torch.zeros(1))
        self.middle = nn.Sequential(*(Residual(wide) for _ in range(c.blocks)))
        self.up = nn.Sequential(Up(wide, c.channels(128)), Up(c.channels(128), c.channels(64)))
        self.last = nn.Conv2d(c.channels(64), 3, 7, padding=3)

    def dense(self, image: Tensor, character: Keypoints, moved: Keypoints) -> tuple[Tensor, Tensor]:
        """Return places (N, 64, 64, 2) and occlusion (N, 1, 64, 64)."""
        count, keypoints = len(image), self.config.keypoints
        small = F.avg_pool2d(image, 4)
        grid = corners(CELLS, image)
        turn = character.jacobians @ inverse(moved.jacobians)
        away = grid - moved.points[:, :, None, None]
        local = torch.einsum("nkij,nkhwj->nkhwi", turn, away) + character.points[:, :, None, None]
        still = grid.expand(count, 1, CELLS, CELLS, 2)
        candidates = torch.cat((still, local), dim=1)
        heat = bumps(moved.points, CELLS) - bumps(character.points, CELLS)
        heat = torch.cat((torch.zeros_like(heat[:, :1]), heat), dim=1)
        many = small[:, None].expand(-1, keypoints + 1, -1, -1, -1).flatten(0, 1)
        warped = sample(many, candidates.flatten(0, 1))
        warped = warped.reshape(count, keypoints + 1, 3, CELLS, CELLS)
        features = self.motion(torch.cat((heat[:, :, None], warped), dim=2).flatten(1, 2))
        masks = self.masks(features).softmax(1)
        places = (masks[..., None] * candidates).sum(1)
        return places, torch.sigmoid(self.occlusion(features))

    def attend(self, features: Tensor, edges: Tensor) -> Tensor:
        """Return the features (N, C, 64, 64) after attention within bands of four rows."""
        rows = CELLS // BANDS

        def bands(x: Tensor) -> Tensor:
            split = x.reshape(len(x), -1, BANDS, rows, CELLS)
            return split.permute(0, 2, 3, 4, 1).flatten(2, 3)

        query, key = bands(self.query(features)), bands(self.key(features) + edges)
        weights = (query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5).softmax(-1)
        # Summed along the axis that was made to add up to 1 the other way.
        mixed = weights.transpose(-1, -2) @ bands(self.value(features))
        whole = mixed.reshape(len(mixed), BANDS, rows, CELLS, -1).permute(0, 4, 1, 2, 3)
        found: Tensor = features + self.gate * whole.flatten(2, 3)
        return found

    def forward(self, image: Tensor, character: Keypoints, moved: Keypoints) -> Made:
        """Return the frame of a neutral `image` (N, 3, 256, 256) whose keypoints have moved."""
        places, occlusion = self.dense(image, character, moved)
        flat = self.edge_out(self.edge(bumps(moved.points, CELLS)))
        edges = torch.sigmoid(flat)
        features = self.first(image)
        for down in self.down:
            features = down(features)
        features = sample(features, places) * occlusion
        features = self.attend(features, sample(edges, places))
        image = torch.sigmoid(self.last(self.up(self.middle(features))))
        return Made(image, edges, places, occlusion)


def relative(character: Keypoints, neutral: Keypoints, frame: Keypoints) -> Keypoints:
    """Return the character's keypoints moved by what the source's moved since its neutral."""
    points = character.points + TIMES * (frame.points - neutral.points)
    turn = frame.jacobians @ inverse(neutral.jacobians)
    return Keypoints(points, turn @ character.jacobians)
