"""The thin extension builds, is valid and repeatable, and each Blender finds its wheels in it."""

from __future__ import annotations

import tomllib
import zipfile
from pathlib import Path

import pytest
from microface.errors import RunError
from microface.extension import manifest
from microface.extension.__main__ import main
from microface.extension.build import build_zip, zip_name
from microface.extension.contents import Variant, shipped_files
from microface.extension.manifest import PLATFORMS
from microface.extension.wheels import PYTHONS, python_groups, pythons_of

# What the tags of a wheel must end with for Blender 4.2 to take it for a platform.
ENDINGS = {
    "linux-x64": ("manylinux", "_x86_64"),
    "macos-arm64": ("macosx_", "_arm64"),
    "macos-x64": ("macosx_", "_x86_64"),
    "windows-x64": ("win_amd64", "win_amd64"),
}


@pytest.fixture(scope="module")
def zips(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, ...], Path]:
    """The thin build for every platform, by the Python versions it is for."""
    out = tmp_path_factory.mktemp("dist")
    built = {}
    for group in python_groups(Variant.THIN, PYTHONS):
        platforms = [name for name in PLATFORMS if pythons_of(name, group)]
        try:
            built[group] = build_thin(root, platforms, group, out)
        except RunError as error:
            if "could not be downloaded" in error.what:
                pytest.skip(error.what)
            raise
    return built


def build_thin(root: Path, platforms: list[str], pythons: tuple[str, ...], out: Path) -> Path:
    """A thin build with the wheels that builds of the tree share."""
    cache = root / "build" / "wheels"
    return build_zip(root, Variant.THIN, platforms, pythons, out=out, cache=cache)


def wheel_names(path: Path) -> list[str]:
    """The wheels that a zip's manifest names, checked to be in it."""
    with zipfile.ZipFile(path) as archive:
        named = tomllib.loads(archive.read(manifest.NAME).decode())["wheels"]
        for name in named:
            assert zipfile.is_zipfile(archive.open(name.removeprefix("./")))
    return [name.rpartition("/")[2] for name in named]


def test_the_zip_holds_what_ships_once(root: Path, zips: dict[tuple[str, ...], Path]) -> None:
    for path in zips.values():
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        assert len(names) == len(set(names))
        plain = [name for name in names if not name.startswith("wheels/")]
        assert plain == sorted([manifest.NAME, *shipped_files(root, Variant.THIN)])


def test_each_platform_finds_one_wheel_of_each_package(
    zips: dict[tuple[str, ...], Path],
) -> None:
    # Blender 4.2 looks at the platform only, and it runs Python 3.11.
    for platform, (head, tail) in ENDINGS.items():
        taken = []
        for name in wheel_names(zips["3.11",]):
            tag = name.removesuffix(".whl").rpartition("-")[2]
            if tag.startswith(head) and tag.endswith(tail):
                taken.append(name)
        assert [name.partition("-")[0] for name in taken] == ["msgpack", "pyzmq"], platform


def test_each_python_finds_one_wheel_of_each_package(
    zips: dict[tuple[str, ...], Path],
) -> None:
    # Blender 4.3 and later look at the version and the stable ABI too.
    for python in (13, 14):
        taken = []
        for name in wheel_names(zips["3.13", "3.14"]):
            tag, abi, platform = name.removesuffix(".whl").split("-")[-3:]
            fits = tag == f"cp3{python}" or (abi == "abi3" and int(tag[3:]) <= python)
            if fits and platform.startswith("manylinux"):
                taken.append(name)
        assert [name.partition("-")[0] for name in taken] == ["msgpack", "pyzmq"], python


def test_a_build_is_repeatable(
    root: Path, zips: dict[tuple[str, ...], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    again = build_thin(root, list(PLATFORMS), ("3.11",), tmp_path)
    assert again.read_bytes() == zips["3.11",].read_bytes()


def test_a_refusal_leaves_nothing_behind(
    root: Path,
    zips: dict[tuple[str, ...], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(manifest.FIELDS, "tagline", "It ends with a stop.")
    with pytest.raises(RunError, match="refuses to build"):
        build_thin(root, ["linux-x64"], ("3.11",), tmp_path / "dist")
    assert list((tmp_path / "dist").iterdir()) == []


def test_the_name_says_what_it_is_for() -> None:
    assert zip_name("0.1.0", Variant.THIN, PLATFORMS, ("3.13", "3.14")) == (
        "microface-0.1.0-thin-python313_python314.zip"
    )
    assert zip_name("0.1.0", Variant.FULL, ["linux-x64"], ("3.11",)) == (
        "microface-0.1.0-full-python311-linux_x64.zip"
    )


def test_an_unknown_platform_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["thin", "--platform", "linux-x64,amiga"]) == 2
    assert "Unknown platform 'amiga'" in capsys.readouterr().err
