"""Characters with animation of their own, and bakes over it.

The checks here run in any Blender, by itself: `blender -b --python tests/addon/layering.py`, with
the folder above the checkout in PYTHONPATH where Microface is not installed.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

import heads
from dump import animation, differences
from microface.addon.bake.edit import edit_bake, list_bakes, remove_bake
from microface.addon.bake.problem import Solved
from microface.addon.bake.shape_keys import ShapeKeyBake, key_weights
from microface.addon.bake.time import TimeBase
from microface.addon.character.channels import face_channels
from microface.errors import InputError

COUNT = 24
TIMES = np.arange(COUNT) / 200
WAVE = np.sin(np.pi * np.arange(COUNT) / (COUNT - 1)) ** 2
WAVE[-1] = 0.0
FRAMES = [-7.0, -0.3, 1.0, 3.37, 8.0, 10.0, 10.7, 11.5, 12.0, 12.31, 13.0, 20.0, 41.9, 60.0, 300.5]


def bake(
    obj: Any, peaks: dict[str, float], start: float = 10.0, channels: Any = None, **more: Any
) -> ShapeKeyBake:
    channels = channels or face_channels(obj)
    weights = np.zeros((COUNT, len(channels)))
    for index, channel in enumerate(channels):
        weights[:, index] = peaks.get(channel.name, 0.0) * WAVE
    solved, base = Solved(weights, np.zeros(COUNT)), TimeBase(Fraction(24), start)
    return key_weights(obj, "clip", channels, TIMES, solved, base, **more)


def play(obj: Any, frame: float) -> list[float]:
    bpy.context.scene.frame_set(int(np.floor(frame)), subframe=frame % 1)
    return [float(key.value) for key in obj.data.shape_keys.key_blocks[1:]]


def at(frame: float, start: float = 10.0) -> float:
    return float(np.interp(frame, start + TIMES * 24, WAVE, left=0, right=0))


def lip_sync(obj: Any) -> Any:
    """Key the jaw and a mouth corner, with handles and a cycle, in an action of their own."""
    for name, values in (("jawOpen", (0.1, 0.53, 0.2)), ("mouthSmileLeft", (0.0, 0.31, 0.07))):
        key = obj.data.shape_keys.key_blocks[name]
        for frame, value in zip((1, 11, 40), values, strict=True):
            key.value = value
            key.keyframe_insert("value", frame=frame)
    action = obj.data.shape_keys.animation_data.action
    action.use_cyclic = True
    return action


def nothing(obj: Any) -> None:
    """The character as it comes."""


def posed(obj: Any) -> None:
    """Two sliders stand at a value that nothing animates."""
    obj.data.shape_keys.key_blocks["jawOpen"].value = 0.123
    obj.data.shape_keys.key_blocks["mouthSmileLeft"].value = 0.25


def spoken(obj: Any) -> None:
    """An action plays."""
    lip_sync(obj)


def layered(obj: Any) -> None:
    """An NLA strip plays, and an action over it that moves the same key."""
    action = lip_sync(obj)
    data = obj.data.shape_keys.animation_data
    slot = getattr(data, "action_slot", None)
    data.action = None
    track = data.nla_tracks.new()
    track.name = "Speech"
    strip = track.strips.new("speech", 1, action)
    if slot is not None:
        strip.action_slot = slot
    key = obj.data.shape_keys.key_blocks["jawOpen"]
    for frame, value in ((5, 0.3), (30, 0.05)):
        key.value = value
        key.keyframe_insert("value", frame=frame)


def driven(obj: Any) -> None:
    """A key follows a property of the object, and animation data stands empty."""
    obj["puff"] = 0.3
    curve = obj.data.shape_keys.key_blocks["cheekPuff"].driver_add("value")
    variable = curve.driver.variables.new()
    variable.targets[0].id, variable.targets[0].data_path = obj, '["puff"]'
    curve.driver.expression = "var"


STATES = (nothing, posed, spoken, layered, driven)


def leaves_no_bit(obj: Any, state: Callable[[Any], None], layer: str) -> None:
    """Bake, mute, unmute and remove: each time all else is as it was."""
    state(obj)
    bpy.context.scene.frame_set(9)
    before = animation()
    made = bake(obj, {"mouthSmileLeft": 0.4, "browDownLeft": 0.2}, layer=layer)
    assert differences(before, animation())
    bpy.context.scene.frame_set(12)
    bpy.context.scene.frame_set(9)
    edit_bake(obj, made.action_name, muted=True)
    assert differences(animation(without_bakes=True), before) == []
    edit_bake(obj, made.action_name, muted=False)
    remove_bake(obj, made.action_name)
    assert differences(before, animation()) == []


def adds_to_what_plays(obj: Any, state: Callable[[Any], None]) -> None:
    """What plays goes on, to the bit where the bake is zero, and the bake adds to it elsewhere."""
    state(obj)
    before = {frame: play(obj, frame) for frame in FRAMES}
    made = bake(obj, {"mouthSmileLeft": 0.4, "browDownLeft": 0.2}, layer="nla")
    assert made.layer == "nla"
    names = [key.name for key in obj.data.shape_keys.key_blocks[1:]]
    for frame in FRAMES:
        now = play(obj, frame)
        if not 10.0 < frame < 10 + TIMES[-1] * 24:
            assert now == before[frame], (frame, now, before[frame])
        for name, was, is_now in zip(names, before[frame], now, strict=True):
            added = {"mouthSmileLeft": 0.4, "browDownLeft": 0.2}.get(name, 0.0) * at(frame)
            assert abs(is_now - was - added) <= 0.0025, (name, frame, was, added, is_now)


#: What an animator may do to the bakes of a character.
DEEDS = ("bake", "bake", "over", "edit", "edit", "start", "hold", "mute", "unmute", "remove")


def ends_where_it_began(
    state: Callable[[Any], None], todo: list[tuple[str, int, float]], order: list[int]
) -> None:
    """Do deeds (what, to which bake, with which number); then mute all, and remove all in order."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    obj = heads.mask(columns=5, rows=5, texture_size=8)
    channels = face_channels(obj)
    state(obj)
    bpy.context.scene.frame_set(9)
    before = animation()
    for kind, which, number in todo:
        names = [one.name for one in list_bakes(obj)]
        if kind in {"bake", "over"}:
            peaks = {"mouthSmileLeft": 0.5 * number, "jawOpen": 0.2}
            layer = "auto" if kind == "bake" else ("action", "nla")[which % 2]
            bake(obj, peaks, 9.0 + which, channels, layer=layer, balance=(number - 1) / 2)
        elif names:
            _do(obj, kind, names[which % len(names)], which, number)
    names = [one.name for one in list_bakes(obj)]
    for name in names:
        edit_bake(obj, name, muted=True)
    assert differences(animation(without_bakes=True), before) == []
    for name in names:
        edit_bake(obj, name, muted=False)
    for place in sorted(range(len(names)), key=lambda place: order[place]):
        remove_bake(obj, names[place])
    assert differences(before, animation()) == []


