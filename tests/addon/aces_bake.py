"""Bake a reddening cheek under whatever working space Blender was started with.

    python aces_bake.py OUT.npz

Run by a test with the OCIO environment variable set: Blender reads it only at its start. Writes
`neutral`, `frame` and `render` of the baked file (uint8), `texel` (the baked texture, uint16), the
`moving` texels, where the `patch` is, and the name of the working `space`.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bpy
import heads
import numpy as np
import synthetic
from microface.addon.bake.texture import bake_textures
from microface.addon.bake.time import TimeBase
from microface.addon.character.neutral import render_frame
from microface.addon.ocio import working_space
from microface.addon.png import read_own_png

#: A patch of the picture gets so much redder: shares of linear light of red, green, blue.
PATCH = (slice(78, 98), slice(70, 92))
REDDER = (1.05, 0.6, 0.65)


def main(out: str) -> None:
    """Bake and write what came of it."""
    from microface.addon.images import from_linear, to_linear

    bpy.ops.wm.read_factory_settings(use_empty=True)
    mask = heads.mask()
    view, still = synthetic.generate(mask, np.zeros((2, 6)), resolution=160, samples=16)
    frames, motion = still.frames.copy(), still.motion.copy()
    redder = from_linear(to_linear(still.neutral[PATCH]) * np.array(REDDER, np.float32))
    frames[1][PATCH] = np.rint(redder * 255)
    motion[1][PATCH] = 0.5
    generated = replace(still, frames=frames, motion=motion)
    base = TimeBase(Fraction(200), 1)
    with tempfile.TemporaryDirectory() as folder:
        bake = bake_textures(mask, view, generated, Path(folder), base, kind="png16")
        render = render_frame(mask, generated.framing, 2, samples=16)
        (texture,) = bake.textures
        texel = read_own_png(texture.files[1])
    patch = np.zeros(generated.neutral.shape[:2], bool)
    inner = tuple(slice(side.start + 4, side.stop - 4) for side in PATCH)
    patch[inner] = True
    np.savez(
        out,
        neutral=generated.neutral,
        frame=frames[1],
        render=render,
        texel=texel,
        moving=texture.moving,
        patch=patch,
        space=working_space().name,
    )


if __name__ == "__main__":
    main(sys.argv[1])
