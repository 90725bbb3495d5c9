"""Opening and writing .blend files, and linking pictures to them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import bpy

from ..drafts import make_draft
from ..errors import InputError
from .quiet import blender_log_hidden

#: Files of characters that Blender or its add-ons import.
IMPORTED = {".glb", ".gltf", ".vrm", ".fbx", ".obj", ".dae", ".usd", ".usda", ".usdc", ".usdz",
            ".abc", ".pmx"}  # fmt: skip


def open_blend(path: Path) -> None:
    """Open the .blend at `path` in this Blender session, without running scripts in it.

    Raises `InputError` if it is no .blend file, a damaged one, or one that a newer Blender saved:
    what this one does not know of would be lost from all that is made of it.
    """
    try:
        with blender_log_hidden():
            bpy.ops.wm.open_mainfile(filepath=str(path.resolve()), load_ui=False, use_scripts=False)
    except RuntimeError as error:
        if path.suffix.lower() in IMPORTED:
            raise InputError(
                f"{path} is no .blend file.",
                "Import it in Blender (File > Import), save that, and give the .blend.",
            ) from error
        told = " ".join(str(error).rpartition("failed:")[2].split()).removeprefix("Error: ")
        raise InputError(
            f"{path} cannot be opened as a .blend file ({told}).",
            "Save it again from a Blender that opens it.",
        ) from error
    saved, here = tuple(bpy.data.version)[:2], tuple(bpy.app.version)[:2]
    if saved > here:
        raise InputError(
            f"{path} was saved by Blender {saved[0]}.{saved[1]}, and this is {here[0]}.{here[1]}: "
            "parts of it would be lost.",
            f"Use Blender {saved[0]}.{saved[1]} or newer, or save it from Blender "
            f"{here[0]}.{here[1]}.",
        )


def make_blend_draft(out: Path) -> Path:
    """Return a new folder beside the .blend to be, `out`, to write into first.

    Raises `InputError` for a path that is no place for a .blend.
    """
    if out.suffix != ".blend":
        raise InputError(f"{out} is no .blend file.", "Give a name that ends in .blend.")
    if out.is_dir():
        raise InputError(f"{out} is a folder.", "Name a file in it that ends in .blend.")
    try:
        return make_draft(out)
    except OSError as error:
        raise InputError(
            f"{out.parent} cannot be written to ({error.strerror}).", "Choose another folder."
        ) from error


def load_linked(path: Path) -> Any:
    """Load a picture as an image that stays linked to its file; return the image.

    Its path is relative to the saved .blend, as the user's preferences have it by default, so that
    both can be moved together.
    """
    image = bpy.data.images.load(str(path))
    if bpy.data.filepath and bpy.context.preferences.filepaths.use_relative_paths:
        with suppress(ValueError):  # another drive of Windows
            image.filepath = bpy.path.relpath(str(path))
    return image
