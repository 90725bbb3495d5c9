"""The public Python API: generate a clip's expression on a character, then bake it.

Operators, commands and farm jobs are thin callers of these functions. All of them work with and
without a window, block until done, and leave the user's scene as it was apart from what they are
asked to make.

    import bpy
    from microface.addon import api

    face = bpy.data.objects["Face"]
    generated = api.generate(face, "clips/smile.mp4", strength=0.3)
    api.bake_shape_keys(face, generated, start_frame=101)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..server.client import Client, Performance
from ..server.protocol.regions import EVEN_MIX
from .bake.asking import pose_problem, solve_channels
from .bake.edges import EdgeBake, bake_edge_maps
from .bake.edit import BakeInfo, edit_bake, list_bakes, remove_bake
from .bake.flipbook import Flipbook, flip
from .bake.materials import unwire_sequences
from .bake.problem import Solved, SolveInput, Solver
from .bake.retime import Timing
from .bake.shading import Shading, render_shading
from .bake.shape_keys import ShapeKeyBake, key_weights, unbake_shape_keys
from .bake.shot_sheet import Row, read_sheet
from .bake.sides import sides_by_motion
from .bake.targets import find_targets
from .bake.texture import Cast, TextureBake, bake_textures, check_textures
from .bake.time import TOLERANCE, scene_fps, scene_time
from .bake.wrinkle_nodes import bake_maps
from .bake.wrinkles import EXPLAINED, MOST_MAPS, WrinkleMaps
from .character.channels import Channel, face_channels
from .character.fixes import fix
from .character.neutral import render_frame
from .character.preflight import Finding, preflight
from .character.stage import find_companions, home_scene
from .character.view import FaceView
from .clips import clip_label
from .generated import Generated
from .retarget.connection import connect
from .retarget.prepare import VIEWS, Prepared, check, prepare_views, view_of, views_of
from .retarget.session import Event, Session
from .retarget.solving import server_solver

__all__ = [
    "VIEWS",
    "BakeInfo",
    "Channel",
    "Finding",
    "Generated",
    "Performance",
    "Timing",
    "bake_edges",
    "bake_flipbook",
    "bake_shape_keys",
    "bake_sheet",
    "bake_texture",
    "bake_wrinkle_maps",
    "edit_bake",
    "face_channels",
    "fix",
    "generate",
    "list_bakes",
    "output_folder",
    "preflight",
    "remove_bake",
    "render_frame",
    "unbake_shape_keys",
    "unbake_texture",
]


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
) -> Generated:
    """Put a source clip's expression on a character's neutral picture; returns `Generated`.

    `obj` the mesh object with facial shape keys; `clip` a video, a folder of frames, or
    `builtin:NAME`; `fps` of the clip where it does not know its own; `strength` 0.05 to 4 scales
    the motion; `server` an address like `tcp://127.0.0.1:5757`, an open client, or None to start
    an embedded one and stop it at the end; `resolution` 128 to 4096 pixels a side. `on_event`
    hears of progress. `views` are the sides that the face is seen from (see `VIEWS`): each has a
    neutral and a generation of its own; the first is what is returned, with the `others` in it.

    `gains`, `timing`, `rest`, `second` and how it goes in, and `face` are as in `Performance`:
    regions of the face like "brows=2, left=0.5", times like "duration=0.3, apex=0.12", the frame or
    picture in which the source rests, a second clip with how much of it there is, like "0.3" or
    "lips=1", and which of several faces in the source is meant, like "right".
    Raises `InputError` for a character or clip that cannot be used and `RunError` when the server
    fails.
    """
    asked = Performance(
        str(clip), fps, strength, gains, timing, rest, second, second_fps, mix, align, face
    )
    clip_label(str(clip))  # Raises for a clip that is not there, before anything is rendered.
    asked.check()
    check(obj)
    with connect(server) as client:
        prepared = prepare_views(obj, resolution, views)
        return _generated(client, prepared, asked, on_event)


def _generated(
    client: Client,
    views: Sequence[Prepared],
    asked: Performance,
    on_event: Callable[[Event], None] | None,
) -> Generated:
    """Let a server put a clip on each view of a face; the first holds the others."""
    label = clip_label(str(asked.clip))
    first, *others = (Session(client, prepared, asked, label).pump(on_event) for prepared in views)
    return replace(first, others=tuple(others))


def bake_shape_keys(
    obj: Any,
    generated: Generated,
    start_frame: float = 1.0,
    *,
    whole_frames: bool = False,
    tolerance: float = TOLERANCE,
    layer: str = "auto",
    strength: float = 1.0,
    balance: float = 0.0,
    timing: Timing | None = None,
    server: str | Client | None = None,
    solver: Solver | None = None,
) -> ShapeKeyBake:
    """Key the character's shape keys and controls so that its surface moves as generated.

    The clip begins at `start_frame` of the object's scene; keys sit at the clip's true times,
    on sub-frames, thinned to `tolerance` (weight units), or on the scene's frames with
    `whole_frames`. `timing` gives it another duration, other moments, or a held apex; `strength`
    (0 to 4) and `balance` (-1 right to 1 left) act on the solved weights; all three can be edited
    later (`edit_bake`). `layer` "action": in place of what plays; "nla": added to it; "auto": the
    latter where something plays. The weights are solved by the server at `server` (None: an
    embedded one), or by `solver`. Returns `ShapeKeyBake` with the weights (T,S) and what they
    leave unexplained. Raises `InputError` with nothing changed.
    """
    views = views_of(obj, generated)
    problem, sides = _problem(views, generated)
    return key_weights(
        obj,
        generated.clip_name,
        views[0].face.channels,
        generated.times,
        _solved(problem, views[0], server, solver),
        scene_time(home_scene(obj), start_frame),
        whole_frames=whole_frames,
        tolerance=tolerance,
        layer=layer,
        strength=strength,
        balance=balance,
        timing=timing,
        sides=sides,
    )


def _problem(views: Sequence[FaceView], generated: Generated) -> tuple[SolveInput, tuple[str, ...]]:
    """Return what to ask a solver, and the side of the face that each channel is seen to move."""
    problem, (front, *_) = pose_problem(views, generated)
    return problem, sides_by_motion(front.pixels, front.matrix)


def _solved(
    problem: SolveInput, view: FaceView, server: str | Client | None, solver: Solver | None
) -> Solved:
    channels = view.face.channels
    if solver is not None:
        return solve_channels(problem, channels, solver)
    with connect(server) as client:
        return solve_channels(problem, channels, server_solver(client))


def bake_sheet(
    obj: Any,
    sheet: str | Path | Sequence[Row],
    *,
    whole_frames: bool = False,
    tolerance: float = TOLERANCE,
    server: str | Client | None = None,
    solver: Solver | None = None,
    resolution: int = 512,
    on_event: Callable[[Event], None] | None = None,
    on_bake: Callable[[Generated, ShapeKeyBake], None] | None = None,
    views: Sequence[str] = ("front",),
) -> list[ShapeKeyBake]:
    """Bake every row of a sheet on a character: several expressions on one timeline.

    `sheet` is a CSV file (columns: see `bake.shot_sheet`) or its rows. The neutral is rendered
    once (of each of the `views`), each distinct clip generated and solved once, by one server. Rows
    that overlap add up and stay within the channels' bounds; `ShapeKeyBake.cuts` says where they
    are cut. Returns a bake per row, in their order; `on_bake` hears of each, once all are laid,
    with what was generated. Raises `InputError`, with the row's number and nothing baked.
    """
    scene = home_scene(obj)
    rows = sheet if not isinstance(sheet, str | Path) else read_sheet(Path(sheet), scene_fps(scene))
    check(obj)
    solved: dict[tuple[str, Fraction | None], tuple[Generated, Solved]] = {}
    with connect(server) as client:
        prepared = prepare_views(obj, resolution, views)
        for row in rows:
            if (row.clip, row.fps) in solved:
                continue
            generated = _generated(client, prepared, Performance(row.clip, row.fps), on_event)
            if not solved:
                seen = views_of(obj, generated)
            problem, sides = _problem(seen, generated)
            solved[row.clip, row.fps] = generated, _solved(problem, seen[0], client, solver)
    bakes: list[ShapeKeyBake] = []
    for row in rows:
        generated, found = solved[row.clip, row.fps]
        try:
            bake = key_weights(
                obj,
                generated.clip_name,
                seen[0].face.channels,
                generated.times,
                found,
                scene_time(scene, row.settings.start_frame),
                whole_frames=whole_frames,
                tolerance=tolerance,
                layer=row.layer,
                strength=row.settings.strength,
                balance=row.settings.balance,
                timing=row.settings.timing,
                muted=row.settings.muted,
                sides=sides,
            )
        except InputError as error:
            for made in reversed(bakes):
                remove_bake(obj, made.action_name)
            raise InputError(f"Row {row.number}: {error.what}", error.remedy) from error
        bakes.append(bake)
    for row, bake in zip(rows, bakes, strict=True):
        if on_bake is not None:
            on_bake(solved[row.clip, row.fps][0], bake)
    return bakes


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
        provenance={"clip": generated.clip_name, **_plain(generated.result)},
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
    provenance = {"clip": generated.clip_name, **_plain(generated.result)}
    return {
        "framesPerSecond": generated.fps,
        "software": "Microface",
        "comments": json.dumps(provenance, sort_keys=True),
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
    provenance = {"clip": generated.clip_name, **_plain(generated.result)}
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


def _plain(result: dict[str, Any]) -> dict[str, Any]:
    return {
        key: value for key, value in result.items() if isinstance(value, str | int | float | bool)
    }
