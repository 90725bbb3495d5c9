"""Write a bake's pictures, to play in the materials or to be taken elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .bake.edges import EdgeBake, bake_edge_maps
from .bake.flipbook import Flipbook, flip
from .bake.materials import unwire_sequences
from .bake.shading import Shading, render_shading
from .bake.shape_keys import ShapeKeyBake
from .bake.targets import find_targets
from .bake.texture import Cast, TextureBake, bake_textures, check_textures
from .bake.time import scene_time
from .bake.wrinkle_nodes import bake_maps
from .bake.wrinkles import EXPLAINED, MOST_MAPS, WrinkleMaps
from .character.stage import find_companions, home_scene
from .character.view import FaceView
from .generated import Generated
from .retarget.prepare import view_of


def bake_texture(
    obj: Any,
    generated: Generated,
    folder: Path | None = None,
    start_frame: float = 1.0,
    size: int = 1024,
    over: ShapeKeyBake | None = None,
    report: Callable[[float], None] = lambda share: None,
    *,
    kind: str = "auto",
    shaded: bool = True,
) -> TextureBake:
    """Write the change of the skin as a texture sequence and wire it into the materials.

    One picture per source frame in `folder/<texture>/` (default: beside the saved file), at
    the size of the character's own texture, or `size` a side where the colour is plain. `kind` is
    "png8", "png16", "exr" (half float, linear) or "auto", that of the character's own texture.
    Texels that do not move stay bit-identical. Played by the scene's frame from `start_frame` on.
    With `over` a bake of shape keys that plays too, the textures hold only what these leave over.
    `shaded` renders the character once without its colours, and its solved shapes at up to three
    frames, to keep gloss and shading out of the textures.
    """
    into = folder or output_folder() / "texture" / generated.clip_name
    base = scene_time(home_scene(obj), start_frame)
    view = view_of(obj, generated)
    weights = None if over is None else over.weights
    check_textures(obj)
    shading = _shading(obj, view, generated, size, weights) if shaded else None
    return bake_textures(
        obj,
        view,
        generated,
        into,
        base,
        weights=weights,
        shading=shading,
        kind=kind,
        plain_size=size,
        metadata=_metadata(generated),
        report=report,
    )


def bake_wrinkle_maps(
    obj: Any,
    generated: Generated,
    folder: Path | None = None,
    start_frame: float = 1.0,
    size: int = 1024,
    over: ShapeKeyBake | None = None,
    *,
    kind: str = "png16",
    explained: float = EXPLAINED,
    most: int = MOST_MAPS,
    shaded: bool = True,
) -> tuple[WrinkleMaps, ...]:
    """Reduce the change of the skin to a few maps with a curve each, and wire them to play.

    One picture a map in `folder/<texture>/` (default: beside the saved file), with their curves in
    `wrinkles.json` and `wrinkles.csv`; keyed values of a node group weigh them in the material. As
    many maps, up to `most`, as it takes to explain the share `explained` (0..1) of what is left
    over `over`, a bake of shape keys that plays too: less what a slight misplacement of these could
    have made. A texture on which nothing is seen then has no maps. `kind` is "png16" or "exr"; else
    as `bake_texture`, whose place in the materials it takes. Raises `InputError` like it.
    """
    into = folder or output_folder() / "wrinkles" / generated.clip_name
    view = view_of(obj, generated)
    weights = None if over is None else over.weights
    check_textures(obj)
    shading = _shading(obj, view, generated, size, weights) if shaded else None
    return bake_maps(
        Cast.of(obj, view),
        generated,
        into,
        scene_time(home_scene(obj), start_frame),
        weights=weights,
        shading=shading,
        kind=kind,
        plain_size=size,
        explained=explained,
        most=most,
        provenance=_provenance(generated),
    )


def _shading(
    obj: Any,
    view: FaceView,
    generated: Generated,
    size: int,
    weights: NDArray[np.float64] | None,
) -> Shading:
    targets = find_targets(obj, size, Cast.of(obj, view).companions)
    return render_shading(obj, generated.scene_frame, generated.framing, targets, weights)


def _metadata(generated: Generated) -> dict[str, str | Fraction]:
    """Return what an EXR file says of where it comes from."""
    return {
        "framesPerSecond": generated.fps,
        "software": "Microface",
        "comments": json.dumps(_provenance(generated), sort_keys=True),
    }


def bake_edges(
    obj: Any,
    generated: Generated,
    folder: Path | None = None,
    size: int = 512,
    kind: str = "png8",
) -> EdgeBake:
    """Write the edge maps as an image sequence, as seen and in texture space `size` high.

    Grey and linear; `kind` of the latter is "png8", "png16" or "exr".
    """
    into = folder or output_folder() / "edges" / generated.clip_name
    return bake_edge_maps(Cast.of(obj, view_of(obj, generated)), generated, into, size, kind)


def bake_flipbook(
    bake: TextureBake, generated: Generated, folder: Path | None = None, tile_height: int = 256
) -> list[Flipbook]:
    """Write each baked texture as one picture of tiles with a JSON sidecar, for game engines.

    In the kind of file of its sequence: sRGB levels for colour, half floats for linear light.
    """
    into = folder or output_folder() / "flipbook"
    provenance = _provenance(generated)
    return [
        flip(into, f"{generated.clip_name}_{one.name}", one, generated.fps, tile_height, provenance)
        for one in bake.textures
    ]


def unbake_texture(obj: Any) -> int:
    """Take every baked texture out of a character's materials; returns how many there were."""
    others = [one for one in find_companions(obj, home_scene(obj)) if one.type == "MESH"]
    return unwire_sequences(obj, others)


def output_folder() -> Path:
    """Return the folder beside the saved file that a bake's pictures go to.

    Raises `InputError` if the file was never saved.
    """
    if not bpy.data.filepath:
        raise InputError(
            "The file has not been saved, so there is no place beside it for pictures.",
            "Save the file first (Ctrl S).",
        )
    path = Path(bpy.data.filepath)
    return path.with_name(f"{path.stem}_microface")


def _provenance(generated: Generated) -> dict[str, Any]:
    """Return where pictures come from: the clip, and what is plain of the result's table."""
    plain = {k: v for k, v in generated.result.items() if isinstance(v, str | int | float | bool)}
    return {"clip": generated.clip_name, **plain}
