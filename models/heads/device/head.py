"""A head on a device: its mesh, its expressions and its textures, sent there once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..families import RenderHead, Surface
from ..keypoints import keypoints_from_landmarks


@dataclass(frozen=True)
class DeviceSurface:
    """One material: `rgb` (1, 3, H, W) linear light, `alpha` (1, 1, H, W) or None; else as
    `Surface`."""

    rgb: Tensor
    alpha: Tensor | None
    layer: str
    gloss: float
    sharpness: float
    fixed: bool


@dataclass(frozen=True)
class DeviceHead:
    """The tensors of a `RenderHead`, of the same names; indices are int64.

    `solid` are the triangles (S, 3) that cast shadows, `means` (30, 68) makes landmarks keypoints.
    """

    head: RenderHead
    rest: Tensor
    triangles: Tensor
    uv: Tensor
    uv_triangles: Tensor
    surface: Tensor
    surfaces: tuple[DeviceSurface, ...]
    landmarks: Tensor
    deltas: Tensor
    openness: Tensor
    tint: Tensor
    chart: Tensor
    solid: Tensor
    means: Tensor

    @property
    def device(self) -> torch.device:
        """Where the head is."""
        return self.rest.device

    def posed(self, weights: Sequence[Mapping[str, float]]) -> Tensor:
        """Return vertices (B, V, 3) under canonical amounts by expression name, one mapping a
        picture; unknown names are ignored, as by `RenderHead.posed`."""
        amounts = np.zeros((len(weights), len(self.head.names)), np.float32)
        for row, each in zip(amounts, weights, strict=True):
            for name, amount in each.items():
                column = self.head.index.get(name)
                if column is not None:
                    row[column] += amount * self.head.gains[column]
        sent = torch.from_numpy(amounts).to(self.device)
        shift = sent @ self.deltas.reshape(len(self.deltas), -1)
        return self.rest + shift.reshape(len(weights), *self.rest.shape)

    def keypoints(self, points: Tensor) -> Tensor:
        """Return the keypoints (B, 30, 2) of pictures from their projected vertices (B, V, 3)."""
        return self.means @ points[:, self.landmarks, :2]


class Shelf:
    """Sends arrays to a device, each once: heads of one family share most of theirs."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._sent: dict[int, tuple[NDArray[np.generic], Tensor]] = {}

    def tensor(self, array: NDArray[np.generic]) -> Tensor:
        """Return an array on the device, indices as int64; nobody may write to either."""
        if id(array) not in self._sent:
            sent = torch.from_numpy(np.array(array)).to(self.device)
            if not (sent.is_floating_point() or sent.dtype == torch.bool):
                sent = sent.long()
            # The array is kept too, so that its id remains its own.
            self._sent[id(array)] = (array, sent)
        return self._sent[id(array)][1]

    def head(self, head: RenderHead) -> DeviceHead:
        """Return a head on the device. What only it has is not kept here."""
        own = Shelf(self.device)
        shading = np.array([s.layer != "blend" for s in head.surfaces])[head.surface]
        marks = np.eye(68, dtype=np.float32)
        return DeviceHead(
            head,
            rest=own.tensor(head.rest),
            triangles=own.tensor(head.triangles),
            uv=self.tensor(head.uv),
            uv_triangles=own.tensor(head.uv_triangles),
            surface=own.tensor(head.surface),
            surfaces=tuple(own.surface(s) for s in head.surfaces),
            landmarks=own.tensor(head.landmarks),
            deltas=self.tensor(head.deltas),
            openness=self.tensor(head.openness),
            tint=own.tensor(head.tint),
            chart=self.tensor(head.chart),
            solid=own.tensor(head.triangles[shading]),
            means=own.tensor(keypoints_from_landmarks(marks)),
        )

    def surface(self, surface: Surface) -> DeviceSurface:
        """Return a surface on the device."""
        alpha = None if surface.alpha is None else self.tensor(surface.alpha)[None, None]
        rgb = self.tensor(surface.rgb).permute(2, 0, 1)[None]
        return DeviceSurface(
            rgb, alpha, surface.layer, surface.gloss, surface.sharpness, surface.fixed
        )
