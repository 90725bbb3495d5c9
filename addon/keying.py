"""Key a character's shape keys and controls: one bake, or a sheet of them on one timeline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..server.client import Client, Performance
from .bake.asking import pose_problem, solve_channels
from .bake.edit import remove_bake
from .bake.problem import Solved, SolveInput, Solver
from .bake.retime import Timing
from .bake.shape_keys import ShapeKeyBake, key_weights
from .bake.shot_sheet import Row, read_sheet
from .bake.sides import sides_by_motion
from .bake.time import TOLERANCE, scene_fps, scene_time
from .character.stage import home_scene
from .character.view import FaceView
from .generated import Generated
from .generating import performed
from .retarget.connection import connect
from .retarget.prepare import check, prepare_views, views_of
from .retarget.session import Event
from .retarget.solving import server_solver


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
            generated = performed(client, prepared, Performance(row.clip, row.fps), on_event)
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
