"""What drives a face's shape keys: drivers followed back to numbers that can be keyed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import bpy

from .channel import Target
from .knobs import Knob, is_locked, property_knob, transform_knobs

#: Chains of drivers and constraints longer than this are taken for circles.
LONGEST_CHAIN = 12

#: A shape key by its key block and its own name.
Sink = tuple[str, str]

_KINDS = {"LOC": "location", "ROT": "rotation", "SCALE": "scale"}
_NUMBERED = re.compile(r"^(?P<path>.*)\[(?P<index>\d+)\]$")
_FRAME = re.compile(r"\bframe\b")


@dataclass
class Wiring:
    """The knobs that shape keys hang on, and why some hang on none.

    `driven` all driven shape keys that are not muted, `followers` those of them that follow a
    shape key that is free; `reasons` what is in the way, by shape key.
    """

    driven: set[Sink] = field(default_factory=set)
    followers: set[Sink] = field(default_factory=set)
    knobs: dict[Target, Knob] = field(default_factory=dict)
    reasons: dict[Sink, list[str]] = field(default_factory=dict)

    def blame(self, sink: Sink, reason: str) -> None:
        """Note a reason once."""
        said = self.reasons.setdefault(sink, [])
        if reason not in said:
            said.append(reason)


def trace_rig(family: list[Any]) -> Wiring:
    """Follow the drivers of all meshes of a face back to what an animator could key."""
    wiring = Wiring()
    blocks = {str(mesh.data.shape_keys.name): mesh.data.shape_keys for mesh in family}
    for name, block in blocks.items():
        if block.animation_data is None:
            continue
        paths = {f"{key.path_from_id()}.value": key for key in block.key_blocks}
        for curve in block.animation_data.drivers:
            key = paths.get(curve.data_path)
            if key is None or curve.mute or key.mute:
                continue
            sink = (name, str(key.name))
            wiring.driven.add(sink)
            _Walk(wiring, sink, set(blocks)).driver(curve, 0)
    return wiring


@dataclass
class _Walk:
    """One walk from a shape key back along its driver."""

    wiring: Wiring
    sink: Sink
    blocks: set[str]
    seen: set[tuple[str, str, str]] = field(default_factory=set)

    def driver(self, curve: Any, depth: int) -> None:
        driver = curve.driver
        if depth > LONGEST_CHAIN:
            self.wiring.blame(self.sink, "its drivers form a circle")
            return
        if not driver.is_valid or not curve.is_valid:
            self.wiring.blame(self.sink, "its driver has an error")
        if driver.type == "SCRIPTED":
            if _FRAME.search(driver.expression):
                self.wiring.blame(self.sink, "its driver reads the frame number")
            if not driver.variables and not _FRAME.search(driver.expression):
                self.wiring.blame(self.sink, f"its driver is the constant {driver.expression!r}")
        for variable in driver.variables:
            self._variable(variable, depth)

    def _variable(self, variable: Any, depth: int) -> None:
        if variable.type == "CONTEXT_PROP":
            self.wiring.blame(self.sink, "its driver reads a setting of the scene")
            return
        for target in variable.targets:
            if target.id is None:
                self.wiring.blame(self.sink, "its driver has an error")
            elif variable.type == "SINGLE_PROP":
                self._property(target.id, target.data_path, depth)
            else:
                self._transform(variable, target, depth)

    def _property(self, block: Any, data_path: str, depth: int) -> None:
        matched = _NUMBERED.match(data_path)
        path = matched["path"] if matched else data_path
        index = int(matched["index"]) if matched else -1
        self._number(block, path, index, depth)

    def _number(self, block: Any, path: str, index: int, depth: int) -> None:
        place = (str(block.id_type), str(block.name), f"{path}[{index}]")
        if place in self.seen:
            return
        self.seen.add(place)
        before = [
            curve
            for curve in (block.animation_data.drivers if block.animation_data else ())
            if curve.data_path == path and index in (-1, curve.array_index) and not curve.mute
        ]
        for curve in before:
            self.driver(curve, depth + 1)
        if before:
            return
        if block.id_type == "KEY" and str(block.name) in self.blocks:
            self.wiring.followers.add(self.sink)
            return
        try:
            knob = property_knob(block, path, index)
        except (ValueError, KeyError, IndexError, AttributeError, TypeError):
            self.wiring.blame(self.sink, f"its driver reads '{path}', which is not there")
            return
        if knob is None:
            self.wiring.blame(self.sink, f"'{path}' of '{block.name}' is a switch, not a slider")
        else:
            self._add(block, knob)

    def _transform(self, variable: Any, target: Any, depth: int) -> None:
        bone = None
        if target.id.id_type != "OBJECT":
            return
        if target.bone_target:
            bone = target.id.pose.bones.get(target.bone_target) if target.id.pose else None
            if bone is None:
                self.wiring.blame(self.sink, f"the bone '{target.bone_target}' is not there")
                return
        if variable.type == "ROTATION_DIFF":
            wanted = [("rotation", range(3))]
        elif variable.type == "LOC_DIFF":
            wanted = [("location", range(3))]
        else:
            word, _, letter = target.transform_type.partition("_")
            local = target.transform_space == "LOCAL_SPACE" and letter in ("X", "Y", "Z")
            axis = "XYZ".find(letter)
            wanted = [(_KINDS.get(word, "scale"), range(axis, axis + 1) if local else range(3))]
        self._owner(target.id, bone, wanted, depth)

    def _owner(self, obj: Any, bone: Any, wanted: list[tuple[str, range]], depth: int) -> None:
        owner = obj if bone is None else bone
        if bone is not None and obj.data.pose_position == "REST":
            self.wiring.blame(self.sink, f"'{obj.name}' is in Rest Position")
        for kind, components in wanted:
            if kind == "rotation" and owner.rotation_mode == "AXIS_ANGLE":
                self.wiring.blame(self.sink, f"'{owner.name}' turns by axis and angle")
            for knob in transform_knobs(obj, bone, kind, components):
                self._number(obj, knob.target.data_path, knob.target.index, depth)
        place = (str(obj.name), "" if bone is None else str(bone.name), "constraints")
        if place in self.seen or depth > LONGEST_CHAIN:
            return
        self.seen.add(place)
        for leader, leading in _leaders(owner):
            everything = [(kind, range(3)) for kind in ("location", "rotation", "scale")]
            self._owner(leader, leading, everything, depth + 1)

    def _add(self, block: Any, knob: Knob) -> None:
        if block.library is not None:
            self.wiring.blame(self.sink, f"its control is on '{block.name}', which is linked")
        elif is_locked(block, knob.target):
            self.wiring.blame(self.sink, f"its control '{knob.label}' is locked")
        else:
            self.wiring.knobs.setdefault(knob.target, knob).sinks.add(self.sink)


def is_led(knob: Knob) -> bool:
    """Return whether a knob is of a bone or an object that an action plays on as another moves.

    Such a bone is a rig's mechanism. One that copies another, a lid that follows the gaze, is not.
    """
    owner = bpy.data.objects.get(knob.target.id_name) if knob.target.id_type == "OBJECT" else None
    if owner is not None and knob.bone:
        owner = owner.pose.bones.get(knob.bone)
    return owner is not None and any(one.type == "ACTION" for one in owner.constraints)


def _leaders(owner: Any) -> Iterator[tuple[Any, Any]]:
    """Yield (object, bone or None) that constraints make a bone or an object follow."""
    for constraint in owner.constraints:
        if constraint.mute:
            continue
        targets = [constraint, *getattr(constraint, "targets", ())]
        for one in targets:
            leader = getattr(one, "target", None)
            if leader is None:
                continue
            name = getattr(one, "subtarget", "")
            yield leader, leader.pose.bones.get(name) if name and leader.pose else None
