"""The losses, each a plain function of tensors; `default.toml` weighs them."""

from __future__ import annotations

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from ..eam import grid
from ..eam.edges import edge_map
from ..eam.keypoints import luminance
from ..eam.motion import moving, moving_region
from .transforms import ThinPlate

#: Motion, pixels, that is added to the true one in relative errors: below it noise rules.
FLOOR = 0.15
#: Share of the picture that is added to the moving region in relative errors: a pair that hardly
#: moves has little to teach but noise, and must not outweigh the others.
LITTLE = 0.02
#: The face on the chart: middle over radii, and radii, centimetres.
FACE_RADII, FACE_MIDDLE = (7.0, 8.5, 9.0), (0.0, -0.4, 0.1)
#: Distance on the chart, centimetres, beyond which one face hides what the other shows.
HIDDEN = 2.5
#: A mean over four pixels, a cell of the motion grid, about a pixel.
OVER_A_CELL = (1.0, 2.0, 2.0, 2.0, 1.0)
#: Spread of the heatmaps' target, in cells.
TARGET_CELLS = 1.1


def on_chart(found: Tensor, truth: Tensor) -> Tensor:
    """Return the mean distance, centimetres, of a predicted chart (N, 3, 64, 64), decimetres, from
    the true one (N, 4, 64, 64), whose last channel says how far a cell is on the head."""
    away = ((10 * found - truth[:, :3]).square().sum(1, keepdim=True) + 1e-4).sqrt()
    on_head = (truth[:, 3:] > 0.97).float()
    return (on_head * away).sum() / on_head.sum().clamp(min=1)


def facial(chart: Tensor) -> Tensor:
    """Return where a chart (N, 4, H, W), centimetres, is of the face, (N, 1, H, W) bool."""
    radii, middle = (chart.new_tensor(v)[:, None, None] for v in (FACE_RADII, FACE_MIDDLE))
    return (chart[:, :3] / radii - middle).square().sum(1, keepdim=True) < 1


def correspondence(where: Tensor, source: Tensor, character: Tensor) -> Tensor:
    """Return the mean distance on the chart, centimetres, of places that should mean the same.

    where (N, 64, 64, 2) places on the source, normalised; source, character (N, 4, 64, 64) the true
    charts. Only the face counts, and only what both show: beyond `HIDDEN` nothing corresponds.
    """
    found = grid.sample(source, where)
    away = ((found[:, :3] - character[:, :3]).square().sum(1, keepdim=True) + 1e-4).sqrt()
    both = (found[:, 3:] > 0.97) & (character[:, 3:] > 0.97)
    weight = (both & facial(character) & (away.detach() < HIDDEN)).float()
    return (weight * away).sum() / weight.sum().clamp(min=1)


def heatmap(logits: Tensor, points: Tensor) -> Tensor:
    """Return the cross-entropy of `logits` (N, K, h, h) to bumps about `points` (N, K, 2).

    Points outside the picture do not count.
    """
    cells = logits.shape[-1]
    target = grid.gaussians(points, cells, TARGET_CELLS * 2 / cells).flatten(2)
    target = target / target.sum(-1, keepdim=True).clamp(min=1e-6)
    entropy = -(target * logits.float().flatten(2).log_softmax(-1)).sum(-1)
    inside = (points.abs() < 1).all(-1)
    return (entropy * inside).sum() / inside.sum().clamp(min=1)


def points(found: Tensor, truth: Tensor) -> Tensor:
    """Return the mean distance, pixels, of normalised points; outside ones do not count."""
    inside = (truth.abs() < 1).all(-1)
    distance = ((found - truth).square().sum(-1) + 1e-8).sqrt() / grid.PIXEL
    return (distance * inside).sum() / inside.sum().clamp(min=1)


class Detection(Protocol):
    """What a detector finds: points (N, K, 2) and jacobians (N, K, 2, 2), normalised."""

    @property
    def points(self) -> Tensor: ...
    @property
    def jacobians(self) -> Tensor: ...


def equivariance(plain: Detection, warped: Detection, plate: ThinPlate) -> tuple[Tensor, Tensor]:
    """Return equivariance errors of points and of Jacobians under `plate`, means over pictures."""
    points, jacobians = equivariance_each(plain, warped, plate)
    return points.mean(), jacobians.mean()


def equivariance_each(
    plain: Detection, warped: Detection, plate: ThinPlate
) -> tuple[Tensor, Tensor]:
    """Return each picture's equivariance errors (N,) of points and of Jacobians under `plate`.

    First Order Motion Model, equations 9 to 11: `kp_X = T(kp_Y)` and
    `1 = J_X^-1 (T'(kp_Y) J_Y)` for a picture Y that is X read through T.
    """
    back = plate.positions(warped.points)
    jacobians = plate.jacobians(warped.points) @ warped.jacobians
    product = grid.inverse(plain.jacobians) @ jacobians
    eye = torch.eye(2, device=product.device)
    return (plain.points - back).abs().mean((1, 2)), (product - eye).abs().mean((1, 2, 3))


def relative_error(flow: Tensor, truth: Tensor, valid: Tensor) -> Tensor:
    """Return the mean over pairs of end-point error over true motion, in the moving region.

    flow, truth (N, 2, H, W) pixels; valid (N, 1, H, W). Dividing by the motion there keeps weak
    expressions from being given up, and the distance (not its square) keeps amplitude.
    """
    weight = moving(truth) * valid
    error = (weight * grid.length(flow - truth)).sum(dim=(1, 2, 3))
    return (error / whole_motion(truth, weight)).mean()


