"""What is wrong with the points and faces of a face's meshes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .family import family_of
from .findings import Finding, Severity, counted, listed

#: More than this share of faces without area is no face.
FLAT_SHARE = 0.5


def check_mesh(obj: Any, block: Any) -> Iterator[Finding]:
    """Look at the vertices of all shape keys and at the faces of every mesh of the face."""
    for mesh in family_of(obj) if obj.users_scene else [obj]:
        if not len(mesh.data.polygons):
            yield Finding(
                Severity.ERROR if mesh == obj else Severity.NOTE,
                f"'{mesh.name}' has no faces.",
                "Choose the mesh of the face." if mesh == obj else "It is not seen; leave it.",
            )
            continue
        bad = list(_invalid(mesh.data.shape_keys))
        if bad:
            keys = [name for name, _ in bad]
            yield Finding(
                Severity.ERROR,
                f"'{mesh.name}' has {counted(max(count for _, count in bad), 'vertex')} at invalid"
                f" (NaN or infinite) coordinates in {listed(keys)}.",
                "Delete or mend these vertices.",
                "invalid",
            )
        elif mesh == obj:
            yield from _flat(mesh)


def _invalid(block: Any) -> Iterator[tuple[str, int]]:
    """Yield (key, count) of the shape keys with vertices at no place."""
    for key in block.key_blocks:
        count = int((~np.isfinite(coordinates(key)).all(axis=1)).sum())
        if count:
            yield str(key.name), count


def coordinates(key: Any) -> NDArray[np.float32]:
    """Return the vertices (V,3) of a shape key."""
    flat = np.empty(len(key.data) * 3, np.float32)
    key.data.foreach_get("co", flat)
    return flat.reshape(-1, 3)


def _flat(mesh: Any) -> Iterator[Finding]:
    area = np.empty(len(mesh.data.polygons), np.float32)
    mesh.data.polygons.foreach_get("area", area)
    flat = int((area <= 0).sum())
    if not flat:
        return
    many = flat > FLAT_SHARE * len(area)
    yield Finding(
        Severity.ERROR if many else Severity.NOTE,
        f"{flat} of {len(area)} faces of '{mesh.name}' have no area.",
        "Choose the mesh of the face." if many else "They are not seen and do no harm.",
    )
