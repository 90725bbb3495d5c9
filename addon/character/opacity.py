"""Which triangles of a mesh hide what lies behind them.

Hair cards, brows and lashes are cut out of their triangles by the alpha of a texture: most of a
card is solid, and hides; what is clear or half clear does not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..images import image_floats
from .surface import Surface

Values = NDArray[np.float32]

#: A place hides what lies behind it from this alpha on.
SOLID = 0.9
#: Where a triangle is looked at, as shares of its corners: inside it, near each corner and each
#: side, and in the middle.
PLACES = np.array(
    [
        (0.9, 0.05, 0.05), (0.05, 0.9, 0.05), (0.05, 0.05, 0.9),
        (0.45, 0.45, 0.1), (0.1, 0.45, 0.45), (0.45, 0.1, 0.45),
        (1 / 3, 1 / 3, 1 / 3),
    ],
    np.float32,
)  # fmt: skip

#: What a Math node makes of its first two values; importers cut alpha off with these.
_OPERATIONS: dict[str, Callable[[Values, Values], NDArray[Any]]] = {
    "ADD": np.add,
    "SUBTRACT": np.subtract,
    "MULTIPLY": np.multiply,
    "MINIMUM": np.minimum,
    "MAXIMUM": np.maximum,
    "LESS_THAN": np.less,
    "GREATER_THAN": np.greater,
    "ROUND": lambda one, _: np.floor(one + np.float32(0.5)),
}


def hiding(obj: Any, surface: Surface) -> NDArray[np.bool_]:
    """Return which triangles (T,) of an object's surface hide what lies behind them.

    Of a material that light passes only those whose alpha is known and solid all over: a number,
    or an image in the surface's own UV layer, as it is or cut off by Math nodes.
    """
    result = np.empty(len(surface.triangles), np.bool_)
    for slot in np.unique(surface.material).tolist():
        slots = obj.material_slots
        material = slots[slot].material if slot < len(slots) else None
        rows = np.flatnonzero(surface.material == slot)
        result[rows] = _solid(material, None if surface.uv is None else surface.uv[rows])
    return result


def _solid(material: Any, uv: Values | None) -> NDArray[np.bool_] | bool:
    """Return which triangles (T,3,2) are solid in a material."""
    if material is None or not material.use_nodes or material.node_tree is None:
        return True
    nodes = material.node_tree.nodes
    if any(node.type == "BSDF_TRANSPARENT" for node in nodes):
        return False
    given = [node.inputs["Alpha"] for node in nodes if node.type == "BSDF_PRINCIPLED"]
    if not any(alpha.is_linked or float(alpha.default_value) < 1 for alpha in given):
        return True
    if uv is None or len(given) != 1:
        return False
    alpha = _value(given[0], np.einsum("pc,tck->tpk", PLACES, uv))
    return False if alpha is None else np.asarray((alpha >= SOLID).all(axis=1))


def _value(socket: Any, places: Values) -> Values | None:
    """Return what a socket is given at `places` (T,P,2), as (T,P); None where that is unknown."""
    if not socket.is_linked:
        return np.full(places.shape[:2], socket.default_value, np.float32)
    link = socket.links[0]
    node = link.from_node
    if node.type == "REROUTE":
        return _value(node.inputs[0], places)
    if node.type == "TEX_IMAGE":
        return _read(node, link.from_socket.name, places)
    operation = _OPERATIONS.get(node.operation) if node.type == "MATH" else None
    if operation is None:
        return None
    values = [_value(one, places) for one in node.inputs[:2]]
    if values[0] is None or values[1] is None:
        return None
    result = np.asarray(operation(values[0], values[1]), np.float32)
    return np.clip(result, 0, 1) if node.use_clamp else result


def _read(node: Any, output: str, places: Values) -> Values | None:
    """Return the nearest texels of an image node at `places` (T,P,2): its alpha, or its red."""
    image, vector = node.image, node.inputs["Vector"]
    if image is None or image.source == "TILED" or 0 in tuple(image.size) or vector.is_linked:
        return None
    channel = image_floats(image)[..., 3 if output == "Alpha" else 0]
    height, width = channel.shape
    column = np.floor(places[..., 0] % 1 * width).astype(np.int64).clip(0, width - 1)
    row = np.floor((1 - places[..., 1] % 1) * height).astype(np.int64).clip(0, height - 1)
    return np.asarray(channel[row, column], np.float32)
