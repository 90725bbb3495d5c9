"""Work of the panel that a second Blender does, and what becomes of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ...drafts import make_draft
from ...server.client import Performance
from ..bake.shape_keys import ShapeKeyBake
from ..bake.texture import check_textures
from ..bake.time import TimeBase
from ..character.stage import home_scene
from ..generated import Generated
from ..retarget.prepare import check
from .aside import start_aside
from .chosen import texture_start
from .desk import Order, desk
from .parcel import read_prepared, write_bake, write_generated
from .wiring import Waiting, show_maps, show_textures, wire_later


def neutral_elsewhere(
    obj: Any, resolution: int, server: str, asked: Performance, label: str
) -> None:
    """Have the face framed and its neutral rendered by a second Blender, then generate."""
    check(obj, quick=True)

    def generate(folder: Path, outcome: dict[str, Any]) -> None:
        desk().start(server, Order(read_prepared(folder), asked, label))

    settings = where(obj) | {"resolution": resolution}
    desk().begin_aside(start_aside("neutral", "Rendering the neutral", settings, generate))


def textures_elsewhere(
    obj: Any, generated: Generated, settings: Any, over: ShapeKeyBake | None
) -> None:
    """Have textures baked by a second Blender, then wire them with an undo step of their own."""
    waiting = _waiting("texture", obj, generated, settings, over, show_textures)
    _bake_elsewhere("Baking textures", "texture", settings.texture_format, obj, waiting)


def maps_elsewhere(
    obj: Any, generated: Generated, settings: Any, over: ShapeKeyBake | None, kind: str
) -> None:
    """Have wrinkle maps of a `kind` of file baked by a second Blender, then wire them likewise."""
    waiting = _waiting("wrinkles", obj, generated, settings, over, show_maps)
    _bake_elsewhere("Baking wrinkle maps", "maps", kind, obj, waiting)


def _waiting(
    folder: str,
    obj: Any,
    generated: Generated,
    settings: Any,
    over: ShapeKeyBake | None,
    wire: Callable[[Any, TimeBase, Waiting], None],
) -> Waiting:
    from .. import api

    into = api.output_folder() / folder / generated.clip_name
    size, start = int(settings.texture_size), texture_start(settings, over)
    return Waiting(str(obj.name), generated, over, into, {}, [], size, start, wire)


def _bake_elsewhere(stage: str, job: str, kind: str, obj: Any, waiting: Waiting) -> None:
    check_textures(obj)
    draft = make_draft(waiting.into)
    asked = where(obj) | {
        "into": str(draft),
        "start_frame": waiting.start_frame,
        "size": waiting.size,
        "format": kind,
    }

    def pack(folder: Path) -> None:
        write_generated(folder, waiting.generated)
        if waiting.over is not None:
            write_bake(folder, waiting.over)

    def wire(folder: Path, outcome: dict[str, Any]) -> None:
        waiting.outcome = outcome
        count = len(list(folder.glob("array-*.npy")))
        waiting.arrays = [np.load(folder / f"array-{number}.npy") for number in range(count)]
        _exchange(draft, waiting.into)
        wire_later(waiting)

    desk().begin_aside(start_aside(job, stage, asked, wire, pack, draft))


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
