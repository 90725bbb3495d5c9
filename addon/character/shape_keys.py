"""Shape keys as numbers: names, slider ranges, values set for a moment and put back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ...errors import InputError

#: A slider range narrower than this moves nothing that could be seen.
SMALLEST_RANGE = 1e-4

#: Name that actions made here begin with.
ACTION_PREFIX = "Microface"


@dataclass(frozen=True)
class ShapeKeys:
    """The channels of a face as columns.

    `names` (S strings); `lower` and `upper` (S,) float64 bounds of the change from the neutral,
    always with `lower <= 0 <= upper`.
    """

    names: tuple[str, ...]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]


def free_keys(block: Any) -> list[Any]:
    """Return the keys of a `bpy.types.Key` that can be keyed.

    Left out: the basis, muted keys, keys without a range, and keys driven by an expression or a
    control (a driver would overrule what is keyed).
    """
    driven = driven_keys(block)
    return [
        key
        for key in block.key_blocks
        if key != block.reference_key
        and not key.mute
        and key.name not in driven
        and float(key.slider_max) - float(key.slider_min) >= SMALLEST_RANGE
    ]


def no_free_key(obj: Any) -> InputError:
    """Return the error about a face of which nothing can be moved."""
    return InputError(
        f"No shape key of '{obj.name}' can be moved: all are muted, driven, or without range.",
        "Unmute the shape keys of the face, or remove their drivers.",
    )


def shape_key_block(obj: Any) -> Any:
    """Return the `bpy.types.Key` of a mesh with relative shape keys, or raise `InputError`."""
    if obj is None or obj.type != "MESH":
        named = "Nothing" if obj is None else f"'{obj.name}' ({obj.type.lower()})"
        raise InputError(f"{named} is not a mesh.", "Choose the mesh object of the face.")
    block = obj.data.shape_keys
    if block is None or len(block.key_blocks) < 2:
        raise _no_keys(obj)
    if not block.use_relative:
        raise InputError(
            f"The shape keys of '{obj.name}' are absolute.",
            "Turn on Relative in the shape key panel of the mesh.",
        )
    return block


def _no_keys(obj: Any) -> InputError:
    """Return the error about a mesh without shape keys, by what moves it instead."""
    movers = [getattr(one, "object", None) or getattr(one, "target", None) for one in obj.modifiers]
    for mover in movers:
        if mover is not None and mover.type == "MESH" and mover.data.shape_keys is not None:
            return InputError(
                f"'{obj.name}' has no shape keys of its own.",
                f"Choose '{mover.name}', which moves it; what it moves goes along.",
            )
    rigs = [one for one in movers if one is not None and one.type == "ARMATURE"]
    if rigs and (face := _largest_with_keys(rigs)) is not None:
        return InputError(
            f"'{obj.name}' has no shape keys.",
            f"Choose '{face.name}', which has them and hangs on the same rig.",
        )
    if rigs:
        return InputError(
            f"'{obj.name}' has no shape keys: bones alone move it.",
            "Pose each expression and keep it as a shape key (menu of the Armature modifier > Save"
            " as Shape Key); a bake keys these, over whatever the bones do.",
        )
    return InputError(
        f"'{obj.name}' has no shape keys.",
        "Choose the mesh that carries the facial shape keys, or add some to it.",
    )


def _largest_with_keys(rigs: list[Any]) -> Any:
    """Return the mesh of most vertices that has shape keys and one of these rigs, None without."""
    found = [
        one
        for one in bpy.data.objects
        if one.type == "MESH"
        and one.data.shape_keys is not None
        and any(getattr(modifier, "object", None) in rigs for modifier in one.modifiers)
    ]
    return max(found, key=lambda one: len(one.data.vertices), default=None)


def driven_keys(block: Any) -> frozenset[str]:
    """Return the names of the shape keys whose value has a driver that is not muted."""
    animation = block.animation_data
    if animation is None:
        return frozenset()
    paths = {driver.data_path for driver in animation.drivers if not driver.mute}
    return frozenset(
        str(key.name) for key in block.key_blocks if f"{key.path_from_id()}.value" in paths
    )


@contextmanager
def values_kept(obj: Any) -> Iterator[None]:
    """Put every shape-key value of `obj` back at the end, also after an error."""
    block = obj.data.shape_keys
    if block is None:
        yield
        return
    values = [float(key.value) for key in block.key_blocks]
    try:
        yield
    finally:
        for key, value in zip(block.key_blocks, values, strict=True):
            if key.value != value:
                key.value = value
