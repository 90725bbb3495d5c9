"""What must be done with a character before a server is asked: preflight, framing, neutral."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ..character.framing import Framing
from ..character.neutral import render_stage
from ..character.preflight import Severity, preflight
from ..character.stage import home_scene, stage
from ..character.view import FaceView, view_face
from ..generated import Generated


@dataclass(frozen=True)
class Prepared:
    """A character ready to be sent: its framing and neutral picture (R,R,3) uint8.

    `scene_frame` is where on the timeline it was taken: a rig may pose the head differently
    elsewhere.
    """

    object_name: str
    scene_frame: float
    framing: Framing
    neutral: NDArray[np.uint8]


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


def check(obj: Any) -> None:
    """Raise the first preflight error of a character as an `InputError`."""
    for finding in preflight(obj):
        if finding.severity is Severity.ERROR:
            raise InputError(finding.what, finding.remedy)


def prepare(obj: Any, resolution: int) -> Prepared:
    """Frame the face and render its neutral, `resolution` pixels a side.

    Nothing of the user's scene is changed. Raises `InputError` for a character that cannot be
    used, with the remedy.
    """
    if not 128 <= resolution <= 4096:
        raise InputError(
            f"A picture of {resolution} pixels a side cannot be used.", "Choose 128 to 4096."
        )
    check(obj)
    scene = home_scene(obj)
    frame = float(scene.frame_current) + float(scene.frame_subframe)
    with stage(obj) as on:
        view = view_face(on, resolution)
        neutral = render_stage(on, view.framing)
    return Prepared(str(obj.name), frame, view.framing, neutral)


def view_of(obj: Any, generated: Generated) -> FaceView:
    """Return the character as it stood when its neutral was rendered, from the same camera."""
    with stage(obj) as on:
        whole = int(np.floor(generated.scene_frame))
        on.scene.frame_set(whole, subframe=generated.scene_frame - whole)
        return view_face(on, generated.framing.resolution, generated.framing)
