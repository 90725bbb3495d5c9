"""Put a source clip's expression on a character: what `api.generate` does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..server.client import Client, Performance
from ..server.protocol.regions import EVEN_MIX
from .clips import clip_label
from .generated import Generated
from .retarget.connection import connect
from .retarget.prepare import Prepared, check, prepare_views
from .retarget.session import Event, Session


def generate(
    obj: Any,
    clip: str | Path,
    fps: Fraction | None = None,
    strength: float = 1.0,
    server: str | Client | None = None,
    resolution: int = 512,
    on_event: Callable[[Event], None] | None = None,
    views: Sequence[str] = ("front",),
    *,
    gains: str = "",
    timing: str = "",
    rest: int | str | Path | None = None,
    second: str | Path | None = None,
    second_fps: Fraction | None = None,
    mix: str = EVEN_MIX,
    align: str = "moments",
    face: str = "largest",
    spectacles: str = "still",
) -> Generated:
    """Put a source clip's expression on a character's neutral picture; returns `Generated`.

    `obj` the mesh object with facial shape keys; `clip` a video, a folder of frames, or
    `builtin:NAME`; `fps` of the clip where it does not know its own; `strength` 0.05 to 4 scales
    the motion; `server` an address like `tcp://127.0.0.1:5757`, an open client, or None to start
    an embedded one and stop it at the end; `resolution` 128 to 4096 pixels a side. `on_event`
    hears of progress. `views` are the sides that the face is seen from (see `VIEWS`): each has a
    neutral and a generation of its own; the first is what is returned, with the `others` in it.

    `gains`, `timing`, `rest`, `second` and how it goes in, `face` and `spectacles` are as in
    `Performance`: regions of the face like "brows=2, left=0.5", times like "duration=0.3,
    apex=0.12", the frame or picture in which the source rests, a second clip with how much of it
    there is, like "0.3" or "lips=1", which of several faces in the source is meant, like "right",
    and whether spectacles on the character stay "still" or "move" with the face.
    Raises `InputError` for a character or clip that cannot be used and `RunError` when the server
    fails.
    """
    asked = Performance(
        str(clip), fps, strength, gains, timing, rest, second, second_fps, mix, align, face,
        spectacles,
    )  # fmt: skip
    clip_label(str(clip))  # Raises for a clip that is not there, before anything is rendered.
    asked.check()
    check(obj)
    with connect(server) as client:
        prepared = prepare_views(obj, resolution, views)
        return performed(client, prepared, asked, on_event)


def performed(
    client: Client,
    views: Sequence[Prepared],
    asked: Performance,
    on_event: Callable[[Event], None] | None,
) -> Generated:
    """Let a server put a clip on each view of a face; the first holds the others."""
    label = clip_label(str(asked.clip))
    first, *others = (Session(client, prepared, asked, label).pump(on_event) for prepared in views)
    return replace(first, others=tuple(others))
