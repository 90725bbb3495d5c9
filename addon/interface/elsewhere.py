"""Work of the panel that a second Blender does, and what becomes of it."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from ...drafts import make_draft
from ..bake.shape_keys import ShapeKeyBake
from ..bake.texture import check_textures
from ..character.stage import home_scene
from ..generated import Generated
from ..retarget.prepare import check, view_of
from .aside import start_aside
from .chosen import texture_start
from .desk import Order, desk
from .parcel import read_prepared, write_bake, write_generated
from .wiring import wire_later


def neutral_elsewhere(
    obj: Any,
    resolution: int,
    server: str,
    clip: str,
    label: str,
    fps: Fraction | None,
    strength: float,
) -> None:
    """Have the face framed and its neutral rendered by a second Blender, then generate."""
    check(obj, quick=True)

    def generate(folder: Path, outcome: dict[str, Any]) -> None:
        desk().start(server, Order(read_prepared(folder), clip, label, fps, strength))

    settings = where(obj) | {"resolution": resolution}
    desk().begin_aside(start_aside("neutral", "Rendering the neutral", settings, generate))


def textures_elsewhere(
    obj: Any, generated: Generated, settings: Any, over: ShapeKeyBake | None
) -> None:
    """Have textures baked by a second Blender, then wire them with an undo step of their own."""
    from .. import api

    check_textures(obj)
    view_of(obj, generated)  # refuses a character that was edited since
    into = api.output_folder() / "texture" / generated.clip_name
    draft = make_draft(into)
    start = texture_start(settings, over)
    job = where(obj) | {
        "into": str(draft),
        "start_frame": start,
        "size": settings.texture_size,
        "format": settings.texture_format,
    }
    name, size = str(obj.name), int(settings.texture_size)

    def pack(folder: Path) -> None:
        write_generated(folder, generated)
        if over is not None:
            write_bake(folder, over)

    def wire(folder: Path, outcome: dict[str, Any]) -> None:
        moving = [
            np.load(folder / f"moving-{number}.npy") for number in range(len(outcome["textures"]))
        ]
        for one in outcome["textures"]:
            one["files"] = [str(into / Path(path).relative_to(draft)) for path in one["files"]]
        _exchange(draft, into)
        wire_later(name, generated, over, into, outcome, moving, size, start)

    desk().begin_aside(start_aside("texture", "Baking textures", job, wire, pack, draft))


def where(obj: Any) -> dict[str, Any]:
    """Return which character is meant in a copy of the open file, and when."""
    scene = home_scene(obj)
    frame = float(scene.frame_current) + float(scene.frame_subframe)
    return {"object": str(obj.name), "scene": str(scene.name), "frame": frame}


def _exchange(draft: Path, into: Path) -> None:
    """Put a draft in the place of an earlier folder, which goes away."""
    old = draft.with_name(f"{draft.name}-old")
    if into.exists():
        into.rename(old)
    draft.chmod(0o755)
    draft.rename(into)
    shutil.rmtree(old, ignore_errors=True)
