"""Everything of a node tree as plain data, for comparing before and after."""

from __future__ import annotations

from typing import Any

from dump import plain


def tree_dump(tree: Any) -> dict[str, Any]:
    """Return nodes with all their simple properties and unlinked values, links, and animation."""
    return {
        "nodes": {node.name: _node(node) for node in tree.nodes},
        "order": [node.name for node in tree.nodes],
        "links": sorted(
            (
                one.from_node.name,
                one.from_socket.identifier,
                one.to_node.name,
                one.to_socket.identifier,
            )
            for one in tree.links
        ),
        "active": tree.nodes.active and tree.nodes.active.name,
        "animation": _animation(tree),
    }


def _node(node: Any) -> dict[str, Any]:
    found = {
        prop.identifier: plain(getattr(node, prop.identifier))
        for prop in node.bl_rna.properties
        if prop.type in {"BOOLEAN", "INT", "FLOAT", "STRING", "ENUM"}
        and not prop.identifier.startswith("bl_")
    }
    for socket in node.inputs:
        if hasattr(socket, "default_value"):
            found[f"input {socket.identifier}"] = plain(socket.default_value)
    found["custom"] = sorted(node.keys())
    return found


def _end(node: Any, socket: Any) -> tuple[str, str]:
    return str(node.name), str(socket.identifier)


def _animation(tree: Any) -> Any:
    data = tree.animation_data
    if data is None:
        return None
    action = data.action.name if data.action else None
    return action, sorted(one.data_path for one in data.drivers), len(data.nla_tracks)
