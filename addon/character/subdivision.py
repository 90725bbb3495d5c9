"""Subdivision without its limit surface, which takes Blender long on meshes that are fine already.

By default Blender moves the vertices of a subdivided mesh to where endless subdivision would have
them, by patches that it builds anew for each picture. Where the new faces are small, the two lie a
small part of a pixel apart (a sixth of the curvature times the new edges' length squared).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

#: So many faces are fine: edges of some 3 mm on a head.
FINE = 20_000


def subdivided_faces(obj: Any, levels: int) -> int:
    """Return about how many faces a mesh has after so many levels of subdivision."""
    # The first level makes a face of each corner, each further one four of each face.
    return len(obj.data.loops) * 4 ** (levels - 1) if levels else len(obj.data.polygons)


@contextmanager
def limit_surfaces_off(objects: Iterable[Any]) -> Iterator[None]:
    """Subdivide what becomes fine plainly for a moment, in pictures and numbers."""
    smoothed = [
        modifier
        for one in objects
        if one.type == "MESH"
        for modifier in one.modifiers
        if modifier.type == "SUBSURF"
        and modifier.use_limit_surface
        and subdivided_faces(one, modifier.levels or modifier.render_levels) >= FINE
    ]
    try:
        for modifier in smoothed:
            modifier.use_limit_surface = False
        yield
    finally:
        for modifier in smoothed:
            modifier.use_limit_surface = True
