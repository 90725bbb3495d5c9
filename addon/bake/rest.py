"""Numbers on data blocks by curve path, and what Blender takes them to be where nothing plays.

A curve names a number by data path and array index, which is 0 for a plain property.
"""

from __future__ import annotations

import math
from typing import Any

import bpy

from ..character.channels import get_number, set_number

#: What a path that leads nowhere raises.
GONE = (KeyError, ValueError, TypeError, IndexError, AttributeError)


def read_number(block: Any, path: str, index: int) -> float:
    """Return the number that a curve would animate; raises one of `GONE` where there is none."""
    return get_number(block, path, index if is_array(block, path) else -1)


def write_number(block: Any, path: str, index: int, value: float) -> None:
    """Set the number that a curve would animate, if it differs; raises one of `GONE`."""
    if read_number(block, path, index) != value:
        set_number(block, path, index if is_array(block, path) else -1, value)


def is_there(block: Any, path: str, index: int) -> bool:
    """Return whether a block has the number at a path."""
    try:
        read_number(block, path, index)
    except GONE:
        return False
    return True


def is_array(block: Any, path: str) -> bool:
    """Return whether the property at a path has several numbers."""
    return hasattr(block.path_resolve(path), "__len__")


def value_at_rest(block: Any, path: str, index: int) -> float:
    """Return the default of a number, which NLA strips add to; NaN where there is no number."""
    if not is_there(block, path, index):
        return math.nan
    owner, name, is_custom = _owner(block, path)
    if is_custom:
        default = owner.id_properties_ui(name).as_dict().get("default", 0.0)
        return float(default[index] if hasattr(default, "__len__") else default)
    prop = owner.bl_rna.properties[name]
    return float(prop.default_array[index] if prop.is_array else prop.default)


def rests_at_zero(block: Any, path: str, index: int) -> bool:
    """Return whether adding a curve's value to its ground gives that value bit for bit.

    True for dead curves too, as they play nothing.
    """
    if not is_there(block, path, index):
        return True
    owner, name, is_custom = _owner(block, path)
    if not is_custom:
        prop = owner.bl_rna.properties[name]
        # Quaternions and their like are not mixed by adding; switches cannot be added to.
        if prop.type != "FLOAT" or prop.subtype in {"QUATERNION", "AXISANGLE"}:
            return False
    return value_at_rest(block, path, index) == 0.0


def _owner(block: Any, path: str) -> tuple[Any, str, bool]:
    """Return what holds a property, the property's name, and whether it is a custom one."""
    if path.endswith("]"):
        head, _, name = path.rpartition('["')
        owner = block.path_resolve(head) if head else block
        return owner, bpy.utils.unescape_identifier(name[:-2]), True
    head, _, name = path.rpartition(".")
    return (block.path_resolve(head) if head else block), name, False
