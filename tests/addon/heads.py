"""Characters for tests: a small curved mask, and heads from a data pack outside the tree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

#: Shape keys of the mask: name, centre in the face plane (x left, z up) and direction of motion.
MASK_KEYS = {
    "mouthSmileLeft": ((0.03, -0.04), (0.010, 0.0, 0.014)),
    "mouthSmileRight": ((-0.03, -0.04), (-0.010, 0.0, 0.014)),
    "browDownLeft": ((0.035, 0.045), (-0.002, 0.0, -0.012)),
    "browDownRight": ((-0.035, 0.045), (0.002, 0.0, -0.012)),
    "jawOpen": ((0.0, -0.075), (0.0, 0.004, -0.020)),
    "cheekPuff": ((0.0, -0.01), (0.0, -0.010, 0.0)),
}


def mask(columns: int = 49, rows: int = 61, texture_size: int = 256) -> Any:
    """Return a curved sheet looking along -y, 0.15 wide and 0.2 high, with six shape keys."""
    across = np.linspace(-1, 1, columns)
    up = np.linspace(-1, 1, rows)
    u, v = np.meshgrid(across, up)
    x, z = 0.075 * u, 0.1 * v
    y = -0.06 * np.sqrt(np.maximum(1.05 - 0.5 * u**2 - 0.5 * v**2, 0))
    # A nose, so that something turns away from the camera.
    y -= 0.02 * np.exp(-((u / 0.18) ** 2 + ((v + 0.05) / 0.25) ** 2))
    points = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    index = np.arange(rows * columns).reshape(rows, columns)
    quads = np.stack(
        [index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], axis=-1
    ).reshape(-1, 4)
    uv = np.stack([(u + 1) / 2 * 0.9 + 0.05, (v + 1) / 2 * 0.9 + 0.05], axis=-1).reshape(-1, 2)
    shapes = {}
    for name, (centre, direction) in MASK_KEYS.items():
        away = ((x - centre[0]) / 0.03) ** 2 + ((z - centre[1]) / 0.025) ** 2
        shapes[name] = (np.exp(-away)[..., None] * np.array(direction)).reshape(-1, 3)
    obj = make_object("Mask", points, quads, uv[quads.ravel()], shapes)
    obj.data.materials.append(textured("Skin", freckles(texture_size)))
    return obj


def companion(name: str, place: tuple[float, float, float], keys: tuple[str, ...]) -> Any:
    """Return a small sheet such as a brow before the mask; all its keys lift it by 0.01."""
    across, up = np.meshgrid(np.linspace(-0.015, 0.015, 7), np.linspace(-0.004, 0.004, 4))
    points = np.stack([across, np.zeros_like(across), up], axis=-1).reshape(-1, 3) + place
    index = np.arange(28).reshape(4, 7)
    quads = np.stack(
        [index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], axis=-1
    ).reshape(-1, 4)
    lift = np.tile((0, 0, 0.01), (len(points), 1))
    obj = make_object(name, points, quads, None, dict.fromkeys(keys, lift))
    bpy.context.view_layer.update()
    return obj


def freckles(size: int) -> NDArray[np.uint8]:
    """Return a (size,size,3) skin-coloured texture with soft spots."""
    rng = np.random.default_rng(3)
    rows, columns = np.mgrid[:size, :size] / size
    shade = np.zeros((size, size))
    for _ in range(120):
        x, y, radius = rng.random(), rng.random(), 0.01 + 0.03 * rng.random()
        shade += np.exp(-(((columns - x) ** 2 + (rows - y) ** 2) / radius**2)) * rng.normal(0, 0.25)
    colour = np.array([0.78, 0.58, 0.48]) * (1 + shade[..., None])
    return np.asarray(np.clip(colour, 0.05, 0.95) * 255, np.uint8)


def make_object(
    name: str,
    points: NDArray[Any],
    faces: NDArray[Any],
    corner_uv: NDArray[Any] | None,
    shapes: dict[str, NDArray[Any]],
) -> Any:
    """Return a mesh object in the current scene with smooth shading and relative shape keys."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(points.tolist(), [], faces.tolist())
    mesh.polygons.foreach_set("use_smooth", np.ones(len(mesh.polygons), bool))
    if corner_uv is not None:
        layer = mesh.uv_layers.new(name="UVMap")
        layer.uv.foreach_set("vector", np.asarray(corner_uv, np.float32).ravel())
    mesh.update()
    obj = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(obj)
    if shapes:
        obj.shape_key_add(name="Basis")
    for shape, displacement in shapes.items():
        key = obj.shape_key_add(name=shape)
        key.data.foreach_set("co", (points + displacement).astype(np.float32).ravel())
        key.value = 0.0
    return obj


