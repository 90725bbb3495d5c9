"""The edge-map pass: the network's edges as an image sequence, as seen and in texture space."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..colour import DATA
from ..generated import Generated
from ..images import write_png
from .gather import bilinear
from .sheet import Change, Sheet
from .sight import cast_surfaces, sight_of, worn_by
from .stored import SUFFIX, Store
from .targets import find_targets
from .texels import map_texels
from .texture import Cast


@dataclass(frozen=True)
class EdgeBake:
    """`screen` pictures as seen from the framing and `texture` pictures per texture name."""

    folder: Path
    screen: tuple[Path, ...]
    texture: dict[str, tuple[Path, ...]]


def bake_edge_maps(
    cast: Cast, generated: Generated, folder: Path, size: int, kind: str = "png8"
) -> EdgeBake:
    """Write `folder/screen/000000.png...` and `folder/<texture>/000000...`, grey.

    The second is the same edges gathered into texture space (`size` high, the texture's own
    shape), 0 on hidden texels: a mask for wrinkle maps. Linear data, not colour, 8 bit as seen and
    of any `kind` of file in texture space.
    """
    (folder / "screen").mkdir(parents=True, exist_ok=True)
    screen = []
    for index, edge in enumerate(generated.edges):
        path = folder / "screen" / f"{index:06d}.png"
        write_png(path, edge)
        screen.append(path)
    surfaces = cast_surfaces(cast.obj, cast.companions, cast.view)
    sight = sight_of(cast.view, surfaces, generated.motion)
    resolution = cast.view.framing.resolution
    texture: dict[str, tuple[Path, ...]] = {}
    store = Store(kind, DATA)
    for target in find_targets(cast.obj, size, cast.companions):
        height, width = target.shape
        tall, wide = size, max(1, round(size * width / height))
        texels = map_texels(worn_by(cast.view, surfaces, target), sight, tall, wide)
        if len(texels.index) == 0:
            continue
        look_up = bilinear(texels.pixels, resolution, resolution)
        sheet = Sheet(np.zeros((tall, wide, 1), store.type), store, {})
        into = folder / target.name
        into.mkdir(exist_ok=True)
        files = []
        for index, edge in enumerate(generated.edges):
            level = look_up(edge.astype(np.float32) / np.float32(255)) * texels.trust
            path = into / f"{index:06d}{SUFFIX[kind]}"
            sheet.write(path, Change(texels.index, store.encode(level[:, None])))
            files.append(path)
        texture[target.name] = tuple(files)
    return EdgeBake(folder, tuple(screen), texture)
