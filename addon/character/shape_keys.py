"""Shape keys as numbers: names, slider ranges, values set for a moment and put back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import InputError

#: A slider range narrower than this moves nothing that could be seen.
SMALLEST_RANGE = 1e-4

#: Name that actions made here begin with.
ACTION_PREFIX = "Microface"


@dataclass(frozen=True)
class ShapeKeys:
    """The relative shape keys of a mesh that a bake may move.

    `names` (S strings) in the order of the mesh, the basis and muted keys left out; `lower` and
    `upper` (S,) float64 slider ranges, always with `lower <= 0 <= upper`.
    """

    names: tuple[str, ...]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]


def read_shape_keys(obj: Any) -> ShapeKeys:
    """Return the shape keys of `obj` that can be moved.

    Left out: the basis, muted keys, and keys driven by an expression or a control (a driver would
    overrule what is keyed). Raises `InputError` if none is left.
    """
    block = shape_key_block(obj)
    driven = driven_keys(block)
    names: list[str] = []
    lower: list[float] = []
    upper: list[float] = []
    for key in block.key_blocks:
        if key == block.reference_key or key.mute or key.name in driven:
            continue
        low, high = min(float(key.slider_min), 0.0), max(float(key.slider_max), 0.0)
        if high - low < SMALLEST_RANGE:
            continue
        names.append(str(key.name))
        lower.append(low)
        upper.append(high)
    if not names:
        raise InputError(
            f"No shape key of '{obj.name}' can be moved: all are muted, driven, or without range.",
            "Unmute the shape keys of the face, or remove their drivers.",
        )
    return ShapeKeys(tuple(names), np.array(lower), np.array(upper))


def shape_key_block(obj: Any) -> Any:
    """Return the `bpy.types.Key` of a mesh with relative shape keys, or raise `InputError`."""
    if obj is None or obj.type != "MESH":
        named = "Nothing" if obj is None else f"'{obj.name}' ({obj.type.lower()})"
        raise InputError(f"{named} is not a mesh.", "Choose the mesh object of the face.")
    block = obj.data.shape_keys
    if block is None or len(block.key_blocks) < 2:
        raise InputError(
            f"'{obj.name}' has no shape keys.",
            "Choose the mesh that carries the facial shape keys, or add some to it.",
        )
    if not block.use_relative:
        raise InputError(
            f"The shape keys of '{obj.name}' are absolute.",
            "Turn on Relative in the shape key panel of the mesh.",
        )
    return block


def driven_keys(block: Any) -> frozenset[str]:
    """Return the names of the shape keys whose value has a driver."""
    animation = block.animation_data
    if animation is None:
        return frozenset()
    paths = {driver.data_path for driver in animation.drivers}
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
