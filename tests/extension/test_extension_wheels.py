"""Which wheels are bundled, under which names, in which zip."""

from __future__ import annotations

from pathlib import Path

import pytest
from microface.errors import RunError
from microface.extension import wheels
from microface.extension.contents import Variant
from microface.extension.manifest import PLATFORMS


def test_python_311_has_a_zip_of_its_own() -> None:
    thin, full = Variant.THIN, Variant.FULL
    assert wheels.python_groups(thin, ["3.11", "3.13", "3.14"]) == [("3.11",), ("3.13", "3.14")]
    assert wheels.python_groups(thin, ["3.13"]) == [("3.13",)]
    assert wheels.python_groups(full, ["3.11", "3.13", "3.14"]) == [("3.11",), ("3.13",), ("3.14",)]


def test_numpy_is_never_bundled(root: Path) -> None:
    for variant in Variant:
        for platform in PLATFORMS:
            assert "numpy" not in wheels.pins(root, variant, platform)


def test_a_platform_may_hold_a_package_back(root: Path) -> None:
    assert wheels.pins(root, Variant.FULL, "macos-x64")["onnxruntime"] == "1.23.2"
    assert wheels.pins(root, Variant.FULL, "linux-x64")["onnxruntime"] != "1.23.2"
    assert wheels.pythons_of("macos-x64", wheels.PYTHONS) == ["3.11"]


def test_a_universal_wheel_is_named_by_architecture() -> None:
    name = "pyzmq-27.3.0-cp311-cp311-macosx_10_15_universal2.whl"
    assert wheels.bundled_name(name, "macos-arm64").endswith("-macosx_10_15_arm64.whl")
    assert wheels.bundled_name(name, "macos-x64").endswith("-macosx_10_15_x86_64.whl")
    assert wheels.bundled_name("a-1-cp311-cp311-win_amd64.whl", "windows-x64").endswith(
        "win_amd64.whl"
    )


def test_what_the_lock_does_not_name_is_not_bundled(tmp_path: Path) -> None:
    (tmp_path / "constraints.txt").write_text("# lock\npyzmq==27.3.0\n", encoding="utf-8")
    with pytest.raises(RunError, match="no version of msgpack"):
        wheels.pins(tmp_path, Variant.THIN, "linux-x64")


def test_cached_wheels_are_not_downloaded_again(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise RunError("A download was tried.", "")

    monkeypatch.setattr(wheels, "download", refuse)
    folder = tmp_path / "linux-x64-3.13"
    folder.mkdir()
    for name, version in wheels.pins(root, Variant.THIN, "linux-x64").items():
        (folder / f"{name}-{version}-cp313-cp313-manylinux2014_x86_64.whl").touch()
    found = wheels.wheel_files(root, Variant.THIN, ["linux-x64"], ["3.13"], tmp_path)
    assert [name.partition("-")[0] for name in found] == ["msgpack", "pyzmq"]
    with pytest.raises(RunError, match="A download was tried"):
        wheels.wheel_files(root, Variant.FULL, ["linux-x64"], ["3.13"], tmp_path)


def test_a_failed_download_names_the_wheel(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"pyzmq 0\.0\.0 for linux-x64, Python 3\.13"):
        wheels.download(tmp_path, "pyzmq", "0.0.0", "linux-x64", "3.13")
