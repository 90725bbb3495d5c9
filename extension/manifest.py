"""The extension's manifest, `blender_manifest.toml`, as Blender's builder wants it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from ..errors import RunError

NAME = "blender_manifest.toml"
#: What builds exist for; Blender's own names.
PLATFORMS = ("linux-x64", "macos-arm64", "macos-x64", "windows-x64")

HEADER = """\
# Written by `python -m microface.extension manifest`; change microface.extension, not this file.
"""
FIELDS: dict[str, str | Sequence[str]] = {
    "schema_version": "1.0.0",
    "id": "microface",
    "name": "Microface",
    "tagline": "Facial micro-expressions for digital characters",
    "maintainer": "Microface maintainers",
    "type": "add-on",
    "tags": ["Animation", "Bake", "Pipeline"],
    "blender_version_min": "4.2.0",
    "license": ["SPDX:GPL-3.0-or-later"],
}
PERMISSIONS = {
    "files": "Read source clips, write baked textures and the clip cache",
    "network": "Send renders and clips to the retargeting server you choose",
}


def package_version(root: Path) -> str:
    """Return the version that the tree gives itself in its root `__init__.py`.

    Raises RunError where it gives none.
    """
    text = (root / "__init__.py").read_text(encoding="utf-8")
    match = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if match is None:
        raise RunError(f"{root / '__init__.py'} names no __version__.", "Add it and build again.")
    return match[1]


def manifest_text(
    root: Path,
    paths: Sequence[str],
    *,
    wheels: Sequence[str] = (),
    platforms: Sequence[str] = PLATFORMS,
) -> str:
    """Return the manifest as TOML text.

    `root` is that of the tree, for its version; `paths` are all files that ship, without the
    manifest and the `wheels`, each relative to the manifest; `platforms` are of `PLATFORMS`.
    """
    lines = [HEADER, f"version = {toml(package_version(root))}"]
    lines += [f"{key} = {toml(value)}" for key, value in FIELDS.items()]
    lines.append(f"platforms = {toml(platforms)}")
    if wheels:
        lines.append(f"wheels = {toml_column(wheels)}")
    lines += ["", "[permissions]"]
    lines += [f"{key} = {toml(reason)}" for key, reason in PERMISSIONS.items()]
    lines += ["", "[build]", f"paths = {toml_column(paths)}"]
    return "\n".join(lines) + "\n"


def toml(value: str | Sequence[str]) -> str:
    """Return a string or a list of strings in TOML, which quotes them as JSON does."""
    return json.dumps(value if isinstance(value, str) else list(value), ensure_ascii=False)


def toml_column(values: Sequence[str]) -> str:
    """Return a list of strings in TOML, one to a line."""
    return "[\n" + "".join(f"    {toml(value)},\n" for value in values) + "]"
