"""The wheels an extension bundles: Blender has no pip to fetch them with at run time.

How Blender picks among the wheels of a manifest: from 4.3 on by platform, Python version and
stable ABI; 4.2 by platform only, and it does not know universal2 wheels. So wheels for Python
3.11, which is what Blender 4.2 runs, never share a zip with wheels for other Pythons, and a
universal2 wheel is bundled once under the name of each architecture.
"""

from __future__ import annotations

import platform as host
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ..errors import InputError, RunError
from .contents import Variant
from .manifest import PLATFORMS

#: Python 3.11: Blender 4.2 to 5.0. 3.13: from 5.1 on. 3.14: Linux distributions' own builds.
PYTHONS = ("3.11", "3.13", "3.14")
#: Packages whose wheels are bundled, in the versions of constraints.txt, which the tests run with.
#: Numpy never is: they run with Blender's own, 1.26 up to 2.4.
THIN_PACKAGES = ("msgpack", "pyzmq")
PACKAGES = {
    Variant.THIN: THIN_PACKAGES,
    Variant.FULL: (*THIN_PACKAGES, "onnxruntime", "opencv-python-headless", "pillow", "scipy"),
}
#: The last release of a package for a platform that it has left.
PLATFORM_PINS = {"macos-x64": {"onnxruntime": "1.23.2"}}
#: Tags that pip may choose from, by platform; Blender's Linux builds need glibc 2.28 as well.
PIP_PLATFORMS = {
    "linux-x64": [f"manylinux_2_{minor}_x86_64" for minor in (28, 27, 26, 17)]
    + ["manylinux2014_x86_64"],
    "macos-arm64": ["macosx_14_0_arm64"],
    "macos-x64": ["macosx_13_0_x86_64"],
    "windows-x64": ["win_amd64"],
}
ARCHITECTURES = {"macos-arm64": "arm64", "macos-x64": "x86_64"}


def this_platform() -> str:
    """Return Blender's name of the platform that this Python runs on, like `linux-x64`.

    Raises InputError where the extension is not built for it.
    """
    system = {"Darwin": "macos"}.get(host.system(), host.system().lower())
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}.get(
        host.machine().lower(), host.machine().lower()
    )
    name = f"{system}-{machine}"
    if name not in PLATFORMS:
        raise InputError(
            f"No extension is built for {name}.", f"Give --platform, of {', '.join(PLATFORMS)}."
        )
    return name


def pythons_of(platform: str, pythons: Sequence[str]) -> list[str]:
    """Return those of the Python versions that a Blender for this platform exists with."""
    # Blender left Intel Macs with 5.0, before it left Python 3.11.
    return [python for python in pythons if platform != "macos-x64" or python == "3.11"]


def python_groups(variant: Variant, pythons: Sequence[str]) -> list[tuple[str, ...]]:
    """Return Python versions by the zip that carries them.

    The thin build's wheels are small: 3.11 has a zip of its own, the others share one. In the full
    build, with its large wheels, each has its own.
    """
    if variant is Variant.FULL:
        return [(python,) for python in pythons]
    others = tuple(python for python in pythons if python != "3.11")
    return [group for group in ((("3.11",) if "3.11" in pythons else ()), others) if group]


def pins(root: Path, variant: Variant, platform: str) -> dict[str, str]:
    """Return the versions of what a variant bundles on a platform, by package.

    Raises RunError where constraints.txt does not name a package.
    """
    text = (root / "constraints.txt").read_text(encoding="utf-8")
    locked = dict(line.split("==", 1) for line in text.split() if "==" in line)
    found = {}
    for name in PACKAGES[variant]:
        if name not in locked:
            raise RunError(f"constraints.txt names no version of {name}.", "Add it there.")
        found[name] = PLATFORM_PINS.get(platform, {}).get(name, locked[name])
    return found


def bundled_name(filename: str, platform: str) -> str:
    """Return the name to bundle a wheel under: its architecture in the place of universal2."""
    return filename.replace("_universal2", f"_{ARCHITECTURES.get(platform, 'universal2')}")


def wheel_files(
    root: Path,
    variant: Variant,
    platforms: Sequence[str],
    pythons: Sequence[str],
    cache: Path,
) -> dict[str, Path]:
    """Return every wheel for these platforms and Python versions, by its name in the bundle.

    Wheels that `cache` lacks are downloaded into it. Raises RunError where one cannot be.
    """
    found = {}
    for platform in platforms:
        for python in pythons_of(platform, pythons):
            folder = cache / f"{platform}-{python}"
            for name, version in pins(root, variant, platform).items():
                wheel = cached_wheel(folder, name, version)
                if wheel is None:
                    download(folder, name, version, platform, python)
                    wheel = cached_wheel(folder, name, version)
                if wheel is None:
                    raise RunError(
                        f"pip left no wheel of {name} {version} in {folder}.",
                        "Delete the folder and build again.",
                    )
                found[bundled_name(wheel.name, platform)] = wheel
    return dict(sorted(found.items()))


def cached_wheel(folder: Path, name: str, version: str) -> Path | None:
    """Return the wheel of a package in a folder of the cache, None where it is not there."""
    pattern = f"{name.replace('-', '_')}-{version}-*.whl"
    return next(iter(sorted(folder.glob(pattern))), None)


def download(folder: Path, name: str, version: str, platform: str, python: str) -> None:
    """Download one wheel with pip; raises RunError, with pip's last line, where that fails."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--only-binary=:all:", "--dest", str(folder), "--implementation", "cp"]
    command += ["--python-version", python]
    for tag in PIP_PLATFORMS[platform]:
        command += ["--platform", tag]
    result = subprocess.run(
        [*command, f"{name}=={version}"], capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        last = (result.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise RunError(
            f"The wheel of {name} {version} for {platform}, Python {python}, "
            f"could not be downloaded: {last}",
            "Check the network, or build for fewer platforms with --platform and --python.",
        )
