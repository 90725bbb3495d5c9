"""Random changes of geometry with their exact effect on points and Jacobians."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..eam import grid


def similarity(
    count: int,
    rng: torch.Generator,
    *,
    zoom: tuple[float, float],
    degrees: float,
    shift: float,
) -> Tensor:
    """Return random maps (N, 2, 3) from new normalised coordinates to old ones.

    `zoom` bounds the factor of size, `degrees` the turn, `shift` the move in normalised units.
    """
    u = torch.rand((4, count), generator=rng, device=rng.device)
    low, high = (math.log(z) for z in zoom)
    factor = torch.exp(low + (high - low) * u[0])
    turn = math.radians(degrees) * (2 * u[1] - 1)
    move = shift * (2 * u[2:4] - 1)
    cos, sin = torch.cos(turn) / factor, torch.sin(turn) / factor
    return torch.stack(
        (torch.stack((cos, -sin, move[0]), -1), torch.stack((sin, cos, move[1]), -1)), -2
    )


def apply(image: Tensor, maps: Tensor) -> Tensor:
    """Return `image` (N, C, h, h) read through `maps` (N, 2, 3)."""
    positions = grid.centres(image.shape[-2], image.shape[-1], image)
    moved = torch.einsum("nij,hwj->nhwi", maps[:, :, :2], positions) + maps[:, None, None, :, 2]
    return grid.sample(image, moved)


def carry_points(points: Tensor, maps: Tensor) -> Tensor:
    """Return where old points (N, K, 2) lie in the new picture of `apply`."""
    back = grid.inverse(maps[:, :, :2], floor=1e-4)
    return torch.einsum("nij,nkj->nki", back, points - maps[:, None, :, 2])


class ThinPlate:
    """Random smooth warps (N of them): an affine map and a thin-plate spline.

    First Order Motion Model, section 3.1, with its published strengths by default.
    """

    def __init__(
        self, count: int, rng: torch.Generator, affine: float = 0.05, spline: float = 0.005
    ) -> None:
        where = rng.device
        moves = torch.randn((count, 2, 3), generator=rng, device=where)
        self.theta = torch.eye(2, 3, device=where) + affine * moves
        line = torch.linspace(-1, 1, 5, device=where)
        self.controls = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1).reshape(-1, 2)
        self.weights = spline * torch.randn((count, 25, 2), generator=rng, device=where)

    def positions(self, points: Tensor) -> Tensor:
        """Return where `points` (N, P, 2) of the new picture lie in the old one."""
        moved = torch.einsum("nij,npj->npi", self.theta[:, :, :2], points)
        offset = points[:, :, None] - self.controls
        squared = offset.square().sum(-1)
        kernel = squared * torch.log(squared + 1e-6)
        return (
            moved + self.theta[:, None, :, 2] + torch.einsum("npc,ncj->npj", kernel, self.weights)
        )

    def jacobians(self, points: Tensor) -> Tensor:
        """Return the maps' linear parts (N, P, 2, 2) at `points` (N, P, 2)."""
        offset = points[:, :, None] - self.controls
        squared = offset.square().sum(-1)
        slope = 2 * (torch.log(squared + 1e-6) + squared / (squared + 1e-6))
        bent = torch.einsum("npc,npcj,nci->npij", slope, offset, self.weights)
        return self.theta[:, None, :, :2] + bent

    def image(self, image: Tensor) -> Tensor:
        """Return `image` (N, C, h, h) warped."""
        count, _, height, width = image.shape
        positions = grid.centres(height, width, image).reshape(1, -1, 2).expand(count, -1, 2)
        return grid.sample(image, self.positions(positions).reshape(count, height, width, 2))
