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
        if isinstance(old, dict) and isinstance(new, dict):
            lines += differences(old, new, place)
        elif old != new:
            lines.append(f"{place}: {old} -> {new}")
    return lines
