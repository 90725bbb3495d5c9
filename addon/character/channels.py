"""What a bake may move of a face: free shape keys, and the controls that drive the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .channel import Channel, Target, get_number, set_number, target_values
from .controls import read_rig
from .family import family_of
from .resting import resting_values
from .shape_keys import (
    SMALLEST_RANGE,
    driven_keys,
    free_keys,
    no_free_key,
    shape_key_block,
)

__all__ = [
    "Channel",
    "Target",
    "face_channels",
    "free_channels",
    "get_number",
    "set_number",
    "target_values",
]


def face_channels(obj: Any) -> tuple[Channel, ...]:
    """Return what a bake may move of the face that `obj` is the main mesh of.

    The free shape keys, then the controls that drive the other keys. Raises `InputError` if there
    is none.
    """
    shape_key_block(obj)
    family = family_of(obj)
    channels = (*free_channels(family), *read_rig(family).channels)
    if not channels:
        raise no_free_key(obj)
    return channels


def free_channels(family: Sequence[Any]) -> tuple[Channel, ...]:
    """Return the free shape keys of a face's meshes, the main mesh first, as channels.

    Those of the main mesh in its order, each with the keys of that name on the other meshes; then
    those that only the others have.
    """
    found: dict[str, list[tuple[Target, float, float, float]]] = {}
    bound: set[str] = set()
    for mesh in family:
        block = mesh.data.shape_keys
        rest = resting_values(block)
        for key in free_keys(block):
            if key.name in bound:
                continue
            low, high = float(key.slider_min), float(key.slider_max)
            target = Target("KEY", str(block.name), f"{key.path_from_id()}.value")
            found.setdefault(str(key.name), []).append((target, low, high, rest[key.name]))
        # A key that a rig drives here is the rig's business on the other meshes too.
        bound |= driven_keys(block)
    channels = []
    for name, parts in found.items():
        neutral = parts[0][3]
        lower = max(part[1] for part in parts) - neutral
        upper = min(part[2] for part in parts) - neutral
        targets = tuple(dict.fromkeys(part[0] for part in parts))
        if upper - lower >= SMALLEST_RANGE and lower <= 0.0 <= upper:
            channels.append(Channel(name, targets, lower, upper, neutral, "shape key"))
    return tuple(channels)
