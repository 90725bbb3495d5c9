"""What must be done with a character before a server is asked: preflight, framing, neutral."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ..bake.shading import without_bakes
from ..character.evaluate import evaluate_face
from ..character.fingerprint import Fingerprint, take_fingerprint
from ..character.framing import Framing
from ..character.neutral import render_stage
from ..character.preflight import Finding, Severity, preflight
from ..character.stage import Stage, home_scene, stage
from ..character.view import FaceView, see_face, view_face
from ..generated import Generated

#: How far around to the face's left the camera goes for each view, in degrees.
VIEWS = {"front": 0.0, "three-quarter-left": 40.0, "three-quarter-right": -40.0}


@dataclass(frozen=True)
class Prepared:
    """A character ready to be sent: its framing and neutral picture (R,R,3) uint8.

    `scene_frame` is where on the timeline it was taken: a rig may pose the head differently
    elsewhere. `view` names the side it is seen from, `fingerprint` tells whether it was edited
    since.
    """

    object_name: str
    scene_frame: float
    framing: Framing
    neutral: NDArray[np.uint8]
    view: str
    fingerprint: Fingerprint


def find_character(name: str) -> Any:
    """Return the object called `name`, or raise `InputError` that lists the likely ones."""
    obj = bpy.data.objects.get(name)
    if obj is not None:
        return obj
    with_keys = [
        one.name
        for one in bpy.data.objects
        if one.type == "MESH" and one.data.shape_keys is not None
    ]
    if with_keys:
        remedy = f"Meshes with shape keys are: {', '.join(sorted(with_keys)[:12])}."
    else:
        meshes = sorted(one.name for one in bpy.data.objects if one.type == "MESH")
        remedy = f"No mesh there has shape keys; meshes are: {', '.join(meshes[:12]) or 'none'}."
    raise InputError(f"There is no object called '{name}'.", remedy)


def check(obj: Any, *, quick: bool = False) -> list[Finding]:
    """Raise the first preflight error of a character as an `InputError`, or return what else
    preflight finds, the worst first; see `preflight`."""
    findings = preflight(obj, quick=quick)
    for finding in findings:
        if finding.severity is Severity.ERROR:
            raise InputError(finding.what, finding.remedy)
    return findings


def check_resolution(resolution: int) -> None:
    """Raise InputError for a neutral of more or fewer pixels a side than can be used."""
    if not 128 <= resolution <= 4096:
        raise InputError(
            f"A picture of {resolution} pixels a side cannot be used.", "Choose 128 to 4096."
        )


def prepare(obj: Any, resolution: int) -> Prepared:
    """Frame the face and render its neutral, `resolution` pixels a side.

    Nothing of the user's scene is changed. Raises `InputError` for a character that cannot be
    used, with the remedy.
    """
    return prepare_views(obj, resolution)[0]


def prepare_views(
    obj: Any,
    resolution: int,
    views: Sequence[str] = ("front",),
    render: Callable[[Stage, Framing], NDArray[np.uint8]] = render_stage,
) -> tuple[Prepared, ...]:
    """Frame the face and render its neutral from several sides, as `prepare`; see `VIEWS`.

    `render` makes the pictures.
    """
    check_resolution(resolution)
    unknown = [view for view in views if view not in VIEWS]
    if unknown or not views or len(set(views)) < len(views):
        said = f"'{unknown[0]}'" if unknown else "none" if not views else "one twice"
        raise InputError(
            f"Views of a face were asked for: {said}.", f"Choose of {', '.join(VIEWS)}."
        )
    check(obj)
    scene = home_scene(obj)
    frame = float(scene.frame_current) + float(scene.frame_subframe)
    with stage(obj) as on:
        face = evaluate_face(on)
        fingerprint = take_fingerprint(obj, face)
        prepared = []
        for view in views:
            seen = view_face(on, resolution, face=face, turn_degrees=VIEWS[view])
            see_face(seen)
            framing = seen.framing
            with without_bakes(on):
                neutral = render(on, framing)
            prepared.append(Prepared(str(obj.name), frame, framing, neutral, view, fingerprint))
    return tuple(prepared)


def view_of(obj: Any, generated: Generated) -> FaceView:
    """Return the character as it stood when its neutral was rendered, from the same camera.

    Raises `InputError` if it was edited since.
    """
    return views_of(obj, generated)[0]


def views_of(obj: Any, generated: Generated) -> tuple[FaceView, ...]:
    """Return the character from the camera of each of the views, as `view_of`."""
    with stage(obj) as on:
        whole = int(np.floor(generated.scene_frame))
        on.scene.frame_set(whole, subframe=generated.scene_frame - whole)
        face = evaluate_face(on)
        if generated.fingerprint is not None:
            now = take_fingerprint(obj, face)
            changed = generated.fingerprint.changes(now, generated.framing)
            if changed:
                raise InputError(
                    f"'{obj.name}' was edited since its neutral was rendered: "
                    f"{', '.join(changed)} changed.",
                    "Generate the clip again.",
                )
        return tuple(
            view_face(on, one.framing.resolution, one.framing, face=face) for one in generated.views
        )
