"""The manifest at the root is what the build writes, keeps Blender's rules and names real files."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import microface
import pytest
from microface.extension.contents import Variant, foreign_imports, shipped_files
from microface.extension.manifest import NAME, manifest_text


@pytest.fixture(scope="module")
def manifest(root: Path) -> dict[str, Any]:
    """The manifest at the root."""
    return tomllib.loads((root / NAME).read_text(encoding="utf-8"))


def test_the_manifest_is_up_to_date(root: Path) -> None:
    written = (root / NAME).read_text(encoding="utf-8")
    remedy = "run: python -m microface.extension manifest"
    assert written == manifest_text(root, shipped_files(root, Variant.FULL)), remedy


def test_identity(manifest: dict[str, Any]) -> None:
    assert manifest["id"] == "microface"
    assert manifest["version"] == microface.__version__
    assert manifest["blender_version_min"] == "4.2.0"
    assert manifest["license"] == ["SPDX:GPL-3.0-or-later"]


def test_sentences_keep_the_length_and_have_no_end_stop(manifest: dict[str, Any]) -> None:
    for sentence in [manifest["tagline"], *manifest["permissions"].values()]:
        assert 0 < len(sentence) <= 64
        assert sentence[-1].isalnum()


def test_what_ships_is_there_and_is_no_test_or_training_code(
    root: Path, manifest: dict[str, Any]
) -> None:
    paths = manifest["build"]["paths"]
    assert NAME not in paths
    assert {"LICENSE", "__init__.py", "errors.py", "addon/__init__.py"} <= set(paths)
    for path in paths:
        assert (root / path).is_file()
        assert not path.startswith(("tests/", "extension/", "commands/", "models/training/"))


@pytest.mark.parametrize("folder", ["addon", "server"])
def test_data_beside_the_code_ships(root: Path, manifest: dict[str, Any], folder: str) -> None:
    """What a module reads from its own folder would be missed in Blender alone."""
    found = {
        path.relative_to(root).as_posix()
        for path in (root / folder).rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc"}
    }
    assert found <= set(manifest["build"]["paths"])


@pytest.mark.parametrize("variant", list(Variant))
def test_what_ships_imports_only_what_is_bundled(root: Path, variant: Variant) -> None:
    assert foreign_imports(root, shipped_files(root, variant), variant) == []


def test_the_thin_build_carries_no_engine(root: Path) -> None:
    for path in shipped_files(root, Variant.THIN):
        assert not path.startswith(("server/engine/", "server/clips/", "models/"))
