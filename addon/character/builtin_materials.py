"""Materials of the built-in character: one packed image, one Principled surface per part."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
import numpy as np
import numpy.typing as npt

from ..colour import SRGB
from ..ocio import set_space


@dataclass(frozen=True)
class Finish:
    """How a part takes light (inputs of the Principled surface).

    `glow` stands for the light that flesh lets through into the mouth.
    """

    roughness: float
    specular: float = 0.5
    coat: float = 0.0
    sheen: float = 0.0
    glow: float = 0.0


FINISHES = {
    "skin": Finish(0.52, specular=0.34, sheen=0.05),
    "eye": Finish(0.12, specular=0.55, coat=1.0),
    "teeth": Finish(0.18, glow=0.22),
    "gums": Finish(0.25, glow=0.12),
    "tongue": Finish(0.35, glow=0.16),
    "mouth": Finish(0.4, glow=0.10),
    "brow": Finish(0.65, specular=0.25),
    "lash": Finish(0.6, specular=0.2),
    "hair": Finish(0.5, specular=0.4),
    "cloth": Finish(0.9, specular=0.2, sheen=0.3),
}


def head_image(name: str, texture: npt.NDArray[np.uint8]) -> bpy.types.Image:
    """Return a packed sRGB image of `texture` (H, W, 3), row 0 on top."""
    height, width = texture.shape[:2]
    image = bpy.data.images.new(f"{name} texture", width, height, alpha=False)
    set_space(image, SRGB)
    pixels = np.ones((height, width, 4), dtype=np.float32)
    pixels[..., :3] = texture[::-1].astype(np.float32) / 255.0
    image.pixels.foreach_set(pixels.ravel())
    image.update()
    image.pack()
    return image


def head_materials(
    name: str, parts: tuple[str, ...], texture: npt.NDArray[np.uint8]
) -> list[bpy.types.Material]:
    """Return one material per part, all of them reading the same image."""
    image = head_image(name, texture)
    return [_material(f"{name} {part}", image, FINISHES[part]) for part in parts]


def _material(name: str, image: bpy.types.Image, finish: Finish) -> bpy.types.Material:
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    surface = nodes["Principled BSDF"]
    picture = nodes.new("ShaderNodeTexImage")
    picture.image = image
    picture.location = (-360, 260)
    links.new(picture.outputs["Color"], surface.inputs["Base Color"])
    surface.inputs["Roughness"].default_value = finish.roughness
    surface.inputs["Specular IOR Level"].default_value = finish.specular
    surface.inputs["Coat Weight"].default_value = finish.coat
    surface.inputs["Coat Roughness"].default_value = 0.03
    surface.inputs["Sheen Weight"].default_value = finish.sheen
    if finish.glow > 0.0:
        links.new(picture.outputs["Color"], surface.inputs["Emission Color"])
        surface.inputs["Emission Strength"].default_value = finish.glow
    return material
