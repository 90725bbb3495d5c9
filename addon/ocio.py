"""What the OpenColorIO configuration that Blender runs with calls things, and what it renders in.

Blender's own configuration and the Academy's differ in names: of colour spaces, displays, views.
"""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .colour import PRIMARIES, SPACES, ColourSpace, between, colour_space
from .exr import assemble, encode_blocks

#: Display and view that show linear light as plain sRGB: Blender's, and the Academy's.
PLAIN_VIEWS = (("sRGB", "Standard"), ("sRGB - Display", "Un-tone-mapped"))
#: Two matrices between primaries are the same if their entries differ by no more than this.
SAME = 4e-3


def set_space(image: Any, space: ColourSpace) -> None:
    """Let an image be read in a colour space, by whatever name the configuration has for it.

    Raises `InputError` where it has none.
    """
    like = [one.name for one in SPACES.values() if _key(one) == _key(space)]
    for name in (space.name, *like):
        try:
            image.colorspace_settings.name = name
        except TypeError:
            continue
        return
    raise InputError(
        f"The OpenColorIO configuration has no colour space like {space.name}.",
        "Use Blender's own configuration, or the Academy's (OCIO environment variable).",
    )


def show_plainly(scene: Any) -> None:
    """Let a scene be shown as plain sRGB: no tone mapping, no look, no exposure, no gamma.

    Raises `InputError` where the configuration has no such view.
    """
    settings = scene.view_settings
    for display, view in PLAIN_VIEWS:
        try:
            scene.display_settings.display_device = display
            settings.view_transform = view
        except TypeError:
            continue
        settings.look, settings.exposure, settings.gamma = "None", 0.0, 1.0
        return
    raise InputError(
        "The OpenColorIO configuration has no view that shows linear light as plain sRGB.",
        "Use Blender's own configuration, or one of OpenColorIO 2 with the view Un-tone-mapped.",
    )


def working_space() -> ColourSpace:
    """Return the linear space that Blender renders in (Linear Rec.709, ACEScg, ...).

    The file's own from Blender 5.0 on, before that the configuration's. Raises `InputError` for
    one that textures cannot be taken to.
    """
    of_file = getattr(bpy.data, "colorspace", None)
    if of_file is not None:
        return colour_space(str(of_file.working_space), "the scene")
    linear = [one for one in SPACES.values() if one.linear and one.primaries]
    probe = bpy.data.images.new("Microface", 3, 1, float_buffer=True)
    try:
        known, seen = _probed(probe, linear)
    finally:
        bpy.data.images.remove(probe)
    for primaries in PRIMARIES:
        matrix = between(known.primaries, primaries)
        if np.abs(seen - (np.eye(3) if matrix is None else matrix)).max() < SAME:
            return next(one for one in linear if one.primaries == primaries)
    raise InputError(
        "Blender renders in primaries that textures cannot be taken to.",
        "Use a configuration that renders in Linear Rec.709, ACEScg, ACES2065-1 or Rec.2020.",
    )


def _probed(probe: Any, linear: list[ColourSpace]) -> tuple[ColourSpace, NDArray[np.float64]]:
    """Return a space that the configuration has, and the matrix from it to the scene's light.

    Blender did not say before 5.0 what it renders in, but it reads pictures into that. `probe` is
    an image 3 pixels wide.
    """
    data = b"".join(assemble(encode_blocks(np.eye(3, dtype=np.float16)[None]), 1, 3, 3, {}))
    probe.pack(data=data, data_len=len(data))
    probe.source = "FILE"
    for one in linear:
        try:
            probe.colorspace_settings.name = one.name
        except TypeError:
            continue
        flat = np.empty(12, np.float32)
        probe.pixels.foreach_get(flat)
        return one, flat.reshape(3, 4)[:, :3].T.astype(np.float64)
    raise InputError(
        "The OpenColorIO configuration has no linear space that Microface knows.",
        "Use one with Linear Rec.709 or ACEScg (OCIO environment variable).",
    )


def _key(space: ColourSpace) -> tuple[str, str]:
    return space.curve, space.primaries
