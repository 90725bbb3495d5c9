"""JPEG's losses without its files: what compression leaves of pictures, in torch.

Baseline JPEG as ITU-T T.81 describes it, with its example tables, the quality scale of the
Independent JPEG Group and colour at half the resolution; coding the numbers loses nothing and is
left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

# Tables K.1 and K.2.
# fmt: off
_LUMINANCE = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55,
    14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
)
_COLOUR = (
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99,
    24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
    *(99,) * 32,
)
# fmt: on
#: Red, green and blue to luminance and two differences of colour, and back.
_TO = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
_FROM = ((1.0, 0.0, 1.402), (1.0, -0.344136, -0.714136), (1.0, 1.772, 0.0))


def compressed(pictures: Tensor, qualities: Sequence[int]) -> Tensor:
    """Return pictures (B, 3, H, W) of whole levels 0..255 after JPEG at `qualities` of 1 to 100."""
    height, width = pictures.shape[-2:]
    padded = F.pad(pictures, (0, -width % 16, 0, -height % 16), mode="replicate")
    parts = torch.einsum("ij,bjhw->bihw", pictures.new_tensor(_TO), padded)
    grey = _blocks_through(parts[:, :1] - 128, _tables(_LUMINANCE, qualities, pictures))
    colour = F.avg_pool2d(parts[:, 1:], 2)
    colour = _blocks_through(colour, _tables(_COLOUR, qualities, pictures))
    # The decoder's own way of doubling: three parts of the nearer sample, one of the farther.
    colour = F.interpolate(colour, scale_factor=2.0, mode="bilinear", align_corners=False)
    whole = torch.cat((grey + 128, colour), dim=1)
    back = torch.einsum("ij,bjhw->bihw", pictures.new_tensor(_FROM), whole)
    return back[:, :, :height, :width].round().clamp(0, 255)


def _tables(base: Sequence[int], qualities: Sequence[int], like: Tensor) -> Tensor:
    """Return the steps (B, 8, 8) of quantisation at `qualities`."""
    rows = []
    for quality in qualities:
        scale = 5000 // quality if quality < 50 else 200 - 2 * quality
        rows.append([min(max((step * scale + 50) // 100, 1), 255) for step in base])
    return like.new_tensor(rows).reshape(-1, 8, 8)


def _blocks_through(plane: Tensor, steps: Tensor) -> Tensor:
    """Return planes (B, C, H, W) whose 8 x 8 blocks' cosine terms are rounded to `steps`."""
    count, channels, height, width = plane.shape
    blocks = plane.reshape(count, channels, height // 8, 8, width // 8, 8).transpose(3, 4)
    cosines = _cosines(plane.device)
    step = steps[:, None, None, None]
    terms = torch.round(cosines @ blocks @ cosines.T / step) * step
    back = (cosines.T @ terms @ cosines).round()
    return back.transpose(3, 4).reshape(plane.shape)


def _cosines(device: torch.device) -> Tensor:
    """Return the matrix (8, 8) of the discrete cosine transform, orthonormal."""
    order = torch.arange(8, device=device)[:, None]
    place = torch.arange(8, device=device)[None]
    matrix = torch.cos((2 * place + 1) * order * math.pi / 16) / 2
    matrix[0] /= math.sqrt(2)
    return matrix