def _do(obj: Any, kind: str, name: str, which: int, number: float) -> None:
    if kind == "edit":
        edit_bake(obj, name, strength=number, balance=-0.3)
    elif kind == "start":
        _move(obj, name, start_frame=9.0 + 3 * number, duration=0.2 * number)
    elif kind == "hold":
        edit_bake(obj, name, duration=0.5, hold=which)
    elif kind == "remove":
        remove_bake(obj, name)
    else:
        edit_bake(obj, name, muted=kind == "mute")


def _move(obj: Any, name: str, start_frame: float, duration: float) -> None:
    """Move and stretch a bake; where its hold then has no room, that is refused and changes
    nothing."""
    before = animation()
    hold = next(one.hold for one in list_bakes(obj) if one.name == name)
    try:
        edit_bake(obj, name, start_frame=start_frame, duration=duration)
    except InputError:
        assert hold > 1
        assert differences(before, animation()) == []


def main(walks: int = 30) -> None:
    """Run all checks in this Blender."""
    for state in STATES:
        for layer in ("auto", "action", "nla"):
            bpy.ops.wm.read_factory_settings(use_empty=True)
            leaves_no_bit(heads.mask(9, 9, 8), state, layer)
        if state is not nothing:
            bpy.ops.wm.read_factory_settings(use_empty=True)
            adds_to_what_plays(heads.mask(9, 9, 8), state)
    for seed in range(walks):
        chance = random.Random(seed)
        todo = [
            (chance.choice(DEEDS), chance.randrange(4), chance.choice([0.5, 1.0, 2.0]))
            for _ in range(chance.randrange(3, 12))
        ]
        ends_where_it_began(STATES[seed % len(STATES)], todo, chance.sample(range(12), 12))
    print(f"Blender {bpy.app.version_string}: bakes are laid, edited and removed without a trace")


if __name__ == "__main__":
    main()
