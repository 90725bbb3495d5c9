"""Everything of an open file that a user would call theirs, as plain data for comparing."""

from __future__ import annotations

from typing import Any

import bpy

#: Collections of a file whose members and values are compared.
COLLECTIONS = (
    "actions",
    "cameras",
    "collections",
    "images",
    "lights",
    "materials",
    "meshes",
    "objects",
    "scenes",
    "shape_keys",
    "texts",
    "textures",
    "worlds",
)
#: What Blender itself changes while it works.
RUNTIME = {"users", "session_uid", "is_evaluated", "is_dirty", "has_data", "is_updated"}


def dump() -> dict[str, dict[str, Any]]:
    """Return every datablock's simple properties, by collection and name."""
    return {
        kind: {block.name: values(block) for block in getattr(bpy.data, kind)}
        for kind in COLLECTIONS
    }


def values(block: Any) -> dict[str, Any]:
    """Return a struct's simple properties, and those of its render settings and shape keys."""
    found: dict[str, Any] = {}
    for prop in block.bl_rna.properties:
        name = prop.identifier
        if name in RUNTIME or name == "rna_type":
            continue
        if prop.type in {"BOOLEAN", "INT", "FLOAT", "STRING", "ENUM"}:
            value = getattr(block, name)
            found[name] = plain(value)
        elif prop.type == "POINTER" and name in {"render", "camera", "world", "parent", "data"}:
            other = getattr(block, name)
            found[name] = other.name if hasattr(other, "name") else other and values(other)
    if hasattr(block, "key_blocks"):
        found["keys"] = [(key.name, key.value, key.mute) for key in block.key_blocks]
        action = block.animation_data and block.animation_data.action
        found["animated_by"] = action and action.name
    if hasattr(block, "users_collection"):
        found["in"] = sorted(one.name for one in block.users_collection)
        found["scenes"] = sorted(one.name for one in block.users_scene)
    return found


def plain(value: Any) -> Any:
    """Return a property's value as something that compares by value."""
    if isinstance(value, bool | int | float | str | set | frozenset | type(None)):
        return value
    return [plain(one) for one in value]


def differences(before: dict[str, Any], after: dict[str, Any], where: str = "") -> list[str]:
    """Return what differs between two dumps, one line each."""
    lines = []
    for key in sorted({*before, *after}, key=str):
        old, new, place = before.get(key), after.get(key), f"{where}/{key}"
        if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
            old, new = dict(enumerate(old)), dict(enumerate(new))
        if isinstance(old, dict) and isinstance(new, dict):
            lines += differences(old, new, place)
        elif old != new:
            lines.append(f"{place}: {old} -> {new}")
    return lines


def animation(*, without_bakes: bool = False) -> dict[str, Any]:
    """Return all animation data of the open file, to the bit, and every slider.

    Without the bakes' own actions where a muted bake keeps one.
    """
    actions = {
        action.name: _action(action)
        for action in bpy.data.actions
        if not (without_bakes and action.name.startswith("Microface"))
    }
    blocks = {}
    for kind in ("shape_keys", "objects", "armatures", "meshes", "materials", "scenes"):
        for block in getattr(bpy.data, kind):
            blocks[f"{kind} {block.name}"] = {
                "animation": _animation_data(block.animation_data),
                "users": block.users,
                "custom": sorted(map(str, block.keys())),
                **{f"value {key.name}": key.value for key in getattr(block, "key_blocks", ())},
                **_posed(block),
            }
    return {"actions": actions, "blocks": blocks}


def _posed(block: Any) -> dict[str, Any]:
    pose = getattr(block, "pose", None)
    found = {}
    for bone in pose.bones if pose else ():
        custom = {name: plain(bone[name]) for name in bone.keys()}  # noqa: SIM118
        channels = (bone.location, bone.rotation_quaternion, bone.scale)
        found[f"pose {bone.name}"] = [*map(plain, channels), custom]
    return found


def _action(action: Any) -> dict[str, Any]:
    found: dict[str, Any] = {**_simple(action), "users": action.users}
    for name in action.keys():  # noqa: SIM118
        value = action[name]
        found[f"custom {name}"] = value.name if isinstance(value, bpy.types.ID) else str(value)
    if hasattr(action, "slots"):
        found["slots"] = [_simple(slot) for slot in action.slots]
        for index, layer in enumerate(action.layers):
            found[f"layer {index}"] = _simple(layer)
            for place, strip in enumerate(layer.strips):
                found[f"strip {index} {place}"] = _simple(strip)
                for bag in strip.channelbags:
                    found[f"bag {index} {place} {bag.slot_handle}"] = _curves(bag.fcurves)
    else:
        found["curves"] = _curves(action.fcurves)
    return found


def _curves(curves: Any) -> list[Any]:
    return [
        {
            **_simple(curve),
            "group": curve.group and curve.group.name,
            "modifiers": [_simple(one) for one in curve.modifiers],
            "keys": [_simple(key) for key in curve.keyframe_points],
        }
        for curve in curves
    ]


def _animation_data(data: Any) -> Any:
    if data is None:
        return None
    slot = getattr(data, "action_slot", None)
    return {
        **_simple(data),
        "action": data.action and data.action.name,
        "slot": slot and slot.identifier,
        "drivers": [_driver(one) for one in data.drivers],
        "tracks": [
            {**_simple(track), "strips": [_strip(strip) for strip in track.strips]}
            for track in data.nla_tracks
        ],
    }


def _driver(curve: Any) -> Any:
    return [_simple(curve), _simple(curve.driver), [_simple(one) for one in curve.driver.variables]]


def _strip(strip: Any) -> dict[str, Any]:
    slot = getattr(strip, "action_slot", None)
    return {
        **_simple(strip),
        "action": strip.action and strip.action.name,
        "slot": slot and slot.identifier,
        "curves": _curves(strip.fcurves),
    }


def _simple(struct: Any) -> dict[str, Any]:
    return {
        prop.identifier: plain(getattr(struct, prop.identifier))
        for prop in struct.bl_rna.properties
        if prop.type in {"BOOLEAN", "INT", "FLOAT", "STRING", "ENUM"}
        and prop.identifier not in RUNTIME
    }
