"""Animation curves that every Blender from 4.2 on understands.

Up to 4.3 an action holds its curves itself; from 4.4 it has slots, layers and strips, and from 5.0
those alone. This is the only file that knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

#: A curve's keys: frames (N,) and values (N,).
Keys = tuple[NDArray[np.floating[Any]], NDArray[np.floating[Any]]]


def write_action(
    owner: Any, name: str, curves: Mapping[str, Keys], *, interpolation: str = "LINEAR"
) -> Any:
    """Make a new action for the ID `owner` with one curve per data path, and play it.

    Frames may lie between whole ones. The action that was played before is not changed; it is
    kept from being purged, and returned by `previous_action`. Returns the new action.
    """
    action = bpy.data.actions.new(name)
    channels, slot = _channels(action, owner)
    for path, (frames, values) in curves.items():
        curve = channels.new(data_path=path)
        _fill(curve, frames, values, interpolation)
    animation = owner.animation_data or owner.animation_data_create()
    before = animation.action
    if before is not None:
        action["microface_previous"] = before.name
        action["microface_previous_slot"] = _slot_handle(animation)
        action["microface_previous_kept"] = bool(before.use_fake_user)
        before.use_fake_user = True
    animation.action = action
    if slot is not None:
        animation.action_slot = slot
    return action


def previous_action(action: Any) -> Any:
    """Return the action that played before one made by `write_action`, or None."""
    return bpy.data.actions.get(str(action.get("microface_previous", "")))


def restore_action(owner: Any, action: Any) -> None:
    """Play again what played before `action`, remove it, and leave no trace of either."""
    animation = owner.animation_data
    before = previous_action(action)
    if animation is not None and animation.action == action:
        handle = action.get("microface_previous_slot")
        animation.action = before
        if before is not None and hasattr(before, "slots"):
            slot = next((one for one in before.slots if one.handle == handle), None)
            if slot is not None:
                animation.action_slot = slot
    if before is not None:
        before.use_fake_user = bool(action["microface_previous_kept"])
    bpy.data.actions.remove(action)
    if animation is not None and not (
        animation.action or animation.drivers or animation.nla_tracks
    ):
        owner.animation_data_clear()


def curves_of(action: Any) -> Iterator[Any]:
    """Yield every curve of an action, whatever the version keeps it in."""
    if hasattr(action, "layers"):
        for layer in action.layers:
            for strip in layer.strips:
                for bag in strip.channelbags:
                    yield from bag.fcurves
    else:
        yield from action.fcurves


def _channels(action: Any, owner: Any) -> tuple[Any, Any]:
    if not hasattr(action, "slots"):
        return action.fcurves, None
    slot = action.slots.new(id_type=owner.id_type, name=owner.name)
    strip = action.layers.new("Microface").strips.new(type="KEYFRAME")
    return strip.channelbag(slot, ensure=True).fcurves, slot


def _slot_handle(animation: Any) -> int:
    slot = getattr(animation, "action_slot", None)
    return 0 if slot is None else int(slot.handle)


def _fill(
    curve: Any,
    frames: NDArray[np.floating[Any]],
    values: NDArray[np.floating[Any]],
    interpolation: str,
) -> None:
    points = curve.keyframe_points
    points.add(len(frames))
    pairs = np.stack([frames, values], axis=1).astype(np.float32)
    points.foreach_set("co", pairs.ravel())
    kind = points[0].bl_rna.properties["interpolation"].enum_items[interpolation].value
    points.foreach_set("interpolation", np.full(len(frames), kind, np.int32))
    curve.extrapolation = "CONSTANT"
    curve.update()
