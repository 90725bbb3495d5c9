"""The texture bake: what geometry cannot say, as a sequence of textures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ..character.stage import find_companions, home_scene
from ..character.view import FaceView
from ..colour import between, turned
from ..generated import Generated
from ..ocio import working_space
from .factors import Box, Factors, Light
from .gather import bilinear
from .materials import unwire_sequences, wire_sequence
from .region import feathered
from .shading import Shading
from .sheet import Change, Sheet
from .sight import cast_surfaces, sight_of, worn_by
from .stored import SUFFIX
from .targets import Target, base_colour_socket, find_targets
from .texels import TexelMap, map_texels
from .time import TimeBase

#: A texture is refused if more than this share of what moves on it is used twice.
MOST_SHARED = 0.5
#: Texels painted at once; bounds the memory.
PAINTED = 1 << 20

Report = Callable[[float], None]


@dataclass(frozen=True)
class BakedTexture:
    """One texture's sequence: `files`, one per source frame, and its `moving` texels (H,W) bool.

    `image_name` of the sequence in Blender, `colour_space` of its pictures.
    """

    name: str
    image_name: str
    files: tuple[Path, ...]
    moving: NDArray[np.bool_]
    colour_space: str = "sRGB"


@dataclass(frozen=True)
class TextureBake:
    """The baked textures of a character; those without a moving texel are not in it.

    `notes` say what was left out, a line each.
    """

    object_name: str
    folder: Path
    textures: tuple[BakedTexture, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cast:
    """The meshes of a character in a view: the face `obj` and its `companions`."""

    obj: Any
    view: FaceView
    companions: tuple[Any, ...] = field(default=())

    @staticmethod
    def of(obj: Any, view: FaceView) -> Cast:
        """Return the character's meshes, as the view was made of."""
        others = find_companions(obj, home_scene(obj))
        return Cast(obj, view, tuple(one for one in others if one.type == "MESH"))


def check_textures(obj: Any) -> None:
    """Raise `InputError` for a mesh that no texture can be baked for.

    It has no UVs, no base colour, or an image whose pixels are not there, or are in a colour space
    that no texture is painted in.
    """
    if not obj.data.uv_layers:
        raise InputError(
            f"'{obj.name}' has no UVs.", "Unwrap the mesh (UV > Unwrap), then bake again."
        )
    if not any(base_colour_socket(slot.material) for slot in obj.material_slots):
        raise InputError(
            f"'{obj.name}' has no material with a base colour.",
            "Give the face a material with a Principled shader.",
        )
    companions = (one for one in find_companions(obj, home_scene(obj)) if one.type == "MESH")
    for target in find_targets(obj, 1, tuple(companions)):
        target.check()


def bake_textures(
    obj: Any,
    view: FaceView,
    generated: Generated,
    folder: Path,
    time_base: TimeBase,
    *,
    weights: NDArray[np.float64] | None = None,
    shading: Shading | None = None,
    kind: str = "auto",
    plain_size: int = 1024,
    metadata: Mapping[str, str | Fraction] | None = None,
    report: Report = lambda share: None,
) -> TextureBake:
    """Write `folder/<texture>/000000.png...`, one per source frame, and wire them in.

    With `weights` (T,S) of baked shape keys the textures hold only what these leave over: each
    texel looks where its surface has moved to. `shading` takes gloss, and the shading of those
    shapes, out of the ratio. `kind` is "png8", "png16", "exr" or "auto" (that of the character's
    own texture). Texels that do not move are bit-identical to the character's own texture. Raises
    `InputError` if the mesh has no UVs or no material with a base colour, or for a texture most
    of which is used by two parts of the surface.
    """
    check_textures(obj)
    cast = Cast.of(obj, view)
    primaries = working_space().primaries
    factors = Factors(view, generated, primaries, weights, shading)
    painters, notes = find_painters(cast, factors, kind, plain_size, metadata or {}, primaries)
    written: list[tuple[Target, Painter, list[Path]]] = []
    for done, (target, painter) in enumerate(painters):
        into = folder / target.name
        into.mkdir(parents=True, exist_ok=True)
        files = []
        for index in range(len(factors)):
            path = into / f"{index:06d}{SUFFIX[painter.sheet.store.kind]}"
            painter.sheet.write(path, painter.paint(index))
            files.append(path)
            report((done + (index + 1) / len(factors)) / len(painters))
        written.append((target, painter, files))
    # A bake takes the place of the one before, and only when its pictures are there.
    unwire_sequences(obj, cast.companions)
    baked = []
    for target, painter, files in written:
        label = f"Microface {generated.clip_name} {target.name}"
        space = painter.sheet.store.space.name
        image = wire_sequence(target, files, label, space, time_base, float(generated.fps))
        baked.append(BakedTexture(target.name, image, tuple(files), painter.moving, space))
    return TextureBake(str(obj.name), folder, tuple(baked), notes)


