"""What cameras do to light, many pictures at once: `heads/sensor.py` in torch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..sensor import Sensor
from .jpeg import compressed

_GREY = (0.299, 0.587, 0.114)
#: Moments of the shutter's opening that a smear is the mean of.
_MOMENTS = 7


def exposed(
    sensors: Sequence[Sensor],
    first: Sequence[bool],
    light: Tensor,
    gain: Tensor,
    rng: torch.Generator,
) -> Tensor:
    """Return the pictures (B, 3, S, S) uint8 that sensors make of linear light (B, 3, S, S).

    `gain` (B, 3) stands for the sensors' own exposure; the `first` frames of clips neither flicker
    nor smear.
    """
    light = light.clone()
    for row, (sensor, begins) in enumerate(zip(sensors, first, strict=True)):
        if any(sensor.smear) and not begins:
            light[row] = smeared(light[row : row + 1], sensor.smear)[0]
    flicker = [0.0 if begins else s.flicker for s, begins in zip(sensors, first, strict=True)]
    drawn = torch.randn(len(sensors), generator=rng, device=rng.device)
    gain = gain * (1 + drawn * _column(flicker, light))[:, None]
    pictures = torch.empty(light.shape, dtype=torch.uint8, device=light.device)
    whole = [row for row, sensor in enumerate(sensors) if not sensor.pixels]
    if whole:
        chosen = torch.tensor(whole, device=light.device)
        pictures[chosen] = _seen([sensors[r] for r in whole], light[chosen], gain[chosen], rng)
    for row, sensor in enumerate(sensors):
        if sensor.pixels:
            few = area(light[row : row + 1], sensor.pixels)
            small = _seen([sensor], few, gain[row : row + 1], rng).float()
            size = light.shape[-2:]
            wide = F.interpolate(small, size=size, mode="bicubic", align_corners=False)
            pictures[row] = wide[0].round().clamp(0, 255).byte()
    return pictures


def _seen(sensors: Sequence[Sensor], light: Tensor, gain: Tensor, rng: torch.Generator) -> Tensor:
    """Return the pictures of sensors with as many pixels as the light has."""
    light = light.clone()
    for row, sensor in enumerate(sensors):
        if sensor.infrared:
            light[row] = infrared(light[row : row + 1])[0]

    def column(name: str) -> Tensor:
        return _column([getattr(s, name) for s in sensors], light)[:, None, None, None]

    value = (light * gain[:, :, None, None]).clamp(min=0)
    # A soft shoulder in place of hard clipping.
    value = value * (1 + value / 4) / (1 + value)
    value = (value / 0.625) ** (column("gamma") / 2.2)
    weights = light.new_tensor(_GREY)[:, None, None]
    grey = (value * weights).sum(1, keepdim=True)
    value = grey + column("saturation") * (value - grey)
    value = blurred(value, [s.blur for s in sensors])
    noise = torch.randn(value.shape, generator=rng, device=rng.device)
    noise = torch.where(column("saturation") == 0, noise[:, :1].expand_as(noise), noise)
    coarse = [s.coarseness if s.coarseness > 0.2 else 0.0 for s in sensors]
    noise = blurred(noise, coarse) * (1 + 1.5 * _column(coarse, light)[:, None, None, None])
    value = value + noise * column("noise") * (value.clamp(0.05, 1) * 2).sqrt()
    pictures = (value.clamp(0, 1) * 255 + 0.5).floor()
    lossy = [row for row, sensor in enumerate(sensors) if sensor.quality < 100]
    if lossy:
        chosen = torch.tensor(lossy, device=light.device)
        pictures[chosen] = compressed(pictures[chosen], [sensors[r].quality for r in lossy])
    return pictures.byte()


def _column(values: Sequence[float], like: Tensor) -> Tensor:
    """Return numbers (B,) where `like` is."""
    return torch.tensor(values, dtype=torch.float32, device=like.device)


def blurred(image: Tensor, sigmas: Sequence[float]) -> Tensor:
    """Return pictures (B, C, S, S) under Gaussian blurs of `sigmas` pixels; those up to 0.2 px are
    left out. Kernels are cut as OpenCV cuts them."""
    sizes = [(round(8 * s + 1) | 1) if s > 0.2 else 1 for s in sigmas]
    reach = max(sizes) // 2
    if not reach:
        return image
    place = torch.arange(-reach, reach + 1, dtype=torch.float32, device=image.device)
    width = _column(sigmas, image).clamp(min=1e-3)[:, None]
    kernel = torch.exp(-place.square() / (2 * width.square()))
    kernel = kernel * (place.abs() <= _column([size // 2 for size in sizes], image)[:, None])
    kernel = kernel / kernel.sum(dim=1, keepdim=True)
    kernel = kernel.repeat_interleave(image.shape[1], dim=0)[:, None, None]
    flat = image.reshape(1, -1, *image.shape[2:])
    padded = F.pad(flat, (reach,) * 4, mode="reflect")
    found = F.conv2d(padded, kernel, groups=len(kernel))
    found = F.conv2d(found, kernel.transpose(2, 3), groups=len(kernel))
    return found.reshape(image.shape)


def area(image: Tensor, size: int) -> Tensor:
    """Return pictures (B, C, S, S) at a smaller `size`: each new pixel the mean over its area."""
    side = image.shape[-1]
    edges = torch.arange(size + 1, dtype=torch.float64, device=image.device) * (side / size)
    cells = torch.arange(side, dtype=torch.float64, device=image.device)
    low = torch.maximum(edges[:-1, None], cells)
    high = torch.minimum(edges[1:, None], cells + 1)
    share = ((high - low).clamp(min=0) * (size / side)).float()
    return share @ image @ share.T


def shifted(image: Tensor, maps: Tensor, mode: str) -> Tensor:
    """Return pictures (B, C, S, S) under affine maps (B, 2, 3) that take old places, by index, to
    new ones; `mode` is what is beyond the border, "border" or "reflection"."""
    side = image.shape[-1]
    square = F.pad(maps, (0, 0, 0, 1))
    square[:, 2, 2] = 1
    back = torch.linalg.inv(square)[:, :2]
    # From indices to the coordinates of grid_sample and back: x = (2 i + 1) / side - 1.
    scale, half = side / 2, (side - 1) / 2
    linear = back[:, :, :2]
    shift = (back[:, :, 2] + linear.sum(-1) * half - half) / scale
    theta = torch.cat((linear, shift[:, :, None]), dim=-1).to(image.dtype)
    places = F.affine_grid(theta, list(image.shape), align_corners=False)
    return F.grid_sample(image, places, padding_mode=mode, align_corners=False)


def smeared(light: Tensor, way: tuple[float, float]) -> Tensor:
    """Return linear light (1, C, S, S) meant over a straight `way` (x, y) in pixels, about its
    middle."""
    moments = torch.linspace(-0.5, 0.5, _MOMENTS, device=light.device)
    maps = torch.eye(2, 3, device=light.device).repeat(_MOMENTS, 1, 1)
    maps[:, :, 2] = moments[:, None] * light.new_tensor(way)
    every = light.expand(_MOMENTS, -1, -1, -1)
    return shifted(every, maps, "reflection").mean(0, keepdim=True)


def infrared(light: Tensor) -> Tensor:
    """Return visible light (1, 3, S, S) about as the near infrared shows the same scene."""
    red = (light * light.new_tensor((1.0, 0.1, -0.1))[:, None, None]).sum(1, keepdim=True)
    red = red.clamp(min=1e-4)
    level = red.median()
    return (level * (red / level) ** 0.65).expand_as(light)
