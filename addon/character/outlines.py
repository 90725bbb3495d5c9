"""Drawn outlines: a dark hull around a character, seen from its inside only.

Real-time engines leave its near side out ("backface culling"). Cycles draws it: the hull would hide
the face, and keep the light off it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import bpy


def is_outline(modifier: Any) -> bool:
    """Return whether a modifier makes such a hull: turned inside out, or of a culled material."""
    if modifier.type == "SOLIDIFY":
        return bool(modifier.use_flip_normals)
    if modifier.type != "NODES" or modifier.node_group is None:
        return False
    given = [value for _, value in modifier.items() if isinstance(value, bpy.types.Material)]
    return any(material.use_backface_culling for material in given)


@contextmanager
def outlines_off(objects: Iterable[Any]) -> Iterator[None]:
    """Leave the outlines of objects out for a moment, in pictures and where they are evaluated."""
    shown = [
        (modifier, modifier.show_viewport, modifier.show_render)
        for one in objects
        for modifier in one.modifiers
        if is_outline(modifier) and (modifier.show_viewport or modifier.show_render)
    ]
    try:
        for modifier, _, _ in shown:
            modifier.show_viewport = modifier.show_render = False
        yield
    finally:
        for modifier, viewport, render in shown:
            modifier.show_viewport, modifier.show_render = viewport, render
