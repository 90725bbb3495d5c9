"""What the source's face did, and how it is carried over: relative, keypoint by keypoint.

First Order Motion Model, sections 3.1 and 3.3: `kp = kp_c + s (kp_t - kp_0)` and
`J = J_t J_0^-1 J_c`, with s the ratio of the faces' sizes.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from . import grid
from .keypoints import Encoding

#: Width of the window through which a dense motion is read at a keypoint, normalised.
WINDOW = 1.5 * 2 / 64
#: Half steps of turning a motion around: of a broad smile of 20 pixels five leave less than one.
HALF_STEPS = 5
#: Motion, pixels, at which a place counts as moving (a half comes at 0.83 of it), and the side,
#: pixels, of the neighbourhood that moves along.
MOVING, NEIGHBOURHOOD = 0.3, 9


class SparseMotion(NamedTuple):
    """Motion at the K keypoints of the source: `shift` (N, K, 2) normalised, from the neutral to
    the frame, and `local` (N, K, 2, 2) = J_t J_0^-1, the neighbourhood's linear change."""

    shift: Tensor
    local: Tensor


def face_unit(points: Tensor) -> Tensor:
    """Return each face's size (N,): the root mean square distance of its points from their mean."""
    offset = points - points.mean(dim=1, keepdim=True)
    return offset.square().sum(-1).mean(-1).sqrt()


def scale_between(source: Tensor, character: Tensor) -> Tensor:
    """Return s (N,), the size of the character's face over the source's, from their points."""
    return face_unit(character) / face_unit(source).clamp(min=1e-3)


def by_difference(neutral: Encoding, frame: Encoding) -> SparseMotion:
    """Return the motion as the detector alone sees it: `kp_t - kp_0` and `J_t J_0^-1`."""
    local = frame.jacobians @ grid.inverse(neutral.jacobians)
    return SparseMotion(frame.points - neutral.points, local)


def windows(points: Tensor, cells: int) -> Tensor:
    """Return the weights (N, K, 3, cells, cells) with which `by_flow` reads a field at `points`
    (N, K, 2): its mean, and its slope to the right and downwards, a normalised unit.

    A Gaussian window about each keypoint gives the mean; the regression on position under the
    same window gives the slopes.
    """
    window = grid.gaussians(points, cells, WINDOW)
    window = window / window.sum(dim=(2, 3), keepdim=True).clamp(min=1e-6)
    slopes = []
    for offset in grid.offsets(points, cells):
        offset = offset - (window * offset).sum(dim=(2, 3), keepdim=True)
        spread = (window * offset.square()).sum(dim=(2, 3), keepdim=True).clamp(min=1e-6)
        slopes.append(window * (offset / spread))
    return torch.stack((window, *slopes), dim=2)


def by_flow(flow: Tensor, windows: Tensor) -> SparseMotion:
    """Return the motion read from a forward `flow` (N, 2, 64, 64), 256-px pixels, through
    `windows` (N, K, 3, 64, 64) at the keypoints."""
    count, keypoints = windows.shape[:2]
    read = windows.reshape(count, 3 * keypoints, -1) @ (flow * grid.PIXEL).flatten(2).transpose(
        1, 2
    )
    read = read.reshape(count, keypoints, 3, 2)
    eye = torch.eye(2, dtype=flow.dtype, device=flow.device)
    return SparseMotion(read[:, :, 0], eye + read[:, :, 1:].transpose(2, 3))


def transfer(motion: SparseMotion, character: Encoding, scale: Tensor) -> tuple[Tensor, Tensor]:
    """Return the character's moved points (N, K, 2) and Jacobians (N, K, 2, 2).

    `scale` (N,) multiplies the shift: the ratio of the faces times the strength. The linear
    change grows with the strength too, but not with the size of the face: pass it already
    strengthened.
    """
    points = character.points + scale[:, None, None] * motion.shift
    return points, motion.local @ character.jacobians


def strengthen(motion: SparseMotion, strength: Tensor) -> SparseMotion:
    """Return `motion` with its linear part's departure from identity times `strength` (N,)."""
    eye = torch.eye(2, dtype=motion.local.dtype, device=motion.local.device)
    local = eye + strength[:, None, None, None] * (motion.local - eye)
    return SparseMotion(motion.shift, local)


def candidates(points: Tensor, local: Tensor, character: Tensor) -> Tensor:
    """Return each keypoint's backward flow as an affine map (N, K, 2, 3): what it multiplies a
    normalised place (x, y, 1) by to give 256-px pixels.

    First Order Motion Model, equation 4: z goes to `kp_c + J_c J^-1 (z - kp)`. With the relative
    `J = local J_c` the character's Jacobian cancels, J_c J^-1 = local^-1, which is computed so,
    because then no motion is exactly no motion. `points` (N, K, 2) are the moved keypoints kp,
    `character` (N, K, 2) those of its neutral, `local` (N, K, 2, 2).
    """
    eye = torch.eye(2, dtype=local.dtype, device=local.device)
    return grid.affine(grid.inverse(local) - eye, points, character - points) / grid.PIXEL


def backward(forward: Tensor) -> Tensor:
    """Return the backward flow (N, 2, h, h) that undoes a `forward` one, 256-px pixels.

    The fixed point of `b(z) = -f(z + b(z))`, from `b = -f`. A whole step first, which is exact to
    second order in the motion; then half steps, which still settle where the motion changes by up
    to three pixels from one pixel to the next, as beside the corners of a broad smile.
    """
    own = grid.centres(forward.shape[-1], forward.shape[-1], forward)

    def undone(back: Tensor) -> Tensor:
        return -grid.sample(forward, own + back.permute(0, 2, 3, 1) * grid.PIXEL)

    back = undone(-forward)
    for _ in range(HALF_STEPS):
        back = (back + undone(back)) / 2
    return back


def moving(flow: Tensor) -> Tensor:
    """Return how far each place of `flow` (N, 2, H, W), pixels, counts as moving, (N, 1, H, W) in
    0..1."""
    return 1 - torch.exp(-flow.square().sum(1, keepdim=True) / MOVING**2)


def moving_region(flow: Tensor) -> Tensor:
    """Return a soft mask (N, 1, H, W) of the neighbourhood of what moves."""
    return F.avg_pool2d(moving(flow), NEIGHBOURHOOD, 1, NEIGHBOURHOOD // 2, count_include_pad=False)
