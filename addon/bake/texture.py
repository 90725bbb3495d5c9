"""The ratio-image texture bake: what geometry cannot say, as a sequence of textures.

The generated pictures are lit and the texture is not, so the *ratio* of generated to neutral is
carried over, in linear light (expression ratio images; Liu, Shan, Zhang, "Expressive expression
mapping with ratio images", SIGGRAPH 2001).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ..character.view import FaceView
from ..generated import Generated
from ..images import from_linear, to_linear, write_png
from .materials import Target, find_targets, wire_sequence
from .region import moving_region
from .texels import bilinear, map_texels
from .time import TimeBase

#: Light added to both sides of the ratio, so that black pixels do not explode.
FLOOR = 0.004
#: A texel gets at most this many times lighter or darker.
MOST = 6.0

Report = Callable[[float], None]


@dataclass(frozen=True)
class BakedTexture:
    """One texture's sequence: `files`, one per source frame, and its `moving` texels (H,W) bool."""

    name: str
    image_name: str
    files: tuple[Path, ...]
    moving: NDArray[np.bool_]


@dataclass(frozen=True)
class TextureBake:
    """The baked textures of a character; those without a moving texel are not in it."""

    object_name: str
    folder: Path
    textures: tuple[BakedTexture, ...]


def bake_textures(
    obj: Any,
    view: FaceView,
    generated: Generated,
    folder: Path,
    time_base: TimeBase,
    *,
    plain_size: int = 1024,
    report: Report = lambda share: None,
) -> TextureBake:
    """Write `folder/<texture>/000000.png...`, one per source frame, and wire them in.

    Texels that do not move are bit-identical to the character's own texture. Raises `InputError`
    if the mesh has no UVs or no material with a base colour.
    """
    if view.face.surface.uv is None:
        raise InputError(
            f"'{obj.name}' has no UVs.", "Unwrap the mesh (UV > Unwrap), then bake again."
        )
    targets = find_targets(obj, plain_size)
    if not targets:
        raise InputError(
            f"'{obj.name}' has no material with a base colour.",
            "Give the face a material with a Principled shader.",
        )
    baked: list[BakedTexture] = []
    painters = [_Painter(view, generated, target) for target in targets]
    painters = [painter for painter in painters if painter.moving.any()]
    for done, painter in enumerate(painters):
        target = painter.target
        into = folder / target.name
        into.mkdir(parents=True, exist_ok=True)
        files = []
        for index in range(len(generated.frames)):
            path = into / f"{index:06d}.png"
            write_png(path, painter.paint(index))
            files.append(path)
            report((done + (index + 1) / len(generated.frames)) / len(painters))
        label = f"Microface {generated.clip_name} {target.name}"
        image = wire_sequence(obj, target, files, label, time_base, float(generated.fps))
        baked.append(BakedTexture(target.name, str(image.name), tuple(files), painter.moving))
    return TextureBake(str(obj.name), folder, tuple(baked))


def ratio_image(
    neutral: NDArray[np.uint8], frame: NDArray[np.uint8], region: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return (H,W,3) factors in linear light from neutral to frame, 1 outside `region` (H,W)."""
    ratio = (to_linear(frame) + FLOOR) / (to_linear(neutral) + FLOOR)
    ratio = np.clip(ratio, 1 / MOST, MOST)
    return np.asarray(1 + region[..., None] * (ratio - 1), np.float32)


class _Painter:
    """Paints one texture frame by frame; where its texels lie is worked out once."""

    def __init__(self, view: FaceView, generated: Generated, target: Target) -> None:
        self.target = target
        self.generated = generated
        height, width = target.pixels.shape[:2]
        texels = map_texels(view, target.slots, height, width)
        size = view.framing.resolution
        self._regions = moving_region(generated)
        widest = self._regions.max(axis=0)
        reached = bilinear(texels.pixels, size, size)(widest) > 0
        self._index = texels.index[reached]
        self._trust = texels.trust[reached]
        self._gather = bilinear(texels.pixels[reached], size, size)
        self._linear = to_linear(target.pixels.reshape(-1, target.pixels.shape[2])[self._index, :3])
        moving = np.zeros(height * width, bool)
        moving[self._index] = True
        self.moving = moving.reshape(height, width)

    def paint(self, index: int) -> NDArray[np.uint8]:
        """Return the texture (H,W,C) uint8 at a source frame."""
        region = self._regions[index]
        ratio = ratio_image(self.generated.neutral, self.generated.frames[index], region)
        here = self._gather(region) > 0
        factor = 1 + self._trust[here, None] * (self._gather(ratio)[here] - 1)
        painted = self.target.pixels.copy()
        flat = painted.reshape(-1, painted.shape[2])
        colour = from_linear(self._linear[here] * factor)
        flat[self._index[here], :3] = np.rint(colour * 255).astype(np.uint8)
        return painted
