"""Everything that would go wrong with a character, each with its remedy, before it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from ...errors import InputError
from .shape_keys import ACTION_PREFIX, driven_keys, shape_key_block
from .uv import check_uv

#: An object scale that differs from 1 by more than this counts as not applied.
SCALE_SLACK = 1e-4


class Severity(Enum):
    """How bad a finding is."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """One thing about a character: `what`, its `remedy`, and the name of a fix that mends it.

    An ERROR stops a bake, a WARNING spoils it perhaps, a NOTE only tells. `fix` is a key of
    `FIXES`, or empty where no function can mend it.
    """

    severity: Severity
    what: str
    remedy: str
    fix: str = ""


def preflight(obj: Any, *, quick: bool = False) -> list[Finding]:
    """Return the findings about a character, the worst first; an empty list means all is well.

    `quick` leaves out what takes longer than a panel may take to draw.
    """
    try:
        block = shape_key_block(obj)
    except InputError as error:
        return [Finding(Severity.ERROR, error.what, error.remedy)]
    checks = _QUICK_CHECKS if quick else (_coordinates, _uv_layout, *_QUICK_CHECKS)
    findings = [finding for check in checks for finding in check(obj, block)]
    order = list(Severity)
    return sorted(findings, key=lambda finding: order.index(finding.severity))


def _library(obj: Any, block: Any) -> Iterator[Finding]:
    linked = [one for one in (obj, obj.data, block) if one.library is not None]
    if linked and obj.override_library is None:
        yield Finding(
            Severity.ERROR,
            f"'{obj.name}' is linked from another file and cannot be keyed.",
            "Make a library override of it (Object > Library Override > Make).",
            "override",
        )


def _coordinates(obj: Any, block: Any) -> Iterator[Finding]:
    for key in block.key_blocks:
        flat = np.empty(len(key.data) * 3, np.float32)
        key.data.foreach_get("co", flat)
        if not np.isfinite(flat).all():
            count = int((~np.isfinite(flat.reshape(-1, 3)).all(axis=1)).sum())
            yield Finding(
                Severity.ERROR,
                f"Shape key '{key.name}' has {count} vertices at invalid (NaN) coordinates.",
                "Delete or mend these vertices.",
            )
            return


def _movable(obj: Any, block: Any) -> Iterator[Finding]:
    driven = driven_keys(block)
    if driven:
        yield Finding(
            Severity.WARNING,
            f"{len(driven)} shape keys are driven (such as '{min(driven)}') and are left alone.",
            "Remove their drivers to let them be keyed, or key the controls by hand.",
        )
    muted = [key.name for key in block.key_blocks if key.mute]
    if muted:
        yield Finding(
            Severity.NOTE,
            f"{len(muted)} shape keys are muted (such as '{muted[0]}') and are left alone.",
            "Unmute them if they belong to the face.",
            "unmute",
        )
    free = [
        key
        for key in block.key_blocks
        if key != block.reference_key and not key.mute and key.name not in driven
    ]
    if not free:
        yield Finding(
            Severity.ERROR,
            f"No shape key of '{obj.name}' can be moved.",
            "Unmute the shape keys of the face, or remove their drivers.",
        )


def _posed(obj: Any, block: Any) -> Iterator[Finding]:
    animation = block.animation_data
    if animation is not None and animation.action is not None:
        if animation.action.name.startswith(ACTION_PREFIX):
            return
        yield Finding(
            Severity.NOTE,
            f"The shape keys are already animated by '{animation.action.name}'.",
            "A bake plays its own action instead; this one is kept and comes back on removal.",
        )
        return
    posed = [key.name for key in block.key_blocks[1:] if abs(key.value) > 1e-6 and not key.mute]
    if posed:
        yield Finding(
            Severity.NOTE,
            f"{len(posed)} shape keys are not at zero (such as '{posed[0]}').",
            "Zero is taken as the neutral; apply them to the basis if they belong to it.",
            "zero",
        )


def _texture_coordinates(obj: Any, block: Any) -> Iterator[Finding]:
    if not obj.data.uv_layers:
        yield Finding(
            Severity.WARNING,
            f"'{obj.name}' has no UVs, so textures cannot be baked.",
            "Unwrap the mesh (UV > Unwrap); shape keys can be baked without.",
            "unwrap",
        )


def _uv_layout(obj: Any, block: Any) -> Iterator[Finding]:
    report = check_uv(obj)
    for what, remedy in report.remarks() if report is not None else ():
        yield Finding(Severity.WARNING, what, remedy)


def _scale(obj: Any, block: Any) -> Iterator[Finding]:
    scale = np.array(obj.matrix_world.to_scale())
    if np.abs(scale).min() < 1e-6:
        yield Finding(
            Severity.ERROR,
            f"'{obj.name}' is scaled to nothing.",
            "Set the object's scale to 1.",
        )
    elif np.abs(scale - scale[0]).max() > SCALE_SLACK * abs(scale[0]) or scale.min() < 0:
        yield Finding(
            Severity.WARNING,
            f"'{obj.name}' has an uneven or mirrored scale.",
            "Apply the scale (Object > Apply > Scale).",
            "apply-scale",
        )


def _hidden(obj: Any, block: Any) -> Iterator[Finding]:
    if obj.hide_render:
        yield Finding(
            Severity.NOTE,
            f"'{obj.name}' is hidden from renders.",
            "The neutral is rendered all the same; show it to see the bake in your own renders.",
            "show",
        )
    if not obj.users_scene:
        yield Finding(
            Severity.ERROR, f"'{obj.name}' is in no scene.", "Link the object to a scene."
        )


def _colour(obj: Any, block: Any) -> Iterator[Finding]:
    if not any(slot.material for slot in obj.material_slots):
        yield Finding(
            Severity.WARNING,
            f"'{obj.name}' has no material.",
            "Give it one with a skin texture; a plain grey face is hard to read.",
        )


_QUICK_CHECKS: tuple[Callable[[Any, Any], Iterator[Finding]], ...] = (
    _library,
    _movable,
    _posed,
    _texture_coordinates,
    _scale,
    _hidden,
    _colour,
)
