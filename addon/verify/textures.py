"""Baked textures as evidence, and whether a file still has them as they were."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ...errors import InputError
from ...report.proof.evidence import TextureRecord
from ..bake.texture import BakedTexture, TextureBake
from ..images import image_bytes, read_pixels

#: So many pictures of a sequence are opened to compare texels; all are hashed.
OPENED = 4


def record_textures(
    obj: Any, bake: TextureBake, relative: Callable[[Path], str]
) -> tuple[TextureRecord, ...]:
    """Return what to remember of baked textures; `relative` gives a picture's path in the end."""
    return tuple(_record(obj, one, relative) for one in bake.textures)


def record_files(kind: str, files: list[Path], relative: Callable[[Path], str]) -> TextureRecord:
    """Return what to remember of pictures that no material shows."""
    return TextureRecord(
        kind,
        "",
        "",
        tuple(relative(path) for path in files),
        tuple(file_hash(path) for path in files),
        np.zeros((0, 0), bool),
    )


def file_hash(path: Path) -> str:
    """Return a file's SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def texture_faults(obj: Any, record: TextureRecord, blend: Path) -> list[str]:
    """Return what is wrong with a baked texture of the file `blend` that is open, a line each."""
    paths = [blend.parent / name for name in record.files]
    missing = [path for path in paths if not path.is_file()]
    if missing:
        return [f"{len(missing)} of {len(paths)} pictures are gone, the first {missing[0].name}"]
    exchanged = [
        path for path, digest in zip(paths, record.hashes, strict=True) if file_hash(path) != digest
    ]
    faults = []
    if exchanged:
        faults.append(f"{len(exchanged)} pictures were exchanged, the first {exchanged[0].name}")
    if record.image:
        faults += _wiring_faults(obj, record, paths[0])
    if record.original and not faults:
        changed = still_texels_changed(record, paths)
        if changed:
            faults.append(f"{changed} texels that should be still differ from '{record.original}'")
    return faults


def still_texels_changed(record: TextureRecord, paths: list[Path]) -> int:
    """Return how many texels outside the moving ones differ from the original, over some pictures.

    The first, the last and two between are opened.
    """
    original = bpy.data.images.get(record.original)
    if original is None or not record.moving.size:
        return 0
    try:
        wanted = image_bytes(original)
    except InputError:
        return int((~record.moving).sum())
    chosen = np.unique(np.linspace(0, len(paths) - 1, OPENED).round().astype(int))
    count = 0
    for index in chosen:
        pixels = read_pixels(paths[int(index)])
        if pixels.shape != wanted.shape or pixels.shape[:2] != record.moving.shape:
            return int((~record.moving).sum())
        count += int(((pixels != wanted).any(axis=2) & ~record.moving).sum())
    return count


def _record(obj: Any, one: BakedTexture, relative: Callable[[Path], str]) -> TextureRecord:
    return TextureRecord(
        "colour",
        one.image_name,
        _original_name(obj, one.image_name),
        tuple(relative(path) for path in one.files),
        tuple(file_hash(path) for path in one.files),
        one.moving,
    )


def _nodes_of(obj: Any, image_name: str) -> list[tuple[Any, Any]]:
    """Return (tree, node) of every image node of a character's materials that shows an image."""
    found = []
    for slot in obj.material_slots:
        tree = slot.material.node_tree if slot.material is not None else None
        for node in tree.nodes if tree is not None else ():
            image = getattr(node, "image", None)
            if image is not None and image.name == image_name:
                found.append((tree, node))
    return found


def _original_name(obj: Any, image_name: str) -> str:
    from ..bake.materials import REPLACES

    for tree, node in _nodes_of(obj, image_name):
        old = tree.nodes.get(str(node.get(REPLACES, "")))
        if old is not None and getattr(old, "image", None) is not None:
            return str(old.image.name)
    return ""


def _wiring_faults(obj: Any, record: TextureRecord, first: Path) -> list[str]:
    image = bpy.data.images.get(record.image)
    if image is None:
        return [f"the image '{record.image}' is gone from the file"]
    nodes = _nodes_of(obj, record.image)
    if not any(output.is_linked for _, node in nodes for output in node.outputs):
        return [f"the image '{record.image}' is not wired into a material of '{obj.name}'"]
    if Path(bpy.path.abspath(image.filepath)).resolve() != first.resolve():
        return [f"the image '{record.image}' shows {image.filepath}, not what was baked"]
    if record.files[1:] and not any(_plays(tree, node) for tree, node in nodes):
        return [f"the image '{record.image}' does not follow the scene's frame"]
    return []


def _plays(tree: Any, node: Any) -> bool:
    """Whether a driver chooses the picture by the scene's frame."""
    animation = tree.animation_data
    wanted = f'nodes["{node.name}"].image_user'
    return animation is not None and any(
        driver.data_path.startswith(wanted) and "frame" in driver.driver.expression
        for driver in animation.drivers
    )
