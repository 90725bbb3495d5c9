"""What mends a preflight finding; each is a function of the character's object."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import bpy

from ...errors import InputError


def unmute(obj: Any) -> None:
    """Unmute every shape key."""
    for key in obj.data.shape_keys.key_blocks:
        key.mute = False


def zero(obj: Any) -> None:
    """Set every shape key that is not driven to zero."""
    for key in obj.data.shape_keys.key_blocks:
        key.value = 0.0


def show(obj: Any) -> None:
    """Show the object in renders."""
    obj.hide_render = False


def apply_scale(obj: Any) -> None:
    """Apply the object's scale to its mesh and all its shape keys."""
    with _alone(obj):
        bpy.ops.object.transform_apply(location=False, rotation=False, scale=True)


def unwrap(obj: Any) -> None:
    """Give the mesh a UV layer by projection (good enough to bake into, not to paint)."""
    if obj.data.uv_layers.new(name="UVMap") is None:
        raise InputError(f"'{obj.name}' takes no UV layer.", "Unwrap the mesh by hand.")
    with _alone(obj):
        bpy.ops.object.mode_set(mode="EDIT")
        try:
            bpy.ops.mesh.select_all(action="SELECT")
            bpy.ops.uv.smart_project(island_margin=0.01)
        finally:
            bpy.ops.object.mode_set(mode="OBJECT")


@contextmanager
def _alone(obj: Any) -> Iterator[None]:
    """Make the object the only one that is selected, for operators that go by selection."""
    layer = bpy.context.view_layer
    active, selected = layer.objects.active, [one for one in layer.objects if one.select_get()]
    for one in selected:
        one.select_set(False)
    obj.select_set(True)
    layer.objects.active = obj
    try:
        yield
    finally:
        obj.select_set(False)
        for one in selected:
            one.select_set(True)
        layer.objects.active = active


def override(obj: Any) -> None:
    """Make a library override of a linked character, mesh and shape keys with it."""
    made = obj.override_create(remap_local_usages=True)
    if made is None:
        raise InputError(
            f"'{obj.name}' cannot be overridden.", "Make the library override by hand."
        )
    made.data.override_create(remap_local_usages=True)


#: What `Finding.fix` names.
FIXES: dict[str, Callable[[Any], None]] = {
    "unmute": unmute,
    "zero": zero,
    "show": show,
    "apply-scale": apply_scale,
    "unwrap": unwrap,
    "override": override,
}
