"""Prove a bake as soon as it is made: collect, play, measure, leave the evidence in the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ... import __version__
from ...errors import InputError
from ...report.proof.evidence import Event, Evidence, TextureRecord
from ...report.proof.measures import MOTION_SLACK, limits, picture_limits
from ..bake.shape_keys import ShapeKeyBake
from ..bake.shown import told_units
from ..bake.texture import TextureBake
from ..bake.time import TimeBase
from ..generated import Generated
from .collect import collect_event, collect_evidence, curve_tolerance
from .measure import Measured, measure_event
from .renew import renewed
from .store import add_event, store, stored
from .textures import record_textures


@dataclass(frozen=True)
class Proof:
    """The evidence of a bake as it lies in the file now, its newest event, and what was measured.

    `measured` is None where the bake was not played yet; `foretold_unexplained` is the share of
    the motion that the solve leaves over.
    """

    evidence: Evidence
    event: Event
    measured: Measured | None = field(default=None)
    foretold_unexplained: float = 0.0


def leave_evidence(
    obj: Any,
    generated: Generated,
    time_base: TimeBase,
    *,
    keys: ShapeKeyBake | None = None,
    textures: TextureBake | None = None,
    records: tuple[TextureRecord, ...] = (),
    relative: Callable[[Path], str] = str,
    settings: Mapping[str, str] | None = None,
    render: bool = False,
    only_apex: bool = False,
) -> Proof:
    """Collect the evidence of one bake and keep it in the open file; returns the `Proof`.

    `keys` and `textures` as the bakes gave them, `records` of more files; `relative` turns a
    picture's path into the one it will have, relative to the saved file. With `render` the bake is
    played and rendered at once, and limits for its pictures are stated too; `only_apex` leaves
    the other moments out of the pictures.
    """
    if textures is not None:
        records = (*record_textures(obj, textures, relative), *records)
    event, foretold = collect_event(
        obj,
        generated,
        time_base,
        keys,
        records,
        provenance(generated, settings or {}),
        only_apex=only_apex,
    )
    before = stored_or_none(obj)
    evidence = collect_evidence(obj, generated, () if before is None else before.events)
    measured = measure_event(obj, evidence, event, render=True) if render else None
    found = {} if measured is None else measured.figures
    stated = limits(event, found, curve_tolerance(obj, event), foretold)
    event = replace(event, found=found, limits=stated)
    evidence = add_event(evidence, event)
    store(evidence)
    return Proof(evidence, event, measured, foretold)


def render_proofs(obj: Any, tell: Callable[[float], None] = lambda share: None) -> list[Proof]:
    """Play and render every event that the file has evidence of, and state its pictures' limits.

    Bakes that were edited since are taken as they are now, those that are gone are left out.
    Returns the proofs with the new evidence, which is not stored yet. Raises `InputError` where
    there is no evidence.
    """
    evidence = stored(obj)
    if evidence is None or not evidence.events:
        raise InputError(f"Nothing is baked on '{obj.name}'.", "Bake something first.")
    taken = []
    events = tuple(renewed(obj, evidence.events))
    if not events:
        raise InputError(f"No bake on '{obj.name}' plays.", "Turn one on, or bake again.")
    for number, event in enumerate(events):
        measured = measure_event(obj, evidence, event)
        more = picture_limits(measured.figures)
        if "motion_unexplained" not in event.limits:
            more["motion_unexplained"] = measured.figures["motion_unexplained"] + MOTION_SLACK
        found = {**event.found, **measured.figures}
        taken.append((replace(event, found=found, limits={**event.limits, **more}), measured))
        tell((number + 1) / len(events))
    evidence = replace(evidence, events=tuple(event for event, _ in taken))
    return [Proof(evidence, event, measured) for event, measured in taken]


def stored_or_none(obj: Any) -> Evidence | None:
    """Return the evidence in the file, or None where there is none that can be read."""
    try:
        return stored(obj)
    except InputError:
        return None  # of another version: this bake renews it


def provenance(generated: Generated, settings: Mapping[str, str]) -> dict[str, str]:
    """Return hashes, versions and settings of a bake, as text."""
    import bpy

    clip = generated.result.get("clip", {})
    models = generated.result.get("model", {})
    known = {
        "microface": __version__,
        "blender": bpy.app.version_string,
        "clip": generated.clip_name,
        "clip SHA-256": str(clip.get("sha256", "")),
        "clip rate": f"{generated.fps.numerator}/{generated.fps.denominator}",
        "clip shows": told_units(generated.result),
        "neutral's side": f"{generated.framing.resolution} pixels",
    }
    known |= {f"model {name} SHA-256": str(digest) for name, digest in sorted(models.items())}
    return {name: value for name, value in (known | dict(settings)).items() if value}
