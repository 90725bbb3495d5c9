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
from .materials import Target, base_colour_socket, find_targets, wire_sequence
from .region import moving_region
from .texels import Gather, bilinear, map_texels
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


def check_textures(obj: Any) -> None:
    """Raise `InputError` for a mesh that no texture can be baked for."""
    if not obj.data.uv_layers:
        raise InputError(
            f"'{obj.name}' has no UVs.", "Unwrap the mesh (UV > Unwrap), then bake again."
        )
    if not any(base_colour_socket(slot.material) for slot in obj.material_slots):
        raise InputError(
            f"'{obj.name}' has no material with a base colour.",
            "Give the face a material with a Principled shader.",
        )


def bake_textures(
    obj: Any,
    view: FaceView,
    generated: Generated,
    folder: Path,
    time_base: TimeBase,
    *,
    weights: NDArray[np.float64] | None = None,
    plain_size: int = 1024,
    report: Report = lambda share: None,
) -> TextureBake:
    """Write `folder/<texture>/000000.png...`, one per source frame, and wire them in.

    With `weights` (T,S) of baked shape keys the textures hold only what these leave over: each
    texel looks where its surface has moved to. Texels that do not move are bit-identical to the
    character's own texture. Raises `InputError` if the mesh has no UVs or no material with a base
    colour.
    """
    check_textures(obj)
    targets = find_targets(obj, plain_size)
    baked: list[BakedTexture] = []
    painters = [_Painter(view, generated, target, weights) for target in targets]
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


def ratio(
    neutral: NDArray[np.floating[Any]], shown: NDArray[np.floating[Any]]
) -> NDArray[np.float32]:
    """Return the factors in linear light from neutral to shown, both (N,3) linear."""
    return np.asarray(np.clip((shown + FLOOR) / (neutral + FLOOR), 1 / MOST, MOST), np.float32)


class _Painter:
    """Paints one texture frame by frame; where its texels lie is worked out once."""

    def __init__(
        self,
        view: FaceView,
        generated: Generated,
        target: Target,
        weights: NDArray[np.float64] | None,
    ) -> None:
        self.target = target
        self._view = view
        self._generated = generated
        self._weights = weights
        self._size = view.framing.resolution
        height, width = target.pixels.shape[:2]
        texels = map_texels(view, target.slots, height, width)
        self._regions = moving_region(generated)
        reached = bilinear(texels.pixels, self._size, self._size)(self._regions.max(axis=0)) > 0
        self._texels = texels.only(reached)
        self._gather = bilinear(self._texels.pixels, self._size, self._size)
        self._neutral = self._gather(to_linear(generated.neutral))
        flat = target.pixels.reshape(-1, target.pixels.shape[2])
        self._colour = to_linear(flat[self._texels.index, :3])
        moving = np.zeros(height * width, bool)
        moving[self._texels.index] = True
        self.moving = moving.reshape(height, width)

    def paint(self, index: int) -> NDArray[np.uint8]:
        """Return the texture (H,W,C) uint8 at a source frame."""
        shown = self._where(index)(to_linear(self._generated.frames[index]))
        share = self._gather(self._regions[index]) * self._texels.trust
        here = share > 0
        factor = 1 + share[here, None] * (ratio(self._neutral[here], shown[here]) - 1)
        painted = self.target.pixels.copy()
        flat = painted.reshape(-1, painted.shape[2])
        level = np.rint(from_linear(self._colour[here] * factor) * 255)
        flat[self._texels.index[here], :3] = level.astype(np.uint8)
        return painted

    def _where(self, index: int) -> Gather:
        """Return the look-up of the texels' places in a frame."""
        if self._weights is None:
            return self._gather
        motion = projected_motion(self._view, self._weights[index])
        return bilinear(self._texels.carried(motion), self._size, self._size)


def projected_motion(view: FaceView, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far shape keys at weights (S,) move each vertex in the image, (V,2) pixels."""
    positions = view.face.surface.positions
    active = np.flatnonzero(weights)
    moved = positions + np.tensordot(weights[active], view.face.displacement[active], 1)
    return np.asarray(view.framing.project(moved)[0] - view.framing.project(positions)[0])