def textured(name: str, pixels: NDArray[np.uint8] | Path, *, glossy: bool = False) -> Any:
    """Return a Principled material whose base colour is an image (array rows from the top)."""
    if isinstance(pixels, Path):
        image = bpy.data.images.load(str(pixels))
        image.pack()
    else:
        height, width = pixels.shape[:2]
        image = bpy.data.images.new(name, width, height)
        full = np.full((height, width, 4), 255, np.uint8)
        full[..., :3] = pixels
        image.pixels.foreach_set((full[::-1].astype(np.float32) / 255).ravel())
        image.pack()
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    tree = material.node_tree
    shader = tree.nodes["Principled BSDF"]
    shader.inputs["Roughness"].default_value = 0.15 if glossy else 0.7
    shader.inputs["Specular IOR Level"].default_value = 0.5 if glossy else 0.0
    texture = tree.nodes.new("ShaderNodeTexImage")
    texture.image = image
    tree.links.new(texture.outputs["Color"], shader.inputs["Base Color"])
    return material


def ict_head(
    folder: Path, skin: str = "young_lightskinned_female2", eyes: str = "brown_eye"
) -> Any:
    """Return the ICT head of the data pack as an object in metres, ARKit-named shape keys."""
    pack = np.load(folder / "ict.npz")
    points = _to_blender(pack["neutral"])
    shapes = {
        str(name): _to_blender(delta.astype(np.float32) * scale)
        for name, delta, scale in zip(
            pack["expression_names"], pack["expressions"], pack["expression_scale"], strict=True
        )
    }
    corners = pack["uv"][pack["uv_triangles"]].reshape(-1, 2)
    obj = make_object("Face", points, pack["triangles"], corners, shapes)
    skin_path = next(
        path for path in sorted((folder / "skins_ict").glob("*.jpg")) if path.stem.startswith(skin)
    )
    obj.data.materials.append(textured("Skin", _with_brows(skin_path, folder)))
    obj.data.materials.append(textured("Eyes", folder / "eyes" / f"{eyes}.png", glossy=True))
    names = [str(name) for name in pack["regions"]]
    kinds = [str(kind) for kind in pack["region_texture"]]
    eye = np.array([kinds[names.index(name)] == "eyes" for name in names])
    slots = eye[pack["region"]].astype(np.int32)
    obj.data.polygons.foreach_set("material_index", slots)
    return obj


def _with_brows(skin: Path, folder: Path) -> NDArray[np.uint8]:
    import cv2

    colour = cv2.imread(str(skin))[..., ::-1]
    layer = cv2.imread(str(folder / "brows_ict" / "eyebrow001.png"), cv2.IMREAD_GRAYSCALE)
    layer = cv2.resize(layer, (colour.shape[1], colour.shape[0]), interpolation=cv2.INTER_AREA)
    cover = layer[..., None] / 255.0
    return np.asarray(colour * (1 - cover) + np.array([45, 32, 26]) * cover, np.uint8)


def _to_blender(points: NDArray[Any]) -> NDArray[np.float32]:
    """Centimetres with y up and z out of the face to metres with z up, looking along -y."""
    return np.stack([points[:, 0], -points[:, 2], points[:, 1]], axis=1).astype(np.float32) * 0.01
