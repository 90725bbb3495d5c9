"""Check an open file against the evidence that its bakes left in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ...errors import InputError
from ...report.proof.checks import (
    Check,
    event_checks,
    picture_checks,
    presence,
    rate_check,
)
from ...report.proof.evidence import Event, Evidence, read_evidence
from ..bake.time import scene_fps
from ..character.channel import Target
from .fingerprint import mesh_fingerprint
from .measure import Measured, measure_event
from .replay import actions_of
from .store import all_stored
from .textures import texture_faults

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Verified:
    """One piece of evidence, the checks against it, and what was measured of each event."""

    evidence: Evidence
    checks: tuple[Check, ...]
    measured: tuple[Measured | None, ...]


def verify_file(*, render: bool = True, tell: Tell = lambda what: None) -> list[Verified]:
    """Check everything in the open file that Microface left evidence of.

    Raises `InputError` where there is none, or it cannot be read.
    """
    found = [read_evidence(text) for _, text in all_stored()]
    if not found:
        raise InputError(
            "The file holds no evidence of a bake.",
            "Bake with this version of Microface; it leaves the evidence in the file.",
        )
    return [verify_character(one, render=render, tell=tell) for one in found]


def verify_character(
    evidence: Evidence, *, render: bool = True, tell: Tell = lambda what: None
) -> Verified:
    """Check the open file against one piece of evidence."""
    scene, obj = bpy.data.scenes.get(evidence.scene_name), _local(evidence.object_name)
    here = presence(
        "",
        "character",
        _character_faults(evidence, scene, obj),
        f"'{evidence.object_name}' in '{evidence.scene_name}'",
        "Restore it, or bake again.",
    )
    if scene is None or obj is None or scene.objects.get(obj.name) is None:
        return Verified(evidence, (here,), (None,) * len(evidence.events))
    fps = scene_fps(scene)
    checks = [here, rate_check(f"{fps.numerator}/{fps.denominator}", evidence.fps)]
    same = mesh_fingerprint(obj) == evidence.mesh
    changed = [] if same else [f"the mesh of '{obj.name}' was changed since the bake"]
    checks.append(
        presence("", "mesh", changed, "unchanged", "Bake again on the mesh as it is now.")
    )
    measured = []
    for event in evidence.events:
        tell(event.clip)
        more, taken = _verify_event(obj, evidence, event, render=render)
        checks += more
        measured.append(taken)
    return Verified(evidence, tuple(checks), tuple(measured))


def _verify_event(
    obj: Any, evidence: Evidence, event: Event, *, render: bool
) -> tuple[list[Check], Measured]:
    checks = []
    if event.targets:
        faults = animation_faults(event)
        good, remedy = f"plays '{event.action}'", "Assign it again, or bake again."
        checks.append(presence(event.clip, "animation", faults, good, remedy))
    blend = Path(bpy.data.filepath)
    faults = []
    for record in event.textures:
        faults += texture_faults(obj, record, blend)
    if event.textures:
        count = sum(len(record.files) for record in event.textures)
        good = f"{count} pictures as baked, wired"
        remedy = "Put the folder of pictures beside the file again, or bake again."
        checks.append(presence(event.clip, "textures", faults, good, remedy))
    measured = measure_event(obj, evidence, event, render=render and not faults)
    checks += event_checks(event, measured.figures)
    why = ""
    if not render:
        why = "Pictures were left out."
    elif faults:
        why = "Textures are not as baked, so pictures were not rendered."
    elif measured.shown.posed:
        why = "Other animation poses the face otherwise than in its neutral picture."
    checks += picture_checks(event, measured.figures, why)
    return checks, measured


def animation_faults(event: Event) -> list[str]:
    """Return what keeps an event's action from playing, a line each."""
    actions = actions_of(event)
    if not actions:
        return [f"the action '{event.action}' is gone"]
    faults: list[str] = []
    for id_type, id_name in dict.fromkeys((one.id_type, one.id_name) for one in event.targets):
        try:
            block = Target(id_type, id_name, "").block()
        except InputError:
            faults.append(f"'{id_name}' is gone")
            continue
        fault = _playing_fault(block.animation_data, actions)
        if fault:
            faults.append(f"'{id_name}' {fault}")
    return faults


def _playing_fault(animation: Any, actions: list[Any]) -> str:
    """Return what is wrong with how one of some actions plays on a data block, or nothing."""
    if animation is None:
        return "plays no action"
    if animation.action in actions:
        has_slots = hasattr(animation, "action_slot")
        return "has no slot in its action" if has_slots and animation.action_slot is None else ""
    for track in animation.nla_tracks:
        for strip in track.strips:
            if strip.action in actions:
                return "plays its strip muted" if strip.mute or track.mute else ""
    name = animation.action.name if animation.action is not None else ""
    return f"plays '{name}' instead" if name else "does not play it"


def _character_faults(evidence: Evidence, scene: Any, obj: Any) -> list[str]:
    if scene is None:
        return [f"the scene '{evidence.scene_name}' is gone"]
    if obj is None or scene.objects.get(obj.name) is None:
        return [f"'{evidence.object_name}' is not in '{evidence.scene_name}'"]
    return []


def _local(name: str) -> Any:
    return bpy.data.objects.get((name, None)) or bpy.data.objects.get(name)


def finite(figures: dict[str, float]) -> dict[str, float | None]:
    """Return figures as JSON can hold them: None for what is no number."""
    return {name: value if np.isfinite(value) else None for name, value in figures.items()}
