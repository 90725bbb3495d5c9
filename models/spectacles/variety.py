"""What varies pictures of spectacles in training: place, size, turn, tone, grain."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

#: Largest turn in degrees, change of size, and shift as a share of the picture.
TURN, SIZE, SHIFT = 15.0, 0.3, 0.1
#: Shares of pictures that are grey, blurred and noisy.
GREY, BLURRED, NOISY = 0.15, 0.3, 0.4
#: Share of pictures that show no face but some texture.
TEXTURED = 0.04


def placed(pictures: Tensor, rims: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return pictures (N, 3, S, S) and rims (N, 1, S, S) moved, turned, resized and mirrored alike;
    beyond the picture's border comes its mirror image."""
    count = len(pictures)
    turn = math.radians(TURN) * _even(count, rng)
    size = torch.exp(SIZE * _even(count, rng))
    flip = torch.sign(_even(count, rng))
    cosine, sine = size * turn.cos(), size * turn.sin()
    shift = 2 * SHIFT * torch.stack((_even(count, rng), _even(count, rng)), dim=1)
    matrix = torch.stack((flip * cosine, -sine, flip * sine, cosine), dim=1).reshape(-1, 2, 2)
    theta = torch.cat((matrix, shift[..., None]), dim=2)
    both = torch.cat((pictures, rims), dim=1)
    grid = F.affine_grid(theta, list(both.shape), align_corners=False)
    moved = F.grid_sample(
        both, grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )
    return moved[:, :3], moved[:, 3:]


def textured(pictures: Tensor, rims: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return pictures (N, 3, S, S) and rims (N, 1, S, S) with a texture, fine or coarse, and
    nothing that is worn in place of some."""
    count, side = len(pictures), pictures.shape[-1]
    rows = _some(count, TEXTURED, rng)
    pictures, rims = pictures.clone(), rims.clone()
    for row in torch.nonzero(rows)[:, 0].tolist():
        coarse = int(torch.randint(1, 9, (), generator=rng))
        rough = torch.randn((1, 3, side // coarse, side // coarse), generator=rng)
        grain = F.interpolate(rough, (side, side), mode="bicubic", align_corners=False)[0]
        if torch.rand((), generator=rng) < GREY:
            grain = grain[:1].expand(3, -1, -1)
        pictures[row] = (0.5 + 0.2 * grain).clamp(0, 1)
        rims[row] = 0
    return pictures, rims


def toned(pictures: Tensor, rng: torch.Generator) -> Tensor:
    """Return pictures (N, 3, S, S) in 0..1 in other tones: gamma, contrast, colour, blur, noise."""
    count = len(pictures)
    gamma = torch.exp(0.4 * _even(count, rng))[:, None, None, None]
    gain = torch.exp(0.15 * torch.randn((count, 3, 1, 1), generator=rng))
    offset = 0.06 * torch.randn((count, 1, 1, 1), generator=rng)
    shown = (pictures.clamp(0, 1) ** gamma) * gain + offset
    grey = shown.mean(1, keepdim=True)
    colour = torch.where(_some(count, GREY, rng), 0.0, torch.exp(0.4 * _even(count, rng)))
    shown = grey + colour[:, None, None, None] * (shown - grey)
    soft = F.avg_pool2d(F.pad(shown, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    share = torch.where(_some(count, BLURRED, rng), torch.rand(count, generator=rng), 0.0)
    shown = torch.lerp(shown, soft, share[:, None, None, None])
    grain = torch.where(_some(count, NOISY, rng), 0.04 * torch.rand(count, generator=rng), 0.0)
    noise = torch.randn(shown.shape, generator=rng)
    return (shown + grain[:, None, None, None] * noise).clamp(0, 1)


def _even(count: int, rng: torch.Generator) -> Tensor:
    """Return (count,) values drawn evenly from -1 to 1."""
    return 2 * torch.rand(count, generator=rng) - 1


def _some(count: int, share: float, rng: torch.Generator) -> Tensor:
    return torch.rand(count, generator=rng) < share
