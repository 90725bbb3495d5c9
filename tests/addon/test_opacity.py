"""What of a mesh hides what lies behind it: by its material, and by the alpha of its texture."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np
import pytest
from microface.addon.character.opacity import hiding
from microface.addon.character.surface import Surface, evaluate_surface

#: Alpha of the texture's left third, middle and right third.
THIRDS = (0.0, 0.6, 1.0)


def card() -> Any:
    """A card of three squares side by side, each under a third of a texture."""
    corners = [(x, 0, z) for x in range(4) for z in (0, 1)]
    squares = [(2 * i, 2 * i + 2, 2 * i + 3, 2 * i + 1) for i in range(3)]
    mesh = bpy.data.meshes.new("Card")
    mesh.from_pydata(corners, [], squares)
    layer = mesh.uv_layers.new(name="UVMap")
    for loop in mesh.loops:
        x, _, z = corners[loop.vertex_index]
        layer.uv[loop.index].vector = (x / 3, z)
    obj = bpy.data.objects.new("Card", mesh)
    bpy.context.collection.objects.link(obj)
    material = bpy.data.materials.new("Card")
    material.use_nodes = True
    mesh.materials.append(material)
    return obj


def texture(material: Any) -> Any:
    """An image node with `THIRDS` as alpha."""
    image = bpy.data.images.new("Alpha", 30, 4, alpha=True)
    pixels = np.ones((4, 30, 4), np.float32)
    pixels[..., 3] = np.repeat(THIRDS, 10)
    image.pixels.foreach_set(pixels.ravel())
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    return node


def shader(material: Any) -> Any:
    return next(n for n in material.node_tree.nodes if n.type == "BSDF_PRINCIPLED")


def hidden_by(obj: Any) -> list[bool]:
    """Which of the three squares hide."""
    bpy.context.view_layer.update()
    surface: Surface = evaluate_surface(obj, bpy.context.evaluated_depsgraph_get())
    found = hiding(obj, surface)
    middles = surface.positions[surface.triangles][..., 0].mean(axis=1).astype(int)
    return [bool(found[middles == i].all()) for i in range(3)]


@pytest.mark.parametrize(
    ("alpha", "expected"), [(1.0, [True] * 3), (0.95, [True] * 3), (0.5, [False] * 3)]
)
def test_a_number_holds_for_all(alpha: float, expected: list[bool]) -> None:
    obj = card()
    shader(obj.active_material).inputs["Alpha"].default_value = alpha
    assert hidden_by(obj) == expected


def test_a_texture_tells_triangle_by_triangle() -> None:
    obj = card()
    tree = obj.active_material.node_tree
    node = texture(obj.active_material)
    tree.links.new(node.outputs["Alpha"], shader(obj.active_material).inputs["Alpha"])
    assert hidden_by(obj) == [False, False, True]


def test_alpha_that_is_cut_off_is_followed() -> None:
    """As glTF's importer makes it: 1 - (alpha < cutoff)."""
    obj = card()
    tree = obj.active_material.node_tree
    less, rest = (tree.nodes.new("ShaderNodeMath") for _ in range(2))
    less.operation, rest.operation = "LESS_THAN", "SUBTRACT"
    less.inputs[1].default_value, rest.inputs[0].default_value = 0.5, 1.0
    tree.links.new(texture(obj.active_material).outputs["Alpha"], less.inputs[0])
    tree.links.new(less.outputs[0], rest.inputs[1])
    tree.links.new(rest.outputs[0], shader(obj.active_material).inputs["Alpha"])
    assert hidden_by(obj) == [False, True, True]


def test_what_is_not_known_hides_nothing() -> None:
    obj = card()
    tree = obj.active_material.node_tree
    noise = tree.nodes.new("ShaderNodeTexNoise")
    tree.links.new(noise.outputs[0], shader(obj.active_material).inputs["Alpha"])
    assert hidden_by(obj) == [False] * 3
    tree.links.remove(tree.links[-1])
    tree.nodes.new("ShaderNodeBsdfTransparent")
    assert hidden_by(obj) == [False] * 3


def test_no_material_hides() -> None:
    obj = card()
    obj.data.materials.clear()
    assert hidden_by(obj) == [True] * 3
