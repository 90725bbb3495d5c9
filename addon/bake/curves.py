"""Actions, slots and curves that every Blender from 4.2 on understands.

Up to 4.3 an action holds its curves itself and plays on any data block, so that a bake of several
blocks needs an action for each; from 4.4 one action has a slot per block, and its curves lie in
layers and strips; from 5.0 those alone. This is the only file that knows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

#: A curve's keys: frames (N,) and values (N,).
Keys = tuple[NDArray[np.floating[Any]], NDArray[np.floating[Any]]]
#: Which number of a block a curve animates: data path and array index (0 for a plain property).
Path = tuple[str, int]

#: Whether actions have slots.
HAS_SLOTS = hasattr(bpy.types, "ActionSlot")
#: Custom properties where there are no slots: the bake's main action, and for which of its blocks
#: (their place in the list) an action is.
MAIN, BLOCK = "microface_part_of", "microface_block"


@dataclass(frozen=True)
class Part:
    """What of a bake plays on one data block: an action, and the slot in it (None before 4.4).

    Holds references: not to be kept across undo or the loading of a file.
    """

    id_type: str
    id_name: str
    action: Any
    slot: Any

    @property
    def handle(self) -> int:
        """A number that tells the slots of an action apart."""
        return 0 if self.slot is None else int(self.slot.handle)

    @property
    def curves(self) -> Any:
        """The collection of this part's curves."""
        if not HAS_SLOTS:
            return self.action.fcurves
        return self.action.layers[0].strips[0].channelbag(self.slot, ensure=True).fcurves


def make_parts(name: str, blocks: list[tuple[str, str]]) -> list[Part]:
    """Make the action, or actions, of a bake for data blocks (id_type, id_name); the main first."""
    main = bpy.data.actions.new(name)
    main.use_fake_user = False
    if HAS_SLOTS:
        strip = main.layers.new("Microface").strips.new(type="KEYFRAME")
        for id_type, id_name in blocks:
            slot = main.slots.new(id_type=id_type, name=id_name)
            strip.channelbag(slot, ensure=True)
        return parts_of(main, blocks)
    main.id_root, main[BLOCK] = blocks[0][0], 0
    for place, (id_type, id_name) in enumerate(blocks[1:], 1):
        action = bpy.data.actions.new(f"{name} {id_name}")
        action.use_fake_user = False
        action.id_root, action[MAIN], action[BLOCK] = id_type, main, place
    return parts_of(main, blocks)


def parts_of(main: Any, blocks: list[tuple[str, str]]) -> list[Part]:
    """Return the parts of a bake, by its main action and the blocks it was made for."""
    if HAS_SLOTS:
        # In the order of making: a slot's name may have been made unique.
        return [
            Part(id_type, id_name, main, slot)
            for (id_type, id_name), slot in zip(blocks, main.slots, strict=False)
        ]
    parts = []
    for action in [main, *(one for one in bpy.data.actions if one.get(MAIN) == main)]:
        place = int(action.get(BLOCK, -1))
        if 0 <= place < len(blocks):
            parts.append(Part(*blocks[place], action, None))
    return parts


def remove_parts(parts: list[Part]) -> None:
    """Delete the actions of a bake, the main one last."""
    mains = {part.action.get(MAIN) or part.action for part in parts}
    for action in {part.action for part in parts} - mains:
        bpy.data.actions.remove(action)
    for main in mains:
        bpy.data.actions.remove(main)


def write_curves(part: Part, curves: Mapping[Path, Keys]) -> None:
    """Replace the curves of a part; straight lines between keys, which overshoot nothing."""
    part.curves.clear()
    for (path, index), (frames, values) in curves.items():
        curve = part.curves.new(data_path=path, index=index)
        _fill(curve, frames, values)


def digest(part: Part) -> str:
    """Return a fingerprint of a part's curves as they are: paths, keys, how these are joined."""
    state = hashlib.sha256()
    for curve in part.curves:
        points = curve.keyframe_points
        pairs, kinds = np.empty(len(points) * 2, np.float32), np.empty(len(points), np.int32)
        points.foreach_get("co", pairs)
        points.foreach_get("interpolation", kinds)
        more = [str(curve.extrapolation), *("modified" for _ in curve.modifiers)]
        _add(state, (str(curve.data_path), int(curve.array_index)), pairs, kinds, more)
    return state.hexdigest()


def digest_of(curves: Mapping[Path, Keys]) -> str:
    """Return the fingerprint that a part has when `write_curves` has written these curves."""
    state = hashlib.sha256()
    for path, (frames, values) in curves.items():
        pairs = np.stack([frames, values], axis=1).astype(np.float32).ravel()
        _add(state, path, pairs, np.full(len(frames), _linear(), np.int32), ["CONSTANT"])
    return state.hexdigest()


def _add(
    state: Any,
    path: Path,
    pairs: NDArray[np.float32],
    kinds: NDArray[np.int32],
    more: list[str],
) -> None:
    state.update(f"{path[0]}\n{path[1]}\n{more}\n{len(kinds)}\n".encode())
    state.update(pairs.tobytes() + kinds.tobytes())


def _linear() -> int:
    return int(bpy.types.Keyframe.bl_rna.properties["interpolation"].enum_items["LINEAR"].value)


def curves_of(action: Any) -> Iterator[Any]:
    """Yield every curve of an action, whatever the version keeps it in."""
    if HAS_SLOTS:
        for layer in action.layers:
            for strip in layer.strips:
                for bag in strip.channelbags:
                    yield from bag.fcurves
    else:
        yield from action.fcurves


def played_curves(action: Any, slot: Any) -> Iterator[Any]:
    """Yield the curves that an action plays on the block that `slot` is assigned to."""
    if not HAS_SLOTS:
        yield from action.fcurves
        return
    for layer in action.layers:
        for strip in layer.strips:
            bag = strip.channelbag(slot) if slot is not None else None
            if bag is not None:
                yield from bag.fcurves


def slot_of(holder: Any) -> Any:
    """Return the slot that an `AnimData` or an NLA strip plays, or None."""
    return getattr(holder, "action_slot", None)


def assign(holder: Any, action: Any, slot: Any) -> None:
    """Let an `AnimData` play a slot of an action (or nothing)."""
    holder.action = action
    if HAS_SLOTS and action is not None:
        holder.action_slot = slot


def slot_by_handle(action: Any, handle: int) -> Any:
    """Return the slot of an action with a handle, or None."""
    if action is None or not HAS_SLOTS:
        return None
    return next((one for one in action.slots if one.handle == handle), None)


def _fill(curve: Any, frames: NDArray[np.floating[Any]], values: NDArray[np.floating[Any]]) -> None:
    points = curve.keyframe_points
    points.add(len(frames))
    pairs = np.stack([frames, values], axis=1).astype(np.float32)
    points.foreach_set("co", pairs.ravel())
    points.foreach_set("interpolation", np.full(len(frames), _linear(), np.int32))
    curve.extrapolation = "CONSTANT"
    curve.update()
