"""Windows on the face, anchored to its keypoints, and the motion in them.

The regions follow HTNet (Wang et al., "HTNet for micro-expression recognition", Neurocomputing
602, 2024), which cuts optical flow about landmarks of eyes and lips; here brows, nose, cheeks and
chin have windows too. Windows of the subject's left are mirrored, so that both sides of a face
look alike and a mirrored face is the same windows in another order.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..eam import grid, motion
from ..heads.chart import REFERENCE
from ..heads.keypoints import NAMES, keypoints_from_landmarks

#: Places across a window.
ACROSS = 8


@dataclass(frozen=True)
class Region:
    """A window about the mean of keypoints, named without their side; half its size in face
    units."""

    name: str
    anchors: tuple[str, ...]
    half_width: float
    half_height: float


KINDS: tuple[Region, ...] = (
    Region("brow", ("brow_middle", "brow_inner", "brow_outer"), 0.65, 0.45),
    Region("lids", ("eye_outer", "eye_inner"), 0.50, 0.35),
    Region("nose", ("nose_bridge", "nostril"), 0.40, 0.60),
    Region("cheek", ("cheek",), 0.50, 0.50),
    Region("lips", ("lip_corner", "lip_peak", "lip_lower"), 0.60, 0.50),
    Region("chin", ("chin", "chin", "lip_corner"), 0.55, 0.50),
)
SIDES = ("right", "left")
#: Name of each window: the kinds on the right, then those on the left.
WINDOWS: tuple[str, ...] = tuple(f"{kind.name} {side}" for side in SIDES for kind in KINDS)
#: Index of each window's partner when the picture is mirrored.
PARTNER: tuple[int, ...] = tuple((i + len(KINDS)) % len(WINDOWS) for i in range(len(WINDOWS)))


def _anchors() -> Tensor:
    """Return the weight (WINDOWS, 30) of each keypoint in each window's place."""
    weights = torch.zeros(len(WINDOWS), len(NAMES))
    for s, side in enumerate(SIDES):
        for k, kind in enumerate(KINDS):
            for name in kind.anchors:
                found = name if name in NAMES else f"{name}_{side}"
                weights[s * len(KINDS) + k, NAMES.index(found)] += 1 / len(kind.anchors)
    return weights


def _offsets() -> Tensor:
    """Return the places (WINDOWS, ACROSS, ACROSS, 2) of each window about its own, face units."""
    line = (torch.arange(ACROSS) * 2 + 1) / ACROSS - 1
    y, x = torch.meshgrid(line, line, indexing="ij")
    windows = []
    for flip in (1.0, -1.0):
        for kind in KINDS:
            windows.append(torch.stack((flip * kind.half_width * x, kind.half_height * y), -1))
    return torch.stack(windows)


_ANCHORS, _OFFSETS = _anchors(), _offsets()
#: 1 for windows as they are, -1 for mirrored ones.
_FLIP = torch.tensor([1.0] * len(KINDS) + [-1.0] * len(KINDS))
#: Distance between neighbouring places of a window, (WINDOWS, 2), face units.
SPACING = torch.tensor([[k.half_width, k.half_height] for k in (*KINDS, *KINDS)]) * 2 / ACROSS


def _upright() -> Tensor:
    """Return an upright face's keypoints (30, 2) about their mean, y downwards."""
    marks = torch.from_numpy(keypoints_from_landmarks(REFERENCE)[:, :2])
    return (marks - marks.mean(0)) * torch.tensor([1.0, -1.0])


#: An upright face's keypoints (30, 2) about their mean, y downwards.
UPRIGHT = _upright()


def roll(points: Tensor) -> Tensor:
    """Return the turns (N, 2, 2) that bring an upright face to the keypoints (N, 30, 2)."""
    about = points - points.mean(dim=1, keepdim=True)
    along = (about * UPRIGHT).sum((1, 2))
    across = (about[..., 1] * UPRIGHT[:, 0] - about[..., 0] * UPRIGHT[:, 1]).sum(1)
    size = (along.square() + across.square()).sqrt().clamp(min=1e-9)
    cos, sin = along / size, across / size
    return torch.stack((torch.stack((cos, -sin), -1), torch.stack((sin, cos), -1)), -2)


def windows(flow: Tensor, points: Tensor) -> Tensor:
    """Return the motion in each window, (N, WINDOWS, 2, ACROSS, ACROSS), in face units.

    `flow` (N, 2, 64, 64) is steadied, in 256-px pixels; `points` (N, 30, 2) are the neutral's
    keypoints in [-1, 1]. The motion is as on an upright face, outwards to the left of the window.
    """
    turn, unit = roll(points), motion.face_unit(points)
    places = torch.einsum("wk,nkc->nwc", _ANCHORS, points)[:, :, None, None]
    reach = torch.einsum("nij,whxj->nwhxi", turn, _OFFSETS) * unit[:, None, None, None, None]
    positions = (places + reach).flatten(1, 2)
    smooth = F.avg_pool2d(flow, 3, stride=1, padding=1, count_include_pad=False)
    found = grid.sample(smooth, positions)
    found = found.reshape(-1, 2, len(WINDOWS), ACROSS, ACROSS)
    upright = torch.einsum("nji,njwhx->nwihx", turn, found) * grid.PIXEL
    upright = upright / unit[:, None, None, None, None]
    return torch.stack((upright[:, :, 0] * _FLIP[:, None, None], upright[:, :, 1]), dim=2)


def strain(motions: Tensor) -> Tensor:
    """Return the strain (N, WINDOWS, 3, ACROSS, ACROSS) of motion in windows: along x, along y,
    and shear."""
    dx = _slope(motions, 4) / SPACING[:, None, None, None, 0]
    dy = _slope(motions, 3) / SPACING[:, None, None, None, 1]
    shear = (dy[:, :, 0] + dx[:, :, 1]) / 2
    return torch.stack((dx[:, :, 0], dy[:, :, 1], shear), dim=2)


def _slope(values: Tensor, dim: int) -> Tensor:
    """Return central differences along `dim`, one-sided at the ends; ONNX has no `gradient`."""
    count = values.shape[dim]
    inner = (values.narrow(dim, 2, count - 2) - values.narrow(dim, 0, count - 2)) / 2
    first = values.narrow(dim, 1, 1) - values.narrow(dim, 0, 1)
    last = values.narrow(dim, count - 1, 1) - values.narrow(dim, count - 2, 1)
    return torch.cat((first, inner, last), dim)
