"""The edge-map pass: the network's edges as an image sequence, as seen and in texture space."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..character.view import FaceView
from ..generated import Generated
from ..images import write_png
from .materials import Target
from .texels import bilinear, map_texels


@dataclass(frozen=True)
class EdgeBake:
    """`screen` pictures as seen from the framing and `texture` pictures per texture name."""

    folder: Path
    screen: tuple[Path, ...]
    texture: dict[str, tuple[Path, ...]]


def bake_edge_maps(
    view: FaceView, generated: Generated, targets: list[Target], folder: Path, size: int
) -> EdgeBake:
    """Write `folder/screen/000000.png...` and `folder/<texture>/000000.png...`, grey 8 bit.

    The second is the same edges gathered into texture space (`size` high, the texture's own
    shape), 0 on hidden texels: a mask for wrinkle maps. Linear data, not colour.
    """
    (folder / "screen").mkdir(parents=True, exist_ok=True)
    screen = []
    for index, edge in enumerate(generated.edges):
        path = folder / "screen" / f"{index:06d}.png"
        write_png(path, edge)
        screen.append(path)
    resolution = view.framing.resolution
    texture: dict[str, tuple[Path, ...]] = {}
    for target in targets:
        height, width = target.pixels.shape[:2]
        tall, wide = size, max(1, round(size * width / height))
        texels = map_texels(view, target.slots, tall, wide)
        if len(texels.index) == 0:
            continue
        look_up = bilinear(texels.pixels, resolution, resolution)
        into = folder / target.name
        into.mkdir(exist_ok=True)
        files = []
        for index, edge in enumerate(generated.edges):
            flat = np.zeros(tall * wide, np.uint8)
            level = look_up(edge.astype(np.float32)) * texels.trust
            flat[texels.index] = np.rint(level).astype(np.uint8)
            path = into / f"{index:06d}.png"
            write_png(path, flat.reshape(tall, wide))
            files.append(path)
        texture[target.name] = tuple(files)
    return EdgeBake(folder, tuple(screen), texture)
