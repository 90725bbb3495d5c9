"""The one grid convention of the network: pixel centres, `align_corners=False`.

Normalised coordinates run from -1 to 1 over the whole picture, borders included, so that the
centre of column i of W stands at (2 i + 1) / W - 1. Flows are in pixels of a 256-pixel picture
whatever grid they are stored on, so that resizing a flow never rescales it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

#: Side of the network's picture, and one of its pixels in normalised coordinates.
SIZE = 256
PIXEL = 2.0 / SIZE
#: Channels from which `sample` gathers rows in an exported graph.
MANY = 16


def centres(height: int, width: int, like: Tensor) -> Tensor:
    """Return the normalised (x, y) of every cell centre, (height, width, 2), as `like` is."""
    x = (torch.arange(width, dtype=like.dtype, device=like.device) * 2 + 1) / width - 1
    y = (torch.arange(height, dtype=like.dtype, device=like.device) * 2 + 1) / height - 1
    return torch.stack((x[None, :].expand(height, width), y[:, None].expand(height, width)), -1)


def sample(image: Tensor, positions: Tensor, mode: str = "bilinear") -> Tensor:
    """Return `image` (N, C, h, w) read at `positions` (N, H, W, 2), normalised: (N, C, H, W).

    Outside the picture the border is repeated.
    """
    if torch.onnx.is_in_onnx_export() and image.shape[1] >= MANY:
        return gathered(image, positions)
    return F.grid_sample(image, positions, mode=mode, padding_mode="border", align_corners=False)


def gathered(image: Tensor, positions: Tensor) -> Tensor:
    """Return what `sample` does, from four gathered rows of all channels a place: ONNX Runtime
    reads a picture of many channels several times faster so."""
    count, channels, height, width = image.shape
    x = (((positions[..., 0] + 1) * width - 1) / 2).clamp(0, width - 1)
    y = (((positions[..., 1] + 1) * height - 1) / 2).clamp(0, height - 1)
    left, top = x.floor().clamp(max=width - 2), y.floor().clamp(max=height - 2)
    across, down = (x - left)[..., None], (y - top)[..., None]
    rows = image.permute(0, 2, 3, 1).reshape(-1, channels)
    pictures = torch.arange(count, device=image.device)[:, None, None] * (height * width)
    first = pictures + (top * width + left).long()
    upper = (1 - across) * rows[first] + across * rows[first + 1]
    lower = (1 - across) * rows[first + width] + across * rows[first + width + 1]
    return ((1 - down) * upper + down * lower).permute(0, 3, 1, 2)


def resize(image: Tensor, size: int) -> Tensor:
    """Return `image` (N, C, h, h) at side `size`: area mean downwards, bilinear upwards."""
    side = image.shape[-1]
    if side == size:
        return image
    if size < side:
        return F.avg_pool2d(image, side // size)
    return F.interpolate(image, size=(size, size), mode="bilinear", align_corners=False)


def warp(image: Tensor, backward: Tensor, mode: str = "bilinear") -> Tensor:
    """Return `image` (N, C, h, h) moved by a `backward` flow (N, 2, h, h) in 256-px pixels.

    The result at z is `image` at z + backward(z). Where the flow is exactly zero the input comes
    back bit-identical, which reading at a rounded coordinate would not give.
    """
    height, width = image.shape[-2:]
    positions = centres(height, width, backward) + backward.permute(0, 2, 3, 1) * PIXEL
    still = (backward == 0).all(dim=1, keepdim=True)
    return torch.where(still, image, sample(image, positions, mode))


def to_normalised(points_pixels: Tensor, size: int = SIZE) -> Tensor:
    """Return points (..., 2) given in pixels (a pixel's centre at its index) in [-1, 1]."""
    return (points_pixels * 2 + 1) / size - 1


def to_pixels(points: Tensor, size: int = SIZE) -> Tensor:
    """Return points (..., 2) in [-1, 1] in pixels (a pixel's centre at its index)."""
    return ((points + 1) * size - 1) / 2


def length(flow: Tensor) -> Tensor:
    """Return the length (N, 1, h, w) of a flow (N, 2, h, w), with a finite slope at zero."""
    return (flow.square().sum(dim=1, keepdim=True) + 1e-12).sqrt()


def inverse(matrices: Tensor, floor: float = 0.05) -> Tensor:
    """Return the inverses of 2x2 `matrices` (..., 2, 2).

    The determinant is kept at least `floor` away from zero, so that a bad matrix stays finite.
    """
    a, b = matrices[..., 0, 0], matrices[..., 0, 1]
    c, d = matrices[..., 1, 0], matrices[..., 1, 1]
    determinant = a * d - b * c
    safe = torch.where(
        determinant >= 0, determinant.clamp(min=floor), determinant.clamp(max=-floor)
    )
    rows = torch.stack((torch.stack((d, -b), -1), torch.stack((-c, a), -1)), -2)
    return rows / safe[..., None, None]


def turned(matrices: Tensor, vectors: Tensor) -> Tensor:
    """Return `matrices` (..., 2, 2) times `vectors` (..., 2), shapes that broadcast."""
    return matrices[..., 0] * vectors[..., :1] + matrices[..., 1] * vectors[..., 1:]


def affine(linear: Tensor, points: Tensor, values: Tensor) -> Tensor:
    """Return the maps (N, K, 2, 3) that multiply a place (x, y, 1): `linear` (N, K, 2, 2) about
    `points` (N, K, 2), where they are `values` (N, K, 2)."""
    return torch.cat((linear, (values - turned(linear, points))[..., None]), dim=-1)


def mixed(masks: Tensor, maps: Tensor) -> Tensor:
    """Return the field (N, 2, h, h) that `masks` (N, K, h, h) make of affine `maps` (N, K, 2, 3).

    The maps are mixed, six numbers a cell, and not the K fields that they stand for.
    """
    count, keys, cells = masks.shape[:3]
    mix = maps.reshape(count, keys, 6).transpose(1, 2) @ masks.flatten(2)
    mix = mix.reshape(count, 2, 3, cells, cells)
    places = centres(cells, cells, masks)
    return mix[:, :, 0] * places[..., 0] + mix[:, :, 1] * places[..., 1] + mix[:, :, 2]


def gaussians(points: Tensor, cells: int, sigma: Tensor | float) -> Tensor:
    """Return a Gaussian bump of height 1 at each of `points` (N, K, 2): (N, K, cells, cells).

    `sigma` is in normalised units, a number or a tensor that broadcasts to (N, K, 1, 1).
    """
    return torch.exp(-apart(points, cells) / (2 * sigma * sigma))


def apart(points: Tensor, cells: int) -> Tensor:
    """Return the squared distance of every cell's centre from `points` (N, K, 2), normalised:
    (N, K, cells, cells)."""
    x, y = offsets(points, cells)
    return x.square() + y.square()


def offsets(points: Tensor, cells: int) -> tuple[Tensor, Tensor]:
    """Return how far right of and below `points` (N, K, 2) each column (N, K, 1, cells) and each
    row (N, K, cells, 1) of cells has its centre, normalised."""
    places = centres(cells, cells, points)
    x = places[0, :, 0] - points[..., :1]
    y = places[:, 0, 1] - points[..., 1:]
    return x[:, :, None, :], y[..., None]
