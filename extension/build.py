"""Stages an extension in a temporary folder and has Blender's own builder zip and check it."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from ..errors import RunError
from .contents import Variant, foreign_imports, shipped_files
from .manifest import NAME, manifest_text, package_version
from .wheels import wheel_files

#: Every file in a zip carries this time, so that equal input gives an equal zip.
TIMESTAMP = (2020, 1, 1, 0, 0, 0)
BUILDER = "scripts/addons_core/bl_pkg/cli/blender_ext.py"


def zip_name(
    version: str, variant: Variant, platforms: Sequence[str], pythons: Sequence[str]
) -> str:
    """Return the file name of a build, like `microface-0.1.0-full-python311-linux_x64.zip`.

    The thin build names no platform where it serves several.
    """
    parts = ["microface", version, variant.value]
    parts.append("_".join("python" + python.replace(".", "") for python in pythons))
    if len(platforms) == 1:
        parts.append(platforms[0].replace("-", "_"))
    return "-".join(parts) + ".zip"


def build_zip(
    root: Path,
    variant: Variant,
    platforms: Sequence[str],
    pythons: Sequence[str],
    *,
    out: Path,
    cache: Path,
) -> Path:
    """Build one extension zip in the folder `out` and return it; it moves there once it is valid.

    `root` is that of the tree, `platforms` are Blender's names of those it is for, `pythons` the
    Python versions, like `("3.13", "3.14")`; `cache` keeps the wheels that are downloaded. Raises
    RunError where the builder is not there or refuses, a shipped module imports what is not
    bundled, or a wheel cannot be downloaded.
    """
    paths = shipped_files(root, variant)
    if foreign := foreign_imports(root, paths, variant):
        path, module = foreign[0]
        raise RunError(
            f"{path} imports {module}, which the {variant.value} extension does not carry.",
            "Remove the import, or bundle its wheel in microface.extension.",
        )
    wheels = wheel_files(root, variant, platforms, pythons, cache)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".build-") as folder:
        stage = Path(folder) / "stage"
        for path in paths:
            place(root / path, stage / path)
        for name, wheel in wheels.items():
            place(wheel, stage / "wheels" / name)
        bundled = [f"./wheels/{name}" for name in wheels]
        text = manifest_text(root, paths, wheels=bundled, platforms=platforms)
        (stage / NAME).write_text(text, encoding="utf-8")
        raw = Path(folder) / "raw.zip"
        run_builder("build", "--source-dir", str(stage), "--output-filepath", str(raw))
        made = Path(folder) / zip_name(package_version(root), variant, platforms, pythons)
        normalise(raw, made)
        run_builder("validate", str(made))
        return made.replace(out / made.name)


def place(source: Path, target: Path) -> None:
    """Copy a file into the stage."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def normalise(raw: Path, target: Path) -> None:
    """Write the builder's zip anew with each file once, sorted, of one time and one mode.

    With both wheels and build paths in a manifest, Blender 4.5's builder packs every wheel twice.
    """
    with zipfile.ZipFile(raw) as source, zipfile.ZipFile(target, "w") as sink:
        for name in sorted(set(source.namelist())):
            entry = zipfile.ZipInfo(name, TIMESTAMP)
            entry.compress_type = source.getinfo(name).compress_type
            entry.external_attr = 0o644 << 16
            sink.writestr(entry, source.read(name), compresslevel=9)


def run_builder(*arguments: str) -> None:
    """Run Blender's extension command line tool.

    Raises RunError, with what it said, where it is not installed or refuses.
    """
    result = subprocess.run(
        [sys.executable, "-B", str(builder()), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        said = " ".join((result.stdout + result.stderr).split())
        raise RunError(
            f"Blender's builder refuses to {arguments[0]}: {said}.", "Mend that and build again."
        )


def builder() -> Path:
    """Return the extension tool inside the installed bpy package.

    Raises RunError where that is not installed.
    """
    # Looked up, not imported: importing bpy starts a whole Blender.
    spec = importlib.util.find_spec("bpy")
    if spec is not None and spec.origin is not None:
        found = sorted(Path(spec.origin).parent.glob(f"*/{BUILDER}"))
        if found:
            return found[-1]
    raise RunError(
        "The extension builder comes with the bpy package, which is not installed.",
        "Run: pip install 'microface[blender]'.",
    )
