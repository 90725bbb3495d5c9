"""Controls put to rest for a moment, their animation held off, and everything put back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from .channel import Target, get_number, set_number


@contextmanager
def at_rest(values: Iterable[tuple[Target, float]], layer: Any) -> Iterator[None]:
    """Hold targets at given values: their curves are muted and the numbers set.

    At the end, also after an error, every number and every curve is as it was, bit for bit, and
    the user's view `layer` is up to date with them.
    """
    held = [(target, target.block(), value) for target, value in values]
    before = [get_number(block, target.data_path, target.index) for target, block, _ in held]
    muted = [curve for target, block, _ in held for curve in _curves_of(block, target)]
    try:
        for curve in muted:
            curve.mute = True
        for target, block, value in held:
            set_number(block, target.data_path, target.index, value)
        yield
    finally:
        for curve in muted:
            curve.mute = False
        # Curves that play again overrule, once, what was set by hand over them and not keyed.
        for _ in range(2 if muted else 1):
            for (target, block, _), value in zip(held, before, strict=True):
                set_number(block, target.data_path, target.index, value)
            if held:
                layer.update()


def _curves_of(block: Any, target: Target) -> list[Any]:
    index = max(target.index, 0)
    return [curve for curve in curves_on(block, target.data_path, index) if not curve.mute]


def curves_on(block: Any, data_path: str, index: int = 0) -> list[Any]:
    """Return the curves that a data block plays on a number, in its action or on NLA tracks."""
    return [
        curve
        for action in _actions(block)
        for curve in _curves(action)
        if curve.data_path == data_path and curve.array_index == index
    ]


def _actions(block: Any) -> list[Any]:
    """Return every action that a data block plays, in its own slot or on its NLA tracks."""
    animation = block.animation_data
    if animation is None:
        return []
    found = [animation.action] if animation.action is not None else []
    for track in animation.nla_tracks:
        found += [strip.action for strip in track.strips if strip.action is not None]
    return list(dict.fromkeys(found))


def _curves(action: Any) -> Iterator[Any]:
    """Yield an action's curves, layered or not (Blender before 4.4 and from 5.0 on)."""
    if not hasattr(action, "layers"):
        yield from action.fcurves
        return
    for layer in action.layers:
        for strip in layer.strips:
            for bag in strip.channelbags:
                yield from bag.fcurves
