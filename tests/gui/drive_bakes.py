"""Edits bakes of shape keys with the panel's list: sliders, eye, a second bake, removal, undo."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import bpy
from window import Drive, in_view, run, screenshot

#: Frames at which values are compared.
FRAMES = [1 + 0.5 * number for number in range(120)]


def played(obj: Any) -> list[tuple[float, ...]]:
    """Return the shape keys' values at each of `FRAMES`."""
    scene, keys = bpy.context.scene, obj.data.shape_keys
    now = scene.frame_current
    found = []
    for frame in FRAMES:
        scene.frame_set(int(frame), subframe=frame % 1.0)
        found.append(tuple(float(key.value) for key in keys.key_blocks[1:]))
    scene.frame_set(now)
    return found


def peak(values: list[tuple[float, ...]]) -> tuple[float, float]:
    """Return the greatest value, and the frame where it is."""
    return max((max(moment), frame) for moment, frame in zip(values, FRAMES, strict=True))


def bakes() -> list[Any]:
    """Return the actions that are bakes, in the order of their starts."""
    found = [action for action in bpy.data.actions if "microface_bake" in action.keys()]  # noqa: SIM118
    return sorted(found, key=lambda action: float(action.microface_sliders.start_frame))


def slide(name: str, value: Any) -> float:
    """Set a slider of the first bake as a hand does, with its undo step; returns the seconds."""
    started = time.perf_counter()
    with in_view():
        setattr(bakes()[0].microface_sliders, name, value)
        bpy.ops.ed.undo_push(message=name)
    return time.perf_counter() - started


def edit_steps(drive: Drive) -> Iterator[float]:
    """Edit the only bake, undo and redo it, add another, remove that, and put all back."""
    score, desk = drive.score, drive.desk
    before = played(drive.obj)
    high, _ = peak(before)
    duration = bakes()[0].microface_sliders.duration

    seconds = slide("strength", 0.5)
    half, _ = peak(played(drive.obj))
    score.check(
        "half the strength",
        abs(half - high / 2) < 0.002 and not desk.remedy,
        f"{high:.3f} -> {half:.3f} in {1000 * seconds:.0f} ms; '{desk.message}'",
    )
    seconds = slide("duration", 2 * duration)
    _, late = peak(played(drive.obj))
    _, early = peak(before)
    score.check(
        "twice the duration",
        abs((late - 1) - 2 * (early - 1)) <= 1.0,
        f"apex at frame {early:g} -> {late:g} in {1000 * seconds:.0f} ms",
    )
    yield 0.5
    screenshot("7-edited")
    with in_view():
        bpy.ops.ed.undo()
        bpy.ops.ed.undo()
    score.check("two undos take both back", played(drive.obj) == before)
    with in_view():
        bpy.ops.ed.redo()
        bpy.ops.ed.redo()
    score.check("two redos bring both again", peak(played(drive.obj)) == (half, late))

    slide("shown", False)
    still = peak(played(drive.obj))[0]
    score.check("the eye takes the bake off", still == 0.0, f"greatest value {still}")
    yield 0.3
    slide("shown", True)
    score.check("and puts it on", peak(played(drive.obj)) == (half, late))
    slide("hold", 50)
    score.check("a hold without room is refused", bool(desk.remedy), f"{desk.message}")
    yield 0.5
    screenshot("8-refused")
    slide("hold", 2)
    score.check("a hold with room is not", not desk.remedy, desk.message)

    slide("hold", 0)
    slide("strength", 1.0)
    slide("duration", duration)
    score.check("the first settings give the first values to the bit", played(drive.obj) == before)
    yield from second_steps(drive, before)


def second_steps(drive: Drive, before: list[tuple[float, ...]]) -> Iterator[float]:
    """Bake once more, later, and remove that."""
    score, desk = drive.score, drive.desk
    start = drive.settings.start_frame
    drive.settings.start_frame = start + 24
    outcome, seconds = run(bpy.ops.microface.bake_shape_keys)
    drive.settings.start_frame = start
    score.check(
        "a second bake, a second later",
        outcome == {"FINISHED"} and len(bakes()) == 2,
        f"{seconds:.1f} s; {desk.message} {desk.remedy}",
    )
    yield 0.5
    screenshot("9-two-bakes")
    bpy.context.window_manager.microface_bake = list(bpy.data.actions).index(bakes()[1])
    outcome, _ = run(bpy.ops.microface.remove_bake)
    score.check(
        "Remove Bake takes the second off",
        outcome == {"FINISHED"} and len(bakes()) == 1 and played(drive.obj) == before,
    )
    yield 0.3
