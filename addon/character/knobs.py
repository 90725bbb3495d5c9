"""Numbers that a rig offers to animators: how far they go, where they rest, what locks them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf, pi
from typing import Any

import bpy

from .channel import Target

#: A limit beyond this is Blender's way to say that there is none.
NO_LIMIT = 1e6
#: Scales below this fraction collapse what they scale.
SMALLEST_SCALE = 0.05

LETTERS = "XYZ"
_WORDS = {
    "location": "loc",
    "rotation_euler": "rot",
    "rotation_quaternion": "rot",
    "scale": "scale",
}
_LIMITS = {
    "location": "LIMIT_LOCATION",
    "rotation_euler": "LIMIT_ROTATION",
    "scale": "LIMIT_SCALE",
}
_LOCKS = {
    "location": "lock_location",
    "rotation_euler": "lock_rotation",
    "rotation_quaternion": "lock_rotation",
    "scale": "lock_scale",
}


@dataclass
class Knob:
    """A number that drivers of shape keys read, and that may be keyed itself.

    `low` and `high` are its bounds (infinite where nothing bounds it), `rest` where it most
    likely rests, `bone` the pose bone it belongs to (empty if none), `sinks` the (key block,
    shape key) pairs that hang on it.
    """

    target: Target
    label: str
    low: float
    high: float
    rest: float
    bone: str = ""
    sinks: set[tuple[str, str]] = field(default_factory=set)


def transform_knobs(obj: Any, bone: Any, kind: str, components: range) -> Iterator[Knob]:
    """Yield the knobs of a bone's (or, without one, an object's) transform.

    `kind` is 'location', 'rotation' or 'scale'; `components` which of its axes. None for
    rotations by axis and angle, whose numbers mean nothing one by one.
    """
    owner = obj if bone is None else bone
    name = kind
    if kind == "rotation":
        if owner.rotation_mode == "AXIS_ANGLE":
            return
        name = "rotation_quaternion" if owner.rotation_mode == "QUATERNION" else "rotation_euler"
    prefix = "" if bone is None else f"{bone.path_from_id()}."
    for axis in components:
        index = axis + 1 if name == "rotation_quaternion" else axis
        low, high = _transform_bounds(owner, name, axis)
        yield Knob(
            Target("OBJECT", str(obj.name), f"{prefix}{name}", index),
            f"{owner.name} {_WORDS[name]} {LETTERS[axis]}",
            low,
            high,
            1.0 if name == "scale" else 0.0,
            "" if bone is None else str(bone.name),
        )


def is_locked(obj: Any, target: Target) -> bool:
    """Return whether the artist has locked this transform channel of an object or a bone."""
    prefix, _, name = target.data_path.rpartition(".")
    lock = _LOCKS.get(name)
    if lock is None or target.index < 0:
        return False
    owner = obj.path_resolve(prefix) if prefix else obj
    index = target.index - 1 if name == "rotation_quaternion" else target.index
    return bool(getattr(owner, lock)[index]) if index >= 0 else bool(owner.lock_rotation_w)


def property_knob(block: Any, data_path: str, index: int) -> Knob | None:
    """Return the knob of a float property at an RNA path, or None for any other kind of value."""
    if re.search(r"(^|\.)(location|rotation_euler|rotation_quaternion|scale)$", data_path):
        return _transform_by_path(block, data_path, index)
    value = block.path_resolve(data_path)
    value = value if index < 0 else value[index]
    if not isinstance(value, float):
        return None
    target = Target(str(block.id_type), str(block.name), data_path, index)
    if data_path.endswith("]"):
        owner_path, _, quoted = data_path.rpartition('["')
        owner = block.path_resolve(owner_path) if owner_path else block
        name = bpy.utils.unescape_identifier(quoted[:-2])
        low, high, rest = _custom_bounds(owner, name)
    else:
        owner_path, _, name = data_path.rpartition(".")
        owner = block.path_resolve(owner_path) if owner_path else block
        low, high, rest = _own_bounds(owner, name)
    bone = str(owner.name) if isinstance(owner, bpy.types.PoseBone) else ""
    label = f"{owner.name} {name}" if index < 0 else f"{owner.name} {name} {index}"
    return Knob(target, label, low, high, rest, bone)


def _transform_by_path(block: Any, data_path: str, index: int) -> Knob | None:
    prefix, _, name = data_path.rpartition(".")
    owner = block.path_resolve(prefix) if prefix else block
    axis = index - 1 if name == "rotation_quaternion" else index
    if axis < 0 or block.id_type != "OBJECT":
        return None
    kind = "rotation" if name.startswith("rotation") else name
    bone = None if owner == block else owner
    knobs = transform_knobs(block, bone, kind, range(axis, axis + 1))
    return next((knob for knob in knobs if knob.target.data_path == data_path), None)


def _transform_bounds(owner: Any, name: str, axis: int) -> tuple[float, float]:
    low, high = -inf, inf
    if name == "rotation_euler":
        low, high = -pi, pi
    elif name == "rotation_quaternion":
        low, high = -1.0, 1.0  # a quarter turn each way, as Blender scales the four to length 1
    elif name == "scale":
        low = SMALLEST_SCALE
    letter = LETTERS[axis].lower()
    for limit in owner.constraints:
        if limit.type != _LIMITS.get(name) or limit.mute or limit.influence < 1.0:
            continue
        if limit.owner_space not in ("LOCAL", "LOCAL_WITH_PARENT"):
            continue
        if name == "rotation_euler":
            if getattr(limit, f"use_limit_{letter}"):
                low = max(low, float(getattr(limit, f"min_{letter}")))
                high = min(high, float(getattr(limit, f"max_{letter}")))
            continue
        if getattr(limit, f"use_min_{letter}"):
            low = max(low, float(getattr(limit, f"min_{letter}")))
        if getattr(limit, f"use_max_{letter}"):
            high = min(high, float(getattr(limit, f"max_{letter}")))
    return low, high


def _custom_bounds(owner: Any, name: str) -> tuple[float, float, float]:
    said = owner.id_properties_ui(name).as_dict()
    low = max(float(said.get("min", -inf)), float(said.get("soft_min", -inf)))
    high = min(float(said.get("max", inf)), float(said.get("soft_max", inf)))
    default = said.get("default", 0.0)
    rest = float(default) if isinstance(default, int | float) else 0.0
    return _finite(low, high, rest)


def _own_bounds(owner: Any, name: str) -> tuple[float, float, float]:
    if isinstance(owner, bpy.types.ShapeKey) and name == "value":
        return _finite(float(owner.slider_min), float(owner.slider_max), 0.0)
    prop = owner.bl_rna.properties.get(name)
    if prop is None:
        return -inf, inf, 0.0
    return _finite(float(prop.soft_min), float(prop.soft_max), float(prop.default))


def _finite(low: float, high: float, rest: float) -> tuple[float, float, float]:
    low = -inf if low < -NO_LIMIT else low
    high = inf if high > NO_LIMIT else high
    return low, high, min(max(rest, low), high)