def whole_motion(truth: Tensor, weight: Tensor) -> Tensor:
    """Return each pair's true motion (N,), summed by `weight` (N, 1, H, W), from a floor up."""
    motion = (weight * (grid.length(truth) + FLOOR)).sum(dim=(1, 2, 3))
    return motion + LITTLE * truth.shape[-1] * truth.shape[-2] * FLOOR


def lost_gain(flow: Tensor, truth: Tensor, valid: Tensor) -> Tensor:
    """Return how far the produced amplitude departs from the true one, mean over pairs."""
    weight = moving(truth) * valid
    along = (weight * flow * truth).sum(dim=(1, 2, 3))
    whole = (weight * truth * truth).sum(dim=(1, 2, 3))
    floor = weight.sum(dim=(1, 2, 3)) + LITTLE * truth.shape[-1] * truth.shape[-2]
    return ((along - whole).abs() / (whole + FLOOR**2 * floor)).mean()


def laplace(doubt: Tensor, flow: Tensor, truth: Tensor, valid: Tensor) -> Tensor:
    """Return minus the log likelihood of errors, where `valid`, under the error `doubt` expects.

    For a Laplace distribution in the plane of density exp(-e / b) / (2 pi b^2), whose mean error e
    is 2 b; `doubt` (N, 1, h, w) and the flows in pixels; constants are left out.
    """
    error = grid.length(flow - truth).detach()
    scale = doubt / 2
    value = 2 * scale.log() + error / scale
    return (value * valid).sum() / valid.sum().clamp(min=1.0)


def leak(flow: Tensor, truth: Tensor, valid: Tensor | float = 1.0) -> Tensor:
    """Return the mean motion, pixels, where nothing truly moves and the truth is `valid`."""
    still = (1 - moving(truth)) * valid
    return (still * grid.length(flow)).mean()


def swim(flow: Tensor, truth: Tensor, fixed: Tensor) -> Tensor:
    """Return the motion of what is `fixed` (N, 1, H, W), hair and clothes, over the true motion of
    the face; mean over pairs.

    It lies beside what moves, where a leak weighs too little to be unlearned.
    """
    lively = moving(truth)
    strayed = (fixed * (1 - lively) * grid.length(flow)).sum(dim=(1, 2, 3))
    return (strayed / whole_motion(truth, lively)).mean()


def ripple(flow: Tensor, truth: Tensor, valid: Tensor) -> Tensor:
    """Return the mean error, pixels, that goes up and down within a cell of the motion grid, where
    `valid`: what learned upsampling makes where it is unsure, and the eye sees as dots.

    flow, truth (N, 2, 256, 256) pixels; valid (N, 1, 256, 256).
    """
    error = valid * (flow - truth)
    taps = error.new_tensor(OVER_A_CELL)
    window = (taps[:, None] * taps / taps.sum() ** 2).expand(2, 1, -1, -1)
    return (error - F.conv2d(error, window, padding=len(taps) // 2, groups=2)).abs().mean()


def of_like_size(truth: Tensor, flow: Tensor, valid: Tensor) -> Tensor:
    """Return `truth` at the amplitude, within twofold, that `flow` has along it where `valid`."""
    weight = moving(truth) * valid
    along = (weight * flow.detach() * truth).sum(dim=(1, 2, 3), keepdim=True)
    whole = (weight * truth * truth).sum(dim=(1, 2, 3), keepdim=True)
    return truth * (along / whole.clamp(min=1e-6)).clamp(0.5, 2.0)


def visibility(found: Tensor, truth: Tensor, valid: Tensor) -> Tensor:
    """Return the cross-entropy of `found` to the true visibility (N, 1, h, w) where `valid`."""
    known = valid.expand_as(truth)
    entropy = F.binary_cross_entropy(found.clamp(1e-4, 1 - 1e-4), truth, reduction="none")
    return (known * entropy).sum() / known.sum().clamp(min=1.0)


def shift(found: Tensor, truth: Tensor) -> Tensor:
    """Return the relative error of keypoint motions (N, K, 2), both in pixels."""
    error = ((found - truth).square().sum(-1) + 1e-8).sqrt()
    size = truth.square().sum(-1).sqrt()
    return (error.mean(-1) / (size.mean(-1) + FLOOR)).mean()


def pyramid(image: Tensor, truth: Tensor, weight: Tensor, levels: int = 4) -> Tensor:
    """Return the weighted L1 of colours and of gradients over an image pyramid.

    image, truth (N, 3, H, W); weight (N, 1, H, W).
    """
    total = image.new_zeros(())
    for level in range(levels):
        mass = weight.sum().clamp(min=1e-3 * weight.numel())
        difference = image - truth
        total = total + (weight * difference.abs()).sum() / (3 * mass)
        grey = luminance(difference)
        across = (grey[..., 1:] - grey[..., :-1]).abs() * weight[..., 1:]
        down = (grey[..., 1:, :] - grey[..., :-1, :]).abs() * weight[..., 1:, :]
        total = total + (across.sum() + down.sum()) / mass
        if level + 1 < levels:
            image, truth, weight = (F.avg_pool2d(x, 2) for x in (image, truth, weight))
    return total / levels


def edge_target(frame: Tensor, backward: Tensor) -> Tensor:
    """Return what edge prediction is taught (N, 1, H, W): the true frame's edges where it moves.

    `frame` (N, 3, H, W) in 0..1 and its true `backward` flow (N, 2, H, W) in pixels.
    """
    return edge_map(luminance(frame)) * moving_region(backward)
