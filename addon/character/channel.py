"""One thing that a bake keys: numbers on data blocks, by names that outlive undo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ...errors import InputError

#: Where `bpy.data` holds what a target may lie on, by `ID.id_type`.
COLLECTIONS = {
    "ARMATURE": "armatures",
    "CAMERA": "cameras",
    "COLLECTION": "collections",
    "CURVE": "curves",
    "KEY": "shape_keys",
    "LATTICE": "lattices",
    "LIGHT": "lights",
    "MATERIAL": "materials",
    "MESH": "meshes",
    "OBJECT": "objects",
    "SCENE": "scenes",
    "SPEAKER": "speakers",
    "TEXT": "texts",
    "WORLD": "worlds",
}


@dataclass(frozen=True)
class Target:
    """One animatable number.

    `id_type` and `id_name` say on which data block (`bpy.types.ID.id_type`; of two blocks of one
    name the local one), `data_path` where in it, `index` which number of an array (-1: no array).
    """

    id_type: str
    id_name: str
    data_path: str
    index: int = -1

    def block(self) -> Any:
        """Return the data block; raises `InputError` where it is gone."""
        found = getattr(bpy.data, COLLECTIONS.get(self.id_type, ""), None)
        block = None if found is None else found.get((self.id_name, None))
        if block is None and found is not None:
            block = found.get(self.id_name)
        if block is None:
            raise InputError(
                f"'{self.id_name}' ({self.id_type.lower()}) is no longer in the file.",
                "Generate the clip again.",
            )
        return block

    def get(self) -> float:
        """Return the value as it stands."""
        return get_number(self.block(), self.data_path, self.index)

    def set(self, value: float) -> None:
        """Set the value; Blender clamps it to the property's own hard limits."""
        set_number(self.block(), self.data_path, self.index, value)


@dataclass(frozen=True)
class Channel:
    """One thing about a face that a bake moves: a shape key, or a rig's control.

    `name` is unique in the face; all `targets` get the same value, `neutral` plus the weight;
    the weight lies within `lower <= 0 <= upper`, in the channel's own unit. `kind` is 'shape key'
    or 'control'. Two channels may share a target (a control that does one thing pulled up and
    another pulled down): `target_values` adds them.
    """

    name: str
    targets: tuple[Target, ...]
    lower: float
    upper: float
    neutral: float
    kind: str

    @property
    def unit(self) -> float:
        """What is a lot in the channel's own unit: 1 of a shape key, a control's whole reach.

        A control may go from 0 to 0.01 metres or to 100 degrees; tolerances and thresholds given
        for weights of shape keys hold for it times this.
        """
        return 1.0 if self.kind == "shape key" else max(-self.lower, self.upper)


def target_values(
    channels: Sequence[Channel], weights: NDArray[np.floating[Any]]
) -> dict[Target, NDArray[np.float64]]:
    """Return the values (T,) of each target at weights (T,S) of the channels."""
    values: dict[Target, NDArray[np.float64]] = {}
    for channel, column in zip(channels, np.asarray(weights, np.float64).T, strict=True):
        for target in channel.targets:
            values[target] = values.get(target, channel.neutral) + column
    return values


def get_number(block: Any, data_path: str, index: int = -1) -> float:
    """Return the number at an RNA path of a data block; raises ValueError where there is none."""
    if index >= 0:
        return float(block.path_resolve(data_path)[index])
    if data_path.endswith("]"):
        # Blender keeps these in double precision, and its own look-up rounds them.
        owner, name = _custom(block, data_path)
        return float(owner[name])
    return float(block.path_resolve(data_path))


def set_number(block: Any, data_path: str, index: int, value: float) -> None:
    """Set the number at an RNA path of a data block, and tell Blender that it changed."""
    if index >= 0:
        block.path_resolve(data_path)[index] = value
    elif data_path.endswith("]"):
        owner, name = _custom(block, data_path)
        owner[name] = value
    else:
        owner_path, _, name = data_path.rpartition(".")
        setattr(block.path_resolve(owner_path) if owner_path else block, name, value)
    block.update_tag()


def _custom(block: Any, data_path: str) -> tuple[Any, str]:
    """Return the owner and the name of the custom property at a path."""
    owner_path, _, name = data_path.rpartition('["')
    owner = block.path_resolve(owner_path) if owner_path else block
    return owner, bpy.utils.unescape_identifier(name[:-2])
