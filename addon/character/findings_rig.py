"""What is in the way of keying a face: drivers, controls, muted keys, keys that stand elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .channels import free_channels
from .controls import Unkeyed, read_rig
from .family import family_of
from .findings import Finding, Severity, counted, listed
from .resting import resting_values
from .rig import trace_rig
from .shape_keys import driven_keys, free_keys

#: A shape key that stands this near to its rest stands there.
SLACK = 1e-6

_RIG_REMEDY = "Mend the driver or its control, or remove the driver to let the key be keyed."


def check_wiring(obj: Any, block: Any) -> Iterator[Finding]:
    """Say what the drivers look like, without turning a control."""
    yield from _keys(obj, block)
    if not obj.users_scene:
        return
    family = family_of(obj)
    wiring = trace_rig(family)
    reached = {sink for knob in wiring.knobs.values() for sink in knob.sinks} | wiring.followers
    lost = [
        Unkeyed(sink[0], sink[1], "; ".join(wiring.reasons.get(sink, ["nothing can be keyed"])))
        for sink in sorted(wiring.driven - reached)
    ]
    yield from _rig(obj, family, len(wiring.driven), len(wiring.knobs), lost)


def check_rig(obj: Any, block: Any) -> Iterator[Finding]:
    """Turn every control and say which keys none of them moves."""
    yield from _keys(obj, block)
    if not obj.users_scene:
        return
    family = family_of(obj)
    rig = read_rig(family)
    driven = sum(len(driven_keys(mesh.data.shape_keys)) for mesh in family)
    yield from _rig(obj, family, driven, len(rig.channels), list(rig.unkeyed))
    if rig.curved:
        yield Finding(
            Severity.NOTE,
            f"Bent over the range: {counted(len(rig.curved), 'control')} ({listed(rig.curved)}).",
            "Their effect is measured at a quarter of the range, the size of a micro-expression.",
        )
    if rig.poses:
        yield Finding(
            Severity.NOTE,
            f"{listed(rig.poses)} carries the whole head and is left alone.",
            "Nothing need be done: a pose is no expression.",
        )


def _rig(
    obj: Any, family: list[Any], driven: int, controls: int, lost: list[Unkeyed]
) -> Iterator[Finding]:
    if not free_channels(family) and not controls:
        muted = any(key.mute for key in obj.data.shape_keys.key_blocks)
        yield Finding(
            Severity.ERROR,
            f"No shape key of '{obj.name}' can be moved"
            + (f": '{lost[0].key}': {lost[0].why}." if lost else "."),
            "Unmute the shape keys of the face, or mend their drivers.",
            "undrive" if lost else "unmute" if muted else "",
        )
        return
    if controls:
        yield Finding(
            Severity.NOTE,
            f"Driven: {counted(driven, 'shape key')}. Keyed instead:"
            f" {counted(controls, 'control')} of the rig.",
            "Nothing need be done: the bake keys the controls.",
        )
    for one in lost[:5]:
        yield Finding(
            Severity.WARNING,
            f"'{one.key}' is driven and left alone: {one.why}.",
            _RIG_REMEDY,
            "undrive",
        )
    if len(lost) > 5:
        yield Finding(
            Severity.WARNING,
            f"{len(lost) - 5} more driven shape keys are left alone.",
            _RIG_REMEDY,
            "undrive",
        )
    bound = driven_keys(obj.data.shape_keys)
    for mesh in family[1:]:
        loose = [key.name for key in free_keys(mesh.data.shape_keys) if key.name in bound]
        if loose:
            yield Finding(
                Severity.WARNING,
                f"{listed(loose)} of '{mesh.name}' do not follow the keys of '{obj.name}', which"
                " a rig drives.",
                "Drive them by the face's keys.",
                "follow",
            )


def _keys(obj: Any, block: Any) -> Iterator[Finding]:
    muted = [str(key.name) for key in block.key_blocks if key.mute]
    if muted:
        yield Finding(
            Severity.NOTE,
            f"{counted(len(muted), 'shape key')} muted and left alone: {listed(muted)}.",
            "Unmute them if they belong to the face.",
            "unmute",
        )
    if obj.show_only_shape_key:
        yield Finding(
            Severity.WARNING,
            f"'{obj.name}' shows only its active shape key, so that a bake will not be seen.",
            "Turn off Shape Key Lock in the shape key panel.",
            "unpin",
        )
    rest, free = resting_values(block), {str(key.name) for key in free_keys(block)}
    shaping = [
        str(key.name)
        for key in block.key_blocks
        if key.name in free
        and abs(rest[key.name] - min(max(0.0, key.slider_min), key.slider_max)) > SLACK
    ]
    posed = [
        str(key.name)
        for key in block.key_blocks
        if key.name in free and abs(float(key.value) - rest[key.name]) > SLACK
    ]
    if posed and (block.animation_data is None or block.animation_data.action is None):
        yield Finding(
            Severity.NOTE,
            f"{counted(len(posed), 'shape key')} not at rest: {listed(posed)}.",
            "Expressions rest at zero in the neutral; nothing need be done.",
            "zero",
        )
    if shaping:
        yield Finding(
            Severity.NOTE,
            f"{counted(len(shaping), 'shape key')} taken as this character's own shape, and kept"
            f" where they stand: {listed(shaping)}.",
            "Set them to zero if they are an expression that was left on.",
            "zero",
        )
