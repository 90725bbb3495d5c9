"""Drafts of killed runs go away, those in the making stay."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from microface.drafts import make_draft


@pytest.mark.skipif(os.name != "posix", reason="asks the system for a process by number")
def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    folder = tmp_path / f".face.blend.draft-{gone.pid}-abc"
    folder.mkdir()
    (folder / "000000.png").write_bytes(b"half")
    beside = tmp_path / f"{folder.name}.blend"
    beside.write_bytes(b"half")
    other = tmp_path / f".other.blend.draft-{gone.pid}-abc"
    other.mkdir()
    draft = make_draft(tmp_path / "face.blend")
    assert sorted(tmp_path.iterdir()) == sorted([draft, other])


def test_a_draft_in_the_making_stays(tmp_path: Path) -> None:
    first = make_draft(tmp_path / "out")
    second = make_draft(tmp_path / "out")
    assert first != second
    assert first.is_dir() and second.is_dir()
