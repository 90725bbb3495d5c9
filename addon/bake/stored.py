"""How a texture's values are stored: the kind of file, its type, its colour space."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ..colour import SRGB, ColourSpace, colour_space
from ..images import ROWS, image_floats, quantised, raw_copy
from ..ocio import working_space

#: Kinds of files by their names in the API: 8- and 16-bit PNG, OpenEXR of half floats.
KINDS = ("png8", "png16", "exr")
SUFFIX = {"png8": ".png", "png16": ".png", "exr": ".exr"}
_TYPES: dict[str, type[Any]] = {"png8": np.uint8, "png16": np.uint16, "exr": np.float16}
#: The linear space of each set of primaries, and the one that whole levels can hold.
_LINEAR_OF = {
    "Rec.709": "Linear Rec.709",
    "AP1": "ACEScg",
    "AP0": "ACES2065-1",
    "Rec.2020": "Linear Rec.2020",
    "P3": "Linear DCI-P3 D65",
    "": "Non-Color",
}
_BENT_OF = {"Rec.709": "sRGB", "P3": "Display P3", "": "Non-Color"}


@dataclass(frozen=True)
class Store:
    """A kind of file with a colour space: how light becomes stored values, and back."""

    kind: str
    space: ColourSpace

    @property
    def type(self) -> type[Any]:
        """The numpy type of stored values."""
        return _TYPES[self.kind]

    @property
    def white(self) -> float:
        """The stored value of 1."""
        return 1.0 if self.kind == "exr" else float(np.iinfo(self.type).max)

    def decode(self, stored: NDArray[Any]) -> NDArray[np.float32]:
        """Return stored values as linear light in the space's own primaries."""
        if self.kind == "exr":
            return stored.astype(np.float32)
        if stored.dtype == np.uint8:
            levels = np.arange(256, dtype=np.float32) / np.float32(255)
            return np.asarray(self.space.decode(levels)[stored], np.float32)
        return self.space.decode(stored.astype(np.float32) / np.float32(65535))

    def encode(self, light: NDArray[np.floating[Any]]) -> NDArray[Any]:
        """Return linear light in the space's own primaries as stored values.

        Whole levels are clipped to their range; half floats to the largest finite one.
        """
        if self.kind == "exr":
            return np.clip(light, -65504, 65504).astype(np.float16)
        most = np.float32(np.iinfo(self.type).max)
        levels = np.rint(np.clip(self.space.encode(light), 0, 1) * most)
        return np.asarray(levels, self.type)


def store_for(kind: str, space: ColourSpace, owner: str) -> Store:
    """Return how a texture of a colour space is stored in a kind of file.

    Half floats hold linear light. Whole levels hold the space itself, or the bent one of its
    primaries where it is linear. Raises `InputError` where there is none.
    """
    if kind not in KINDS:
        raise InputError(f"'{kind}' is no format.", f"Choose one of {', '.join(KINDS)}.")
    if kind == "exr":
        return Store(kind, colour_space(_LINEAR_OF[space.primaries], owner))
    if not space.linear:
        return Store(kind, space)
    if space.primaries not in _BENT_OF:
        raise InputError(
            f"PNG cannot hold {owner} in {space.name} without banding.", "Choose OpenEXR (exr)."
        )
    return Store(kind, colour_space(_BENT_OF[space.primaries], owner))


def natural_kind(image: Any) -> str:
    """Return the kind of file that holds an image's own precision."""
    if not image.is_float:
        return "png8"
    return "png16" if image.file_format in {"PNG", "TIFF"} else "exr"


def stored_values(image: Any, kind: str) -> tuple[NDArray[Any], Store]:
    """Return an image's values (H,W,3 or 4) as a kind of file stores them, and how.

    "auto" takes the image's own precision. Exact where the kind holds it: levels of 8 bit in 8
    and 16 bit, of 16 bit in 16. Alpha is left out where it is 1 all over.
    """
    space = colour_space(image.colorspace_settings.name, f"'{image.name}'")
    store = store_for(natural_kind(image) if kind == "auto" else kind, space, f"'{image.name}'")
    if not image.is_float:
        return _converted(quantised(image_floats(image), np.uint8), space, store), store
    if image.source == "GENERATED" or image.is_dirty:
        return _converted(image_floats(image), working_space(), store), store
    copy = raw_copy(image)
    try:
        return _converted(image_floats(copy), space, store), store
    finally:
        bpy.data.images.remove(copy)


def _converted(values: NDArray[Any], space: ColourSpace, store: Store) -> NDArray[Any]:
    """Return values (H,W,4), levels or 0..1, of a space as a store has them, by rows."""
    opaque = 255 if values.dtype == np.uint8 else 1.0
    channels = 3 if bool((values[..., 3] == opaque).all()) else 4
    if values.dtype == store.type and space == store.space:
        return np.ascontiguousarray(values[..., :channels])
    stored = np.empty((*values.shape[:2], channels), store.type)
    for top in range(0, len(values), ROWS):
        part = values[top : top + ROWS, :, :channels]
        unit = part / np.float32(255) if part.dtype == np.uint8 else part
        light = space.decode(unit[..., :3])
        stored[top : top + ROWS, :, :3] = store.encode(light)
        if channels == 4:
            whole = np.iinfo(store.type).max if store.kind != "exr" else 1
            alpha = np.clip(unit[..., 3], 0, 1) * whole
            stored[top : top + ROWS, :, 3] = alpha if store.kind == "exr" else np.rint(alpha)
    return stored


def plain_values(colour: NDArray[np.float32], size: int, kind: str) -> tuple[NDArray[Any], Store]:
    """Return a square texture (size,size,3) of one colour, linear Rec.709, and its store."""
    store = store_for("png8" if kind == "auto" else kind, SRGB, "a plain colour")
    return np.broadcast_to(store.encode(colour), (size, size, 3)).copy(), store


def check_tile(image: Any, number: int) -> None:
    """Raise `InputError` for a UDIM tile that is neither on disk nor packed."""
    if image.is_dirty or not (_packed(image, number) or _tile_path(image, number).is_file()):
        raise InputError(
            f"Tile {number} of '{image.name}' is not on disk.",
            "Save the image's tiles first (Image > Save All Images).",
        )


@contextmanager
def tile_image(image: Any, number: int) -> Iterator[Any]:
    """Give one tile of a UDIM image as an image of its own, for as long as the block runs.

    Blender shows only the first tile's pixels. Raises `InputError` for a tile without a file.
    """
    check_tile(image, number)
    with TemporaryDirectory(prefix="microface-") as folder:
        path, packed = _tile_path(image, number), _packed(image, number)
        if packed:
            path = Path(folder) / Path(packed[0].filepath.replace("\\", "/")).name
            path.write_bytes(packed[0].data)
        one = bpy.data.images.load(str(path))
        try:
            one.colorspace_settings.name = image.colorspace_settings.name
            one.alpha_mode = image.alpha_mode
            yield one
        finally:
            bpy.data.images.remove(one)


def _tile_path(image: Any, number: int) -> Path:
    return Path(bpy.path.abspath(image.filepath_raw.replace("<UDIM>", str(number))))


def _packed(image: Any, number: int) -> list[Any]:
    return [one for one in image.packed_files if f"{number}" in Path(one.filepath).name]
