"""A baked character as Blender plays it: channel values, surface and pictures at scene frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ...errors import InputError
from ...report.proof.evidence import Event, TargetRecord
from ..bake.curves import MAIN
from ..character.channel import Target, get_number
from ..character.framing import Framing
from ..character.neutral import render_stage
from ..character.stage import Stage, home_scene, stage
from ..character.surface import evaluate_surface


def target_of(record: TargetRecord) -> Target:
    """Return the number in the open file that a record speaks of."""
    return Target(record.id_type, record.id_name, record.data_path, record.index)


@dataclass(frozen=True)
class Replay:
    """A character on a stage, as animated."""

    on: Stage

    def go(self, frame: float) -> None:
        """Stand at a scene frame, which may lie between whole ones."""
        whole = int(np.floor(frame))
        self.on.scene.frame_set(whole, subframe=min(float(frame - whole), 0.999999))

    def value(self, target: Target) -> float:
        """Return what a target is now; NaN where it is gone."""
        try:
            block = target.block().evaluated_get(self.on.depsgraph)
            return get_number(block, target.data_path, target.index)
        except (InputError, ValueError, TypeError, IndexError):
            return float("nan")

    def values(self, event: Event) -> NDArray[np.float64]:
        """Return (T,P): each target's value at the event's frames."""
        targets = [target_of(one) for one in event.targets]
        rows = np.empty((len(event.frames), len(targets)))
        for row, frame in zip(rows, event.frames, strict=True):
            self.go(float(frame))
            row[:] = [self.value(one) for one in targets]
        return rows

    def points(self, vertices: NDArray[np.int32], frames: Sequence[float]) -> NDArray[np.float64]:
        """Return (K,N,3): where vertices of the evaluated mesh are in the world at frames.

        NaN where the mesh has fewer vertices than that.
        """
        rows = np.full((len(frames), len(vertices), 3), np.nan)
        for row, frame in zip(rows, frames, strict=True):
            self.go(frame)
            positions = evaluate_surface(self.on.obj, self.on.depsgraph).positions
            if len(vertices) and len(positions) > int(vertices.max()):
                row[:] = positions[vertices]
        return rows

    def picture(self, framing: Framing, frame: float) -> NDArray[np.uint8]:
        """Render the character at a frame, (size,size,3)."""
        self.go(frame)
        return render_stage(self.on, framing)


@contextmanager
def replay(obj: Any) -> Iterator[Replay]:
    """Stand a character on a stage of its own as it is animated; the user's scene stays."""
    home = home_scene(obj).render
    with stage(obj, neutral=False) as on:
        on.scene.render.frame_map_old = home.frame_map_old
        on.scene.render.frame_map_new = home.frame_map_new
        yield Replay(on)


@contextmanager
def event_off(event: Event) -> Iterator[None]:
    """Let the character play without one event for a while; everything is put back."""
    undo: list[Callable[[], None]] = []
    blocks: dict[tuple[str, str], list[TargetRecord]] = {}
    for record in event.targets:
        blocks.setdefault((record.id_type, record.id_name), []).append(record)
    try:
        for records in blocks.values():
            _turn_off(records, event, undo)
        yield
    finally:
        for put_back in reversed(undo):
            put_back()


def _turn_off(records: list[TargetRecord], event: Event, undo: list[Callable[[], None]]) -> None:
    try:
        block = target_of(records[0]).block()
    except InputError:
        return
    animation = block.animation_data
    if animation is None:
        return
    actions = actions_of(event)
    for track in animation.nla_tracks:
        for strip in track.strips:
            if strip.action in actions and not strip.mute:
                strip.mute = True
                undo.append(partial(setattr, strip, "mute", False))
    if animation.action in actions:
        for record in records:
            target = target_of(record)
            undo.append(partial(target.set, target.get()))
            target.set(record.neutral)
        slot = getattr(animation, "action_slot", None)
        if slot is not None:
            undo.append(partial(setattr, animation, "action_slot", slot))
        undo.append(partial(setattr, animation, "action", animation.action))
        animation.action = None


def actions_of(event: Event) -> list[Any]:
    """Return the actions of a bake: one, or one per data block before Blender 4.4."""
    main = bpy.data.actions.get(event.action)
    if main is None:
        return []
    return [main, *(one for one in bpy.data.actions if one.get(MAIN) == main)]
