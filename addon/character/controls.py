"""A rig's controls as channels, and the shape keys that no control can be keyed for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from .atrest import at_rest
from .channel import Channel, Target
from .family import home_scene
from .knobs import Knob
from .probing import Effect, probe
from .puppet import Puppet, puppet
from .rig import Wiring, is_led, trace_rig
from .shape_keys import values_kept
from .surface import world_positions

#: A control that carries this share of the face along rigidly poses the head.
POSE_SHARE = 0.9
#: What is left of its motion beside a rigid one, at most.
RIGID_SHARE = 0.1
#: Share of a control's range at which that is looked at.
POSE_PROBE = 0.25


@dataclass(frozen=True)
class Unkeyed:
    """A driven shape key `key` of `mesh` that no channel moves, and `why`."""

    mesh: str
    key: str
    why: str


@dataclass(frozen=True)
class Rig:
    """What a rig offers: `channels`, the keys it does not give away, and what to know of it.

    `curved` names the controls whose effect is not proportional over their range, `poses` those
    that were left out because they pose the head as a whole.
    """

    channels: tuple[Channel, ...] = ()
    unkeyed: tuple[Unkeyed, ...] = ()
    curved: tuple[str, ...] = ()
    poses: tuple[str, ...] = ()


def read_rig(family: list[Any]) -> Rig:
    """Probe the controls that drive the shape keys of a face's meshes, the main mesh first.

    Everything that was turned is put back bit for bit.
    """
    wiring = trace_rig(family)
    knobs = list(wiring.knobs.values())
    _tell_apart(knobs)
    effects: list[Effect] = []
    poses: set[str] = set()
    if knobs:
        sinks = tuple(sorted(wiring.driven))
        home = home_scene(family[0]).view_layers[0]
        resting = [(knob.target, knob.rest) for knob in knobs]
        with at_rest(resting, home), puppet(family, sinks) as doll:
            effects = probe(doll, knobs)
            poses = set(_poses(doll, family[0], effects))
    effects = _firsthand([effect for effect in effects if effect.knob.label not in poses])
    channels = tuple(channel for effect in effects for channel in _channels(effect))
    return Rig(
        channels,
        tuple(_unkeyed(wiring, effects, family)),
        tuple(effect.knob.label for effect in effects if not effect.is_linear),
        tuple(sorted(poses)),
    )


def _tell_apart(knobs: list[Knob]) -> None:
    """Let labels that several knobs have (two rigs may have bones of one name) say of what."""
    said = Counter(knob.label for knob in knobs)
    for knob in knobs:
        if said[knob.label] > 1:
            knob.label = f"{knob.target.id_name} {knob.label}"


def _firsthand(effects: list[Effect]) -> list[Effect]:
    """Leave out mechanisms that a control moves to the same keys: an animator moves that one."""
    led = [is_led(effect.knob) for effect in effects]
    leading = [effect.knob.sinks for effect, by in zip(effects, led, strict=True) if not by]
    return [
        effect
        for effect, by in zip(effects, led, strict=True)
        if not by or effect.knob.sinks not in leading
    ]


def _channels(effect: Effect) -> Iterator[Channel]:
    label, targets, rest = effect.knob.label, (effect.knob.target,), effect.rest
    lower, upper = effect.low - rest, effect.high - rest
    if effect.has_two_faces:
        yield Channel(f"{label} +", targets, 0.0, upper, rest, "control")
        yield Channel(f"{label} -", targets, lower, 0.0, rest, "control")
    else:
        yield Channel(label, targets, lower, upper, rest, "control")


def _unkeyed(wiring: Wiring, effects: list[Effect], family: list[Any]) -> Iterator[Unkeyed]:
    owners = {str(mesh.data.shape_keys.name): str(mesh.name) for mesh in reversed(family)}
    moved = {sink for effect in effects for sink in effect.knob.sinks}
    for sink in sorted(wiring.driven - wiring.followers - moved):
        reasons = wiring.reasons.get(sink, [])
        if not reasons:
            reasons = ["nothing that its driver reads moves it"]
        yield Unkeyed(owners.get(sink[0], sink[0]), sink[1], "; ".join(reasons))


def _poses(doll: Puppet, face: Any, effects: list[Effect]) -> Iterator[str]:
    """Yield the labels of the controls that carry the whole face along, such as a head bone."""
    bodies = set(_bodies(face))
    suspects = [
        effect
        for effect in effects
        if effect.knob.target.id_type == "OBJECT"
        and effect.knob.target.id_name in bodies
        and _deforms(effect.knob)
    ]
    if not suspects:
        return
    linked = doll.scene.collection.objects
    with values_kept(face):
        linked.link(face)
        try:
            layer = doll.scene.view_layers[0]
            layer.update()
            still = world_positions(face, layer.depsgraph)
            for effect in suspects:
                far = max((effect.low, effect.high), key=lambda end: abs(end - effect.rest))
                doll.set(effect.knob.target, effect.rest + POSE_PROBE * (far - effect.rest))
                layer.update()
                moved = world_positions(face, layer.depsgraph)
                doll.set(effect.knob.target, effect.rest)
                if moved.shape == still.shape and _is_rigid(still, moved):
                    yield effect.knob.label
        finally:
            linked.unlink(face)


def _bodies(face: Any) -> Iterator[str]:
    """Yield the names of what may carry a face along: its parents, and the rigs that deform it."""
    one = face
    while one is not None:
        for modifier in one.modifiers:
            if modifier.type == "ARMATURE" and modifier.object is not None:
                yield str(modifier.object.name)
        one = one.parent
        if one is not None:
            yield str(one.name)


def _deforms(knob: Knob) -> bool:
    obj = bpy.data.objects[knob.target.id_name]
    if not knob.bone:
        return True
    bone = obj.data.bones[knob.bone]
    return bool(bone.use_deform) or any(child.use_deform for child in bone.children_recursive)


def _is_rigid(still: Any, moved: Any) -> bool:
    motion = np.linalg.norm(moved - still, axis=1)
    largest = float(motion.max(initial=0.0))
    if largest == 0.0 or (motion > 0.1 * largest).mean() < POSE_SHARE:
        return False
    source, target = still - still.mean(axis=0), moved - moved.mean(axis=0)
    u, _, vt = np.linalg.svd(source.T @ target)
    rest = target - source @ u @ vt
    return bool(np.sqrt((rest**2).sum(axis=1).mean()) < RIGID_SHARE * np.sqrt((motion**2).mean()))


def rests(channels: tuple[Channel, ...]) -> list[tuple[Target, float]]:
    """Return where the controls among the channels rest."""
    resting = {
        target: channel.neutral
        for channel in channels
        if channel.kind == "control"
        for target in channel.targets
    }
    return list(resting.items())
