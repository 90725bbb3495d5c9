"""A mesh as one number, to tell whether it was edited since."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray


def mesh_fingerprint(obj: Any) -> str:
    """Return the SHA-256 of a mesh's faces, rest positions, shape keys, UVs and slot choices.

    Exact: a vertex moved by the least that a float can tell changes it. Slider values, animation,
    modifiers and materials do not count.
    """
    mesh = obj.data
    digest = hashlib.sha256()

    def add(items: Any, attribute: str, size: int, dtype: type) -> None:
        flat: NDArray[Any] = np.empty(len(items) * size, dtype)
        items.foreach_get(attribute, flat)
        digest.update(f"{attribute} {len(items)}\n".encode())
        digest.update(flat.astype(np.dtype(dtype).newbyteorder("<")).tobytes())

    add(mesh.polygons, "loop_total", 1, np.int32)
    add(mesh.polygons, "material_index", 1, np.int32)
    add(mesh.loops, "vertex_index", 1, np.int32)
    block = mesh.shape_keys
    if block is None:
        add(mesh.vertices, "co", 3, np.float32)
    else:  # the vertices themselves follow the active key
        for key in block.key_blocks:
            digest.update(f"{key.name}\n".encode())
            add(key.data, "co", 3, np.float32)
    for layer in mesh.uv_layers:
        digest.update(f"{layer.name}\n".encode())
        add(layer.uv, "vector", 2, np.float32)
    return digest.hexdigest()
