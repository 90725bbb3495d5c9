"""Sub-pixel measurement: brightness constancy beside the optical flow, in closed form.

Lucas and Kanade's normal equations (IJCAI 1981) about the measured flow: with g the gradient and
r the brightness left over after warping by the flow, the step that explains it solves
`(sum g g^T) d = -sum g r` over a window. Windows of several sizes give the network the step, how
well it is determined, and how much is left over, on the motion grid.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from . import grid

#: Windows, in cells of the motion grid, whose normal equations are solved.
WINDOWS = (1, 3, 7)
#: Channels that `evidence` returns.
CHANNELS = 5 * len(WINDOWS) + 1
#: Brightness noise (of 1) that the normal equations are regularised against.
NOISE = 0.01
#: Longest step, in pixels, that is believed.
LONGEST = 2.0


def gradients(luminance: Tensor) -> tuple[Tensor, Tensor]:
    """Return central differences in x and y of (N, 1, H, W), zero at the border, per pixel."""
    x = F.pad((luminance[..., 2:] - luminance[..., :-2]) / 2, (1, 1, 0, 0))
    y = F.pad((luminance[..., 2:, :] - luminance[..., :-2, :]) / 2, (0, 0, 1, 1))
    return x, y


def evidence(neutral: Tensor, frame: Tensor, flow: Tensor) -> Tensor:
    """Return what brightness says about `flow`, (N, CHANNELS, 64, 64).

    `neutral` and `frame` are luminances (N, 1, 256, 256) in 0..1; `flow` (N, 2, 64, 64) is the
    measured forward flow in 256-px pixels. For each window: the step (dx, dy) in pixels, the two
    normalised parts of the structure tensor, and the logarithm of its strength; last, the
    brightness left over. All steps are exactly zero where both pictures are the same.
    """
    cells = flow.shape[-1]
    block = neutral.shape[-1] // cells
    positions = grid.centres(neutral.shape[-2], neutral.shape[-1], neutral)
    wide = grid.resize(flow, neutral.shape[-1])
    moved = grid.sample(frame, positions + wide.permute(0, 2, 3, 1) * grid.PIXEL)
    still = (flow == 0).all(dim=1, keepdim=True)
    moved = torch.where(grid.resize(still.to(flow), neutral.shape[-1]) == 1, frame, moved)
    rest = moved - neutral
    # Flicker and slow shading are no motion: what is left over counts against its surroundings.
    slow = F.avg_pool2d(F.avg_pool2d(rest, 8), 5, stride=1, padding=2, count_include_pad=False)
    rest = rest - grid.resize(slow, rest.shape[-1])
    gx, gy = gradients((moved + neutral) / 2)
    products = torch.cat((gx * gx, gx * gy, gy * gy, gx * rest, gy * rest, rest * rest), dim=1)
    cellwise = F.avg_pool2d(products, block)
    parts: list[Tensor] = []
    for window in WINDOWS:
        pooled = F.avg_pool2d(
            cellwise, window, stride=1, padding=window // 2, count_include_pad=False
        )
        xx, xy, yy, xr, yr, _ = torch.split(pooled, 1, dim=1)
        strength = xx + yy
        ridge = NOISE * NOISE + 0.02 * strength
        determinant = (xx + ridge) * (yy + ridge) - xy * xy
        step_x = -((yy + ridge) * xr - xy * yr) / determinant
        step_y = -((xx + ridge) * yr - xy * xr) / determinant
        step = torch.cat((step_x, step_y), dim=1).clamp(-LONGEST, LONGEST)
        shape = torch.cat((xx - yy, 2 * xy), dim=1) / (strength + NOISE * NOISE)
        parts += [step, shape, 0.25 * torch.log(strength + 1e-5) + 1]
    parts.append(10 * (cellwise[:, 5:6] + 1e-8).sqrt())
    return torch.cat(parts, dim=1)


def agitation(neutral: Tensor, frame: Tensor, flow: Tensor, steps: Tensor) -> Tensor:
    """Return 0 where nothing at all was measured and up to 1 where something was.

    (N, 1, 64, 64), from the flow (N, 2, 64, 64), the steps (N, 2, 64, 64), both in pixels, and
    the difference of the luminances. It closes the network's own corrections where the two
    pictures are the same, so that stillness stays exact.
    """
    cells = flow.shape[-1]
    difference = F.avg_pool2d((frame - neutral).abs(), neutral.shape[-1] // cells)
    amount = flow.abs().sum(1, keepdim=True) + steps.abs().sum(1, keepdim=True)
    near = F.max_pool2d(amount + 10 * difference, 9, stride=1, padding=4)
    return (near / 0.05).clamp(max=1.0)
