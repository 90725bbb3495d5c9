"""The tree is what its manifest says, and speaks of itself alone."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def tracked() -> list[Path]:
    """Files under version control, or every file where there is no git."""
    try:
        listing = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listing.split("\0") if name]


def test_every_package_is_listed_once() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = settings["tool"]["setuptools"]["packages"]
    tops = ("addon", "commands", "head", "models", "report", "server")
    there = {"microface"} | {
        "microface." + ".".join(file.parent.relative_to(ROOT).parts)
        for top in tops
        for file in (ROOT / top).rglob("__init__.py")
    }
    assert sorted(listed) == sorted(there)


def test_no_paths_of_one_machine() -> None:
    pattern = re.compile(r"(?<![\w.])/(?:work|home|tmp/bash_jobs)/")
    for path in tracked():
        if path.suffix in {".py", ".md", ".toml", ".txt", ""} and path.name != "LICENSE":
            found = pattern.search(path.read_text(encoding="utf-8", errors="ignore"))
            assert not found, f"{path.relative_to(ROOT)} names {found and found.group()}"


def test_no_file_is_heavy() -> None:
    for path in tracked():
        assert path.stat().st_size < 20 * 2**20, f"{path.relative_to(ROOT)} is over 20 MiB"
