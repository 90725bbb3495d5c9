"""Keypoints with Jacobians, and the features that everything else reads.

First Order Motion Model (Siarohin et al., NeurIPS 2019, section 3.1): an hourglass, one heatmap a
keypoint, soft-argmax, a 2x2 Jacobian pooled by the heatmap. Here the keypoints have meanings
(`models.heads.keypoints`) and are taught them, and each picture is encoded once and used again.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from . import grid
from .blocks import Convolution, Halve, Hourglass, Projection

#: Cells of the motion grid across the picture.
CELLS = 64
#: Width of the window in which a heatmap counts as gathered about its keypoint, normalised.
GATHERED = 2.5 * 2 / CELLS
#: Rec. 601 weights of red, green and blue, those of the optical flow's own grey levels.
LUMINANCE = (0.299, 0.587, 0.114)


class Encoding(NamedTuple):
    """What is known of one picture; `N` pictures, `K` keypoints.

    points (N, K, 2) in [-1, 1]; jacobians (N, K, 2, 2); confidence (N, K) in 0..1, how gathered
    each heatmap is about its keypoint; features (N, C, 64, 64); detail (N, D, 128, 128);
    luminance (N, 1, 256, 256) in 0..1; chart (N, 3, 64, 64), what each cell shows, as its place on
    the chart of the face (`models.heads.chart`), decimetres, without meaning off the head (0 where
    the network does without).
    """

    points: Tensor
    jacobians: Tensor
    confidence: Tensor
    features: Tensor
    detail: Tensor
    luminance: Tensor
    chart: Tensor


def luminance(image: Tensor) -> Tensor:
    """Return the luminance (N, 1, H, W) of RGB pictures (N, 3, H, W)."""
    red, green, blue = (weight * image[:, i : i + 1] for i, weight in enumerate(LUMINANCE))
    return red + green + blue


def soft_argmax(heatmaps: Tensor) -> Tensor:
    """Return the mean position (N, K, 2), normalised, under `heatmaps` (N, K, h, w) of sum 1."""
    positions = grid.centres(heatmaps.shape[-2], heatmaps.shape[-1], heatmaps)
    return torch.einsum("nkhw,hwc->nkc", heatmaps, positions)


class KeypointNetwork(nn.Module):
    """Encode pictures (N, 3, 256, 256) in 0..1; see `Encoding`."""

    def __init__(
        self, keypoints: int = 30, features: int = 48, detail: int = 16, chart: bool = True
    ) -> None:
        super().__init__()
        self.keypoints = keypoints
        self.halve = Halve()
        self.fine = Convolution(4, detail, normalise=True)
        self.middle = Convolution(detail, 32, normalise=True)
        self.coarse = Convolution(32, features, normalise=True)
        self.hourglass = Hourglass(features, (features, 64, 80, 96, 96), normalise=True)
        self.heatmaps = nn.Sequential(
            Convolution(features, features, normalise=True), Projection(features, keypoints, 1)
        )
        self.jacobians = Projection(features, 4 * keypoints, 1)
        nn.init.zeros_(self.jacobians.weight)
        self.chart = (
            nn.Sequential(Convolution(features, 32, normalise=True), Projection(32, 3, 1))
            if chart
            else None
        )
        bias = torch.tensor([1.0, 0.0, 0.0, 1.0]).repeat(keypoints)
        self.jacobians.bias = nn.Parameter(bias)

    def logits(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return heatmap logits (N, K, 64, 64), features (N, C, 64, 64), detail (N, D, 128, 128).

        The stem sees each picture's contrast against its own mean beside the colours, so that
        grey and coloured, dark and bright pictures of a face are much the same to it.
        """
        grey = luminance(image)
        mean = grey.mean(dim=(2, 3), keepdim=True)
        spread = (grey - mean).square().mean(dim=(2, 3), keepdim=True).sqrt() + 0.05
        stem = torch.cat((image - mean, (grey - mean) / spread), dim=1)
        detail = self.fine(self.halve(stem))
        features = self.hourglass(self.coarse(self.halve(self.middle(detail))))
        return self.heatmaps(features), features, detail

    def forward(self, image: Tensor) -> Encoding:
        """Return the encoding of `image` (N, 3, 256, 256)."""
        return self.read(image, *self.logits(image))

    def read(self, image: Tensor, logits: Tensor, features: Tensor, detail: Tensor) -> Encoding:
        """Return the encoding that belongs to the outcome of `logits`."""
        count, keys, height, width = logits.shape
        heatmaps = logits.float().flatten(2).softmax(-1).reshape(count, keys, height, width)
        points = soft_argmax(heatmaps)
        maps = self.jacobians(features).float().reshape(count, keys, 4, height, width)
        jacobians = torch.einsum("nkhw,nkchw->nkc", heatmaps, maps)
        window = grid.gaussians(points, height, GATHERED)
        confidence = (window * heatmaps).sum(dim=(2, 3))
        return Encoding(
            points,
            jacobians.reshape(count, keys, 2, 2),
            confidence,
            features.float(),
            detail.float(),
            luminance(image),
            torch.zeros_like(features[:, :3], dtype=torch.float32)
            if self.chart is None
            else self.chart(features),
        )