def find_painters(
    cast: Cast,
    factors: Factors,
    kind: str,
    plain_size: int,
    metadata: Mapping[str, str | Fraction],
    primaries: str,
) -> tuple[list[tuple[Target, Painter]], tuple[str, ...]]:
    """Return a painter for each target with a moving texel, and what is left out, a line each.

    Raises `InputError` where overlapping UVs leave no texture to paint.
    """
    surfaces = cast_surfaces(cast.obj, cast.companions, cast.view)
    sight = sight_of(cast.view, surfaces, factors.motion)
    found, notes = [], []
    for target in find_targets(cast.obj, plain_size, cast.companions):
        worn = worn_by(cast.view, surfaces, target)
        if len(worn.triangles) == 0:
            continue
        stored, store = target.load(kind)
        height, width = stored.shape[:2]
        texels = map_texels(worn, sight, height, width, factors.reached)
        if texels.shared:
            notes.append(
                f"Two parts of the surface share {texels.shared} moving texels of '{target.name}'"
                f" (overlapping UVs), which stay as they are."
            )
        if texels.shared > MOST_SHARED * (texels.shared + len(texels.index)):
            continue
        if len(texels.index):
            sheet = Sheet(stored, store, metadata)
            found.append((target, Painter(sheet, texels, factors, primaries)))
    if notes and not found:
        raise InputError(
            notes[0],
            "Move mirrored or stacked islands to a place or a UDIM tile of their own,"
            " or bake shape keys only.",
        )
    return found, tuple(notes)


class Painter:
    """Paints one texture frame by frame; where its texels lie is worked out once."""

    def __init__(self, sheet: Sheet, texels: TexelMap, factors: Factors, primaries: str) -> None:
        self.sheet = sheet
        self._texels = texels
        self._factors = factors
        self._last: tuple[int, tuple[Box, Light] | None] | None = None
        self._size = factors.reached.shape[0]
        self._gather = bilinear(texels.pixels, self._size, self._size)
        self._blur = _pixels_per_texel(texels)
        own = sheet.store.space.primaries
        self._to_scene, self._from_scene = between(own, primaries), between(primaries, own)
        moving = np.zeros(texels.height * texels.width, bool)
        moving[texels.index] = True
        self.moving = moving.reshape(texels.height, texels.width)

    def _frame(self, index: int) -> tuple[Box, Light] | None:
        if self._last is None or self._last[0] != index:
            self._last = (index, self._factors(index))
        return self._last[1]

    @property
    def count(self) -> int:
        """How many texels may change."""
        return len(self._texels.index)

    @property
    def index(self) -> NDArray[np.int32]:
        """The flat places (N,) of the texels that may change, ascending."""
        return self._texels.index

    def factors(self, index: int) -> Callable[[NDArray[np.int64]], Light] | None:
        """Return what gives chosen texels' factors (n,3) at a source frame; None: all are 1.

        In the primaries that the scene is rendered in.
        """
        found = self._frame(index)
        if found is None:
            return None
        box, factor = found
        whole = np.ones((self._size, self._size, 3), np.float32)
        whole[box] = factor
        if self._blur:
            whole = np.stack([feathered(one, self._blur) for one in whole.transpose(2, 0, 1)], -1)

        def at(texels: NDArray[np.int64]) -> Light:
            beyond = self._gather(whole, texels) - 1
            return np.asarray(1 + self._texels.trust[texels, None] * beyond, np.float32)

        return at

    def paint(self, index: int) -> Change:
        """Return what the texture shows anew at a source frame."""
        found, factors = self._frame(index), self.factors(index)
        if found is None or factors is None:
            return Change(self._texels.index[:0], self.sheet.stored[:0, 0, :3])
        here = np.flatnonzero(self._near(found[0]))
        values = np.empty((len(here), 3), self.sheet.store.type)
        for first in range(0, len(here), PAINTED):
            at = here[first : first + PAINTED]
            values[first : first + PAINTED] = self.multiplied(at, factors(at))
        return Change(self._texels.index[here], values)

    def multiplied(self, texels: NDArray[np.int64], factor: Light) -> NDArray[Any]:
        """Return the stored values (n,3) of chosen texels, their light times factors (n,3)."""
        index = self._texels.index[texels]
        light = turned(self.sheet.colour(index), self._to_scene) * factor
        painted = self.sheet.store.encode(turned(light, self._from_scene))
        flat = self.sheet.stored.reshape(-1, self.sheet.stored.shape[2])
        still = (factor == 1).all(axis=1)[:, None]
        return np.where(still, flat[index, :3], painted)

    def _near(self, box: Box) -> NDArray[np.bool_]:
        """Return which texels look up pixels of a box."""
        row, column = np.divmod(self._gather.first, np.int32(self._size))
        margin = 1 + self._blur
        return np.asarray(
            (row >= box[0].start - margin)
            & (row < box[0].stop + margin)
            & (column >= box[1].start - margin)
            & (column < box[1].stop + margin)
        )


def _pixels_per_texel(texels: TexelMap) -> int:
    """Return how many pixels to blur by where a texel covers several of them."""
    beside = np.diff(texels.index) == 1
    if not beside.any():
        return 0
    step = np.linalg.norm(np.diff(texels.pixels, axis=0)[beside], axis=1)
    return int(max(0, round((float(np.median(step)) - 1) / 2)))
